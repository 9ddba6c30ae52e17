"""What a key policy leaves to the account's IAM policies: managing the key, and no data but used.

A key policy that does not name an action refuses it to everyone, whatever their role allows; one
that leaves out `kms:PutKeyPolicy` can never be corrected.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tap_templates.iam.codes import Code
from tap_templates.iam.effective import Admission
from tap_templates.iam.knowledge import find_action
from tap_templates.iam.needs import Condition, Need, Problem, condition, spell
from tap_templates.iam.patterns import is_pattern
from tap_templates.iam.services import VIA_SERVICE
from tap_templates.rendered.view import Located

# Handlers: those of the CloudFormation registry schemas of AWS::KMS::Key and AWS::KMS::Alias.
ADMINISTRATION: Mapping[str, str] = {
    "kms:CancelKeyDeletion": "a person takes back a deletion within the waiting period",
    "kms:CreateAlias": "the create handler of the alias",
    "kms:DeleteAlias": "the delete handler of the alias",
    "kms:DescribeKey": "the read, update and delete handlers of the key",
    "kms:DisableKey": "the create and update handlers of the key, for Enabled",
    "kms:DisableKeyRotation": "the update handler of the key, for EnableKeyRotation",
    "kms:EnableKey": "the update handler of the key, for Enabled",
    "kms:EnableKeyRotation": "the create and update handlers of the key",
    "kms:GetKeyPolicy": "the read handler of the key",
    "kms:GetKeyRotationStatus": "the read handler of the key",
    "kms:ListResourceTags": "the read and update handlers of the key",
    "kms:PutKeyPolicy": "the create and update handlers; without it the policy is for ever",
    "kms:ScheduleKeyDeletion": "the delete handler of the key",
    "kms:TagResource": "the create and update handlers of the key",
    "kms:UntagResource": "the update handler of the key",
    "kms:UpdateAlias": "the update handler of the alias",
    "kms:UpdateKeyDescription": "the update handler of the key",
}
"""Action to who manages the key with it; what is not here and no role needs is refused."""


def is_own_account(admission: Admission, account: str, partition: str) -> bool:
    """Tell whether a statement leaves the decision to the IAM policies of this account."""
    roots = (account, f"arn:{partition}:iam::{account}:root")
    return admission.kind == "AWS" and admission.principal in roots


@dataclass(frozen=True, slots=True)
class Delegation:
    """An action on a key that roles need: its policy leaves it to IAM under this condition."""

    why: str
    when: Condition


def delegations(needs: Iterable[Need]) -> dict[str, Delegation]:
    """Tell what a key policy has to leave to IAM, by action: what roles need of the one key.

    What they need only through services (`kms:ViaService`) is left to IAM through these alone.
    """
    found: dict[str, Delegation] = {}
    direct: set[str] = set()
    services: dict[str, set[str]] = {}
    for need in sorted(needs):
        action = need.permission.action
        through = [each for each in need.permission.condition if each.key == VIA_SERVICE]
        services.setdefault(action, set()).update(*(each.values for each in through))
        if not through:
            direct.add(action)
        when: Condition = ()
        if action not in direct:
            when = condition(("StringEquals", VIA_SERVICE, services[action]))
        found[action] = Delegation(found[action].why if action in found else need.why, when)
    return found


def check_administration(
    key: Located, given: Sequence[Admission], delegated: Mapping[str, Delegation]
) -> Iterator[Problem]:
    """Compare what a key policy leaves to the account with what manages and uses the key."""
    administer = {action: Delegation(why, ()) for action, why in ADMINISTRATION.items()}
    wanted = {**delegated, **administer}
    seen: set[str] = set()
    for each in given:
        if not names_key(key, each.resources):
            what = f"leaves the key to the account on {', '.join(each.resources)}"
            remedy = "leave it to the account on `*`, which is the key"
            yield Problem(Code.KEY_ADMINISTRATION, each.located, each.path, what, remedy)
            continue
        yield from _check_conditions(each, wanted)
        for action in each.actions:
            yield from _check_action(each, action, wanted, seen)
            seen.add(action)
    missing = sorted(wanted.keys() - seen)
    if missing:
        reasons = "; ".join(f"{action}: {wanted[action].why}" for action in missing)
        yield Problem(
            Code.KEY_ADMINISTRATION,
            key,
            "/Properties/KeyPolicy",
            f"does not leave {', '.join(missing)} to the account ({reasons})",
            f"allow the account's root {', '.join(missing)} (blocks/key.py)",
        )


def names_key(key: Located, resources: Sequence[str]) -> bool:
    """Tell whether a statement of a key policy is about the key, which is what `*` means in it."""
    return tuple(resources) in (("*",), (key.resource.arn,))


def _check_conditions(given: Admission, wanted: Mapping[str, Delegation]) -> Iterator[Problem]:
    """Find actions that are left to the account under a condition other than the one that holds."""
    otherwise: dict[Condition, list[str]] = {}
    for action in given.actions:
        if action in wanted and wanted[action].when != given.condition:
            otherwise.setdefault(wanted[action].when, []).append(action)
    for when, actions in sorted(otherwise.items()):
        names = ", ".join(sorted(actions))
        what = f"leaves {names} to the account under {spell(given.condition)}"
        remedy = f"leave it under {spell(when)} (blocks/key.py)"
        yield Problem(Code.KEY_ADMINISTRATION, given.located, given.path, what, remedy)


def _check_action(
    given: Admission, action: str, wanted: Mapping[str, Delegation], seen: set[str]
) -> Iterator[Problem]:
    if action in seen:
        what, remedy = f"leaves {action} to the account twice", "say it once"
        yield Problem(Code.REPEATED, given.located, given.path, what, remedy)
    elif action in wanted:
        return
    elif is_pattern(action):
        what = f"leaves {action} to the account, a pattern of actions"
        remedy = "list the actions that manage the key (blocks/key.py)"
        yield Problem(Code.WILDCARD_ACTION, given.located, given.path, what, remedy)
    elif find_action(action) is None:
        what = f"names {action}, which IAM does not know"
        remedy = "take the action from the service authorization reference"
        yield Problem(Code.UNKNOWN_ACTION, given.located, given.path, what, remedy)
    else:
        what = f"leaves {action} to the account, which neither manages the key nor is used"
        remedy = "take it out (blocks/key.py), or write down who needs it in iam/key_policies.py"
        yield Problem(Code.KEY_DELEGATES, given.located, given.path, what, remedy)
