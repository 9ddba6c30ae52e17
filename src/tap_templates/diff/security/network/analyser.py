"""The analyser of networks: flags what a security group newly lets through."""

from collections.abc import Iterator

from tap_templates.diff.model import Context, Flag, FlagName, Resource, StackView
from tap_templates.diff.security.network.containment import newly_allowed
from tap_templates.diff.security.network.rules import (
    TYPES,
    Rule,
    group_of,
    rules_of,
    rules_of_group,
)
from tap_templates.diff.security.texts import Atoms, TooManyAtomsError


def judge_network(
    before: Resource | None, after: Resource | None, context: Context
) -> Iterator[Flag]:
    """Compare all rules of the group that a resource states rules of."""
    if after is None or after.type not in TYPES or context.after is None:
        return
    atoms = Atoms()
    try:
        group = group_of(after, context.after)
        old_group, own = group, frozenset[Rule]()
        if before is not None and before.type in TYPES and context.before is not None:
            old_group = group_of(before, context.before)
            own = rules_of(before, context.before, atoms)
        if own == rules_of(after, context.after, atoms) and old_group == group:
            return
        old = rules_of_group(old_group, context.before, atoms)
        new = rules_of_group(group, context.after, atoms)
        if not _knows(old_group, context.before) and _knows(group, context.after):
            # A group that is new has a default for what goes out, which opens nothing of ours.
            new = frozenset(rule for rule in new if rule.inbound)
        for witness, certain in newly_allowed(old, new, atoms):
            because = f"security group {group} newly allows {witness}"
            yield Flag(FlagName.NETWORK_BROADENING, because, witness, certain)
    except TooManyAtomsError:
        because = "whether the network is more open cannot be decided: too many references"
        yield Flag(FlagName.NETWORK_BROADENING, because, certain=False)


def _knows(group: str, view: StackView | None) -> bool:
    return view is not None and view.resource(group) is not None
