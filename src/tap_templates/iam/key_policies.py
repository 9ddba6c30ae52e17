"""What a key policy leaves to the account's IAM policies: managing the key, and no data but used.

A key policy that does not name an action refuses it to everyone, whatever their role allows; one
that leaves out `kms:PutKeyPolicy` can never be corrected.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tap_templates.iam.codes import Code
from tap_templates.iam.effective import Admission
from tap_templates.iam.knowledge import find_action
from tap_templates.iam.needs import Clause, Condition, Need, Problem, spell
from tap_templates.iam.patterns import is_pattern
from tap_templates.iam.services import VIA_SERVICE
from tap_templates.rendered.view import Located

_THROUGH = ("StringEquals", VIA_SERVICE)
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
    """How an action on a key is needed: its policy leaves it to IAM like that."""

    why: str
    through: frozenset[str] | None  # services that act in the caller's name; None: the caller

    def joined(self, other: "Delegation | None") -> "Delegation":
        """Say what two needs come to: who may act without a service may act through any."""
        if other is None:
            return self
        both = None
        if self.through is not None and other.through is not None:
            both = self.through | other.through
        return Delegation(min(self.why, other.why), both)


# Action, to the condition besides services, to what is needed under it.
Delegations = dict[str, dict[Condition, Delegation]]


def delegations(needs: Iterable[Need]) -> Delegations:
    """Tell what a key policy has to leave to IAM: what roles need of the one key.

    What they need only through services (`kms:ViaService`) is left to IAM through these alone.
    """
    found: Delegations = {}
    for need in sorted(needs):
        if not need.permission.action.startswith("kms:"):
            continue
        when, through = _split(need.permission.condition)
        ways = found.setdefault(need.permission.action, {})
        ways[when] = Delegation(need.why, through).joined(ways.get(when))
    return {action: _shortest(ways) for action, ways in found.items()}


def _shortest(ways: dict[Condition, Delegation]) -> dict[Condition, Delegation]:
    """Leave out what an action without any condition covers."""
    anyhow = ways.get(())
    return {(): anyhow} if anyhow is not None and anyhow.through is None else ways


def _split(given: Condition) -> tuple[Condition, frozenset[str] | None]:
    """Take the services, of which any one will do, out of a condition."""
    through = [each for each in given if (each.operator, each.key) == _THROUGH]
    rest = tuple(each for each in given if each not in through)
    return rest, frozenset(through[0].values) if through else None


def check_administration(
    key: Located, given: Sequence[Admission], delegated: Delegations
) -> Iterator[Problem]:
    """Compare what a key policy leaves to the account with what manages and uses the key."""
    wanted: Delegations = {
        **delegated,
        **{action: {(): Delegation(why, None)} for action, why in ADMINISTRATION.items()},
    }
    # What has been left: by action and condition, through these services (None: any way).
    seen: dict[tuple[str, Condition], set[str | None]] = defaultdict(set)
    for each in given:
        if not names_key(key, each.resources):
            what = f"leaves the key to the account on {', '.join(each.resources)}"
            remedy = "leave it to the account on `*`, which is the key"
            yield Problem(Code.KEY_ADMINISTRATION, each.located, each.path, what, remedy)
            continue
        when, through = _split(each.condition)
        for action in each.actions:
            yield from _check_action(each, action, wanted, seen[action, when])
            seen[action, when] |= through or {None}
    yield from _missing(key, wanted, seen)


def names_key(key: Located, resources: Sequence[str]) -> bool:
    """Tell whether a statement of a key policy is about the key, which is what `*` means in it."""
    return tuple(resources) in (("*",), (key.resource.arn,))


def _missing(
    key: Located, wanted: Delegations, seen: Mapping[tuple[str, Condition], set[str | None]]
) -> Iterator[Problem]:
    why: dict[str, str] = {}
    for action, ways in wanted.items():
        for when, way in ways.items():
            if (way.through or {None}) - seen.get((action, when), set()):
                why.setdefault(action, way.why)
    if why:
        names = sorted(why)
        reasons = "; ".join(f"{action}: {why[action]}" for action in names)
        how = (f"{action} under {_spelled(wanted[action])}" for action in names)
        yield Problem(
            Code.KEY_ADMINISTRATION,
            key,
            "/Properties/KeyPolicy",
            f"does not leave {', '.join(names)} to the account ({reasons})",
            f"allow the account's root {'; '.join(how)} (blocks/key.py)",
        )


def _check_action(
    given: Admission, action: str, wanted: Delegations, seen: set[str | None]
) -> Iterator[Problem]:
    """Judge that an action is left to the account as it is, after `seen` under this condition."""
    when, through = _split(given.condition)
    code, what = Code.KEY_ADMINISTRATION, f"leaves {action} to the account"
    ways = wanted.get(action, {})
    way = ways.get(when)
    if not ways:
        code, more, remedy = _unwanted(action)
        what += more
    elif seen & (through or {None}):
        code, what, remedy = Code.REPEATED, f"{what} twice", "say it once"
    elif way is None or (way.through is None) is not (through is None):
        what += f" under {spell(given.condition)}"
        remedy = f"leave it under {_spelled(ways)}, and no other way (blocks/key.py)"
    elif more := ", ".join(sorted((through or set()) - (way.through or set()))):
        code, what = Code.KEY_DELEGATES, f"{what} through {more}, which nobody uses"
        remedy = f"leave it under {_spelled(ways)} (blocks/key.py)"
    else:
        return
    yield Problem(code, given.located, given.path, what, remedy)


def _unwanted(action: str) -> tuple[Code, str, str]:
    """Say what is wrong with an action that neither manages the key nor is used."""
    if is_pattern(action):
        remedy = "list the actions that manage the key (blocks/key.py)"
        return Code.WILDCARD_ACTION, ", a pattern of actions", remedy
    if find_action(action) is None:
        remedy = "take the action from the service authorization reference"
        return Code.UNKNOWN_ACTION, ", which IAM does not know", remedy
    remedy = "take it out (blocks/key.py), or write down who needs it in iam/key_policies.py"
    return Code.KEY_DELEGATES, ", which neither manages the key nor is used", remedy


def _spelled(ways: Mapping[Condition, Delegation]) -> str:
    """Spell the conditions under which an action is left."""
    return ", or ".join(
        spell((*when, Clause(*_THROUGH, tuple(sorted(way.through)))) if way.through else when)
        for when, way in sorted(ways.items(), key=lambda each: each[0])
    )
