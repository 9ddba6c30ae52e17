"""The word for what an AWS service does under its own name. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass

from tap_templates.iam.codes import Code
from tap_templates.iam.needs import Problem
from tap_templates.rendered.view import Located

SOURCE_ACCOUNT = "aws:sourceaccount"
SOURCE_ARN = "aws:sourcearn"
LOG_GROUP = "kms:encryptioncontext:aws:logs:arn"
URL_TYPE = "lambda:functionurlauthtype"
VIA_URL = "lambda:invokedviafunctionurl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUse:
    """One action of a service on one resource, for one source.

    Of the account itself, where `principal` is its number: IAM then says who it is.
    """

    arn: str  # of the resource
    owner: Located  # the resource, or who uses it if its policy is another resource's
    principal: str
    action: str
    sends: Mapping[str, str]  # condition keys, in lower case, that are known to come with it
    demands: frozenset[str]  # those of them a policy has to test
    why: str
    # Whether a policy may name the source by a pattern: alarms share a topic they do not know.
    by_pattern: bool = False
    # Patterns of the source that are as good as its name, by the service's own documentation.
    patterns: frozenset[str] = frozenset()


Outcome = ServiceUse | Problem


def unjudged(located: Located, path: str, what: str) -> Problem:
    """Say that a service does something nobody has written down."""
    return Problem(
        Code.UNJUDGED,
        located,
        path,
        f"{what}; nobody wrote down which service that admits",
        "write it down in iam/service_needs.py, with its source",
    )
