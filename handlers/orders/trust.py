"""Whether a mark in the journal still says that an order is in the active database. Pure.

A mark says: applied in an epoch, at a moment of that database's clock. A failover may lose the last
commits of the epochs before it, and its cut says from which moment on. A failback loses nothing and
leaves no cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from orders.moments import BEGINNING
from orders.role import FIRST_EPOCH, Role


@dataclass(frozen=True, slots=True)
class Mark:
    """What the journal knows of an order that was applied."""

    epoch: int
    at: str  # the row's `applied_at`


def is_trusted(mark: Mark, role: Role) -> bool:
    """Tell whether the order is in the active database; if not, it has to be applied again."""
    if mark.epoch >= role.epoch:  # above it if `role` is old by now: then the fence refuses us
        return True
    cut = role.cuts.get(mark.epoch)
    return cut is None or mark.at < cut


def cuts_after(
    known: Mapping[int, str], *, epoch: int, newest: tuple[int, str] | None
) -> dict[int, str]:
    """Cut the epochs before `epoch`, by what the promoted database has kept of them.

    `newest` is the newest epoch of its orders, and the moment before which none of that epoch is
    lost; None if it has no orders. Nothing is left of any epoch between that one and ours. A cut
    that is known and earlier stays: what may be lost from there on may be lost.
    """
    first_lost = FIRST_EPOCH if newest is None else newest[0] + 1
    cuts = dict.fromkeys(range(first_lost, epoch), BEGINNING)
    if newest is not None:
        cuts[newest[0]] = newest[1]
    return {**known, **{each: min(at, known.get(each, at)) for each, at in cuts.items()}}


def doubtful(role: Role) -> dict[int, str]:
    """List the epochs of which marks may be doubted, and from which moment on."""
    return {epoch: cut for epoch, cut in sorted(role.cuts.items()) if epoch < role.epoch}
