"""The proof that resources admit the AWS services that are told to use them, and nobody else.

    templates of both regions ─▶ uses by services ───▶ needs ──┐
                                                               ├─ the same, use by use?
    templates of both regions ─▶ resource policies ─▶ admitted ┘

Policies of topics, queues, keys, buckets and vaults, and the permissions of functions. A `Deny` of
plain text is the encryption invariant's; any other may keep a service out, and is refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tap_templates.iam.codes import Code
from tap_templates.iam.effective import Admission, admissions
from tap_templates.iam.key_needs import key_needs
from tap_templates.iam.key_policies import (
    check_administration,
    delegations,
    is_own_account,
    names_key,
)
from tap_templates.iam.knowledge import find_action
from tap_templates.iam.needs import Condition, Need, Problem, condition, spell
from tap_templates.iam.patterns import covers_action, is_pattern
from tap_templates.iam.permissions import read_permission
from tap_templates.iam.service_conditions import admitted, check_condition
from tap_templates.iam.service_needs import service_uses
from tap_templates.iam.service_use import ServiceUse
from tap_templates.rendered.view import Located, SystemView

_KEY, _VAULT = "AWS::KMS::Key", "AWS::Backup::BackupVault"
# Types that hold their policy themselves, in this property.
_OWN_POLICY = {_KEY: "KeyPolicy", _VAULT: "AccessPolicy"}
# Type of the policy, to the property that names what it is for, and that with the document.
_POLICIES: Mapping[str, tuple[str, str]] = {
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument"),
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument"),
}
_OWNERS = ("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue")
_PLAIN_TEXT = condition(("Bool", "aws:SecureTransport", ["false"]))
# What AWS itself writes for key policies; no other pattern is let through.
_DOCUMENTED: Mapping[str, str] = {
    "kms:Decrypt": "kms:Decrypt*",
    "kms:DescribeKey": "kms:Describe*",
    "kms:Encrypt": "kms:Encrypt*",
    "kms:GenerateDataKey": "kms:GenerateDataKey*",
    "kms:ReEncryptFrom": "kms:ReEncrypt*",
    "kms:ReEncryptTo": "kms:ReEncrypt*",
}


@dataclass(slots=True)
class _Guarded:
    """A resource with a policy: who uses it, and whom the policy admits."""

    arn: str
    owner: Located
    uses: list[ServiceUse] = field(default_factory=list)
    admissions: list[Admission] = field(default_factory=list)
    # By the position in `uses`: how many statements and actions admit it.
    admitted: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def check_resource_policies(
    view: SystemView, needs: Iterable[Need], uses: Iterable[ServiceUse]
) -> list[Problem]:
    """Compare uses by services with resource policies, in both directions.

    `needs` are those of all roles: what they, and who deploys, need of a key, its policy has to
    leave to IAM.
    """
    problems: list[Problem] = []
    guarded = _gather(view, uses, problems)
    of_resources: dict[str, list[Need]] = defaultdict(list)
    for need in needs:
        of_resources[need.permission.resource].append(need)
    for found in key_needs(view):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            of_resources[found.permission.resource].append(found)
    for each in guarded.values():
        its = of_resources.get(each.arn, [])
        problems += _check(each, view, its)
    return problems


def derive(view: SystemView) -> tuple[list[ServiceUse], list[Problem]]:
    """Split what services do from what could not be judged about it."""
    found = service_uses(view)
    uses = [each for each in found if isinstance(each, ServiceUse)]
    return uses, [each for each in found if isinstance(each, Problem)]


def _gather(
    view: SystemView, uses: Iterable[ServiceUse], problems: list[Problem]
) -> dict[str, _Guarded]:
    guarded: dict[str, _Guarded] = {}
    by_ref: dict[tuple[str, str], str] = {}
    for located in view.resources(*_OWNERS, *_OWN_POLICY):
        arn = str(located.resource.arn)
        guarded[arn] = _Guarded(arn, located)
        by_ref[located.stack.region, located.resource.ref] = arn
        name = _OWN_POLICY.get(located.resource.type, "")
        document = located.resource.properties.get(name)
        if document is not None or located.resource.type == _KEY:
            found, unread = admissions(located, document, f"/Properties/{name}")
            guarded[arn].admissions += found
            problems += unread
    for use in uses:
        guarded.setdefault(use.arn, _Guarded(use.arn, use.owner)).uses.append(use)
    for policy in view.resources(*_POLICIES):
        names, document_name = _POLICIES[policy.resource.type]
        document = policy.resource.properties.get(document_name)
        found, unread = admissions(policy, document, f"/Properties/{document_name}")
        problems += unread
        for name in _listed(policy.resource.properties.get(names)):
            owner = by_ref.get((policy.stack.region, name))
            if owner is None:
                problems.append(_of_nothing(policy, f"/Properties/{names}", name))
                continue
            guarded[owner].admissions += found
    for located in view.resources("AWS::Lambda::Permission"):
        permission = read_permission(view, located)
        arn = permission.resources[0]
        guarded.setdefault(arn, _Guarded(arn, located)).admissions.append(permission)
    return guarded


def _of_nothing(policy: Located, path: str, name: str) -> Problem:
    what = f"is the policy of {name}, which is not in this system"
    return Problem(Code.UNJUDGED, policy, path, what, "make it beside what it is for")


def _check(guarded: _Guarded, view: SystemView, needs: Sequence[Need]) -> Iterator[Problem]:
    is_key = guarded.owner.resource.type == _KEY
    administration: list[Admission] = []
    for given in guarded.admissions:
        admission = given
        is_own = is_own_account(admission, view.account, view.partition)
        if is_own and not is_key:
            admission = replace(given, principal=view.account)
        if admission.effect == "Deny":
            yield from _check_deny(admission, needs)
        elif is_key and is_own:
            administration.append(admission)
        elif is_own and any(use.principal == view.account for use in guarded.uses):
            yield from _check_service(guarded, admission)
        elif admission.kind != "Service" or "*" in admission.principal:
            yield Problem(
                Code.PRINCIPAL_UNEXPLAINED,
                admission.located,
                admission.path,
                f"admits {admission.kind} {admission.principal} with "
                f"{', '.join(admission.actions)}, which nothing explains",
                "take it out, or admit the one service that is told to use the resource",
            )
        else:
            yield from _check_service(guarded, admission)
    if is_key:
        yield from check_administration(guarded.owner, administration, delegations(needs))
    yield from _missing(guarded)


def _check_deny(admission: Admission, needs: Sequence[Need]) -> Iterator[Problem]:
    if admission.principal == "*" and admission.condition == _PLAIN_TEXT:
        return
    # Nobody but AWS Backup, by our roles, works with a vault: what these do not do may be denied.
    if admission.located.resource.type == _VAULT and not any(
        covers_action(given, need.permission.action)
        for given in admission.actions
        for need in needs
    ):
        return
    # Buckets hold data of people and tools we do not derive: who is kept out of them is theirs.
    if admission.located.resource.type == "AWS::S3::BucketPolicy":
        return
    who = (
        admission.principal if admission.kind == "*" else f"{admission.kind} {admission.principal}"
    )
    what = (
        f"denies {who} {', '.join(admission.actions)} under {spell(admission.condition)}, "
        "which may keep a service out"
    )
    remedy = "deny what comes without TLS, and admit fewer instead of denying more"
    yield Problem(Code.RESOURCE_DENIES, admission.located, admission.path, what, remedy)


def _check_service(guarded: _Guarded, admission: Admission) -> Iterator[Problem]:
    if not _is_about(guarded, admission):
        yield Problem(
            Code.SERVICE_BROADER,
            admission.located,
            admission.path,
            f"admits {admission.principal} to {', '.join(admission.resources)}",
            f"name {guarded.arn} alone; in a key policy, `*`",
        )
        return
    for action in admission.actions:
        served = [
            index
            for index, use in enumerate(guarded.uses)
            if use.principal == admission.principal and _is_action(action, use.action)
        ]
        if not served:
            yield _unexplained(admission, action)
            continue
        uses = [guarded.uses[index] for index in served]
        yield from check_condition(admission, action, uses)
        fresh = [index for index in served if admitted(admission.condition, guarded.uses[index])]
        if fresh and all(guarded.admitted[index] for index in fresh):
            what = f"admits {admission.principal} with {action} twice"
            remedy = "keep one of the statements"
            yield Problem(Code.REPEATED, admission.located, admission.path, what, remedy)
        for index in fresh:
            guarded.admitted[index] += 1


def _is_about(guarded: _Guarded, admission: Admission) -> bool:
    if guarded.owner.resource.type == _KEY:
        return names_key(guarded.owner, admission.resources)
    return admission.resources == (guarded.arn,)


def _is_action(given: str, used: str) -> bool:
    return given in (used, _DOCUMENTED.get(used))


def _unexplained(admission: Admission, action: str) -> Problem:
    who = f"admits {admission.principal} with {action}"
    if is_pattern(action):
        code, what, remedy = Code.WILDCARD_ACTION, "a pattern of actions", "list what is used"
    elif find_action(action) is None:
        code, what = Code.UNKNOWN_ACTION, "which IAM does not know"
        remedy = "take the action from the service authorization reference"
    else:
        code, what = Code.SERVICE_UNUSED, "which nothing in this system tells it to do"
        remedy = "take it out, or write down in iam/service_needs.py what does"
    return Problem(code, admission.located, admission.path, f"{who}, {what}", remedy)


def _missing(guarded: _Guarded) -> Iterator[Problem]:
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for index, use in enumerate(guarded.uses):
        if not guarded.admitted.get(index):
            lacking[use.principal, use.action].append(use.why)
    for (principal, action), reasons in lacking.items():
        more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        yield Problem(
            Code.SERVICE_MISSING,
            guarded.owner,
            "",
            f"does not admit {principal} with {action}, needed by {min(reasons)}{more}",
            "admit it in the policy of the resource, held to the source (blocks/policy.py)",
        )


def demanded(use: ServiceUse) -> Condition:
    """Spell out the condition that the policy of a proven system has at least."""
    return condition(*(("Equals", key, [use.sends[key]]) for key in use.demands))


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(each) for each in values]
