"""Who is active: the item `role` of the failover table, and the keys of the items beside it.

The table is strongly consistent in both regions, and every change of `role` raises the epoch. Only
the machines of failover and failback write it; everything else reads it, with ConsistentRead.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orders.failures import UnreadableItem, failure_of

ROLE = "role"
LATCH = "latch"
FIRST_EPOCH = 1

Item = Mapping[str, Mapping[str, Any]]  # in DynamoDB's JSON
_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]")
# In UTC with six decimals always, so that texts compare as the moments do.
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


class Phase(StrEnum):
    """What the active region is doing."""

    SERVING = "serving"
    FAILING_OVER = "failing-over"
    FAILING_BACK = "failing-back"


def report_id(region: str) -> str:
    """Name the item in which a region says how it is."""
    return f"report#{region}"


def watch_id(region: str) -> str:
    """Name the item in which a region keeps what it sees of the other."""
    return f"watch#{region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Who may apply orders, under which epoch, and which older marks are not to be believed."""

    epoch: int
    active: str
    phase: Phase = Phase.SERVING
    run: str | None = None  # the execution that changed it last
    since: str | None = None
    # Epoch that ended in a failover → from which moment its commits may be lost.
    cuts: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))

    def serves(self, region: str) -> bool:
        """Tell whether orders are applied in this region now."""
        return self.active == region and self.phase is Phase.SERVING


class Reads(Protocol):
    """The call of boto3's client that is used."""

    def get_item(self, **kwargs: Any) -> Mapping[str, Any]:
        """Read an item."""


def read_role(client: Reads, table: str, *, home: str) -> Role:
    """Read who is active, as it is now; raise TemporaryFailure, AwsRefused or UnreadableItem."""
    try:
        found = client.get_item(TableName=table, Key={"id": {"S": ROLE}}, ConsistentRead=True)
    except (BotoCoreError, ClientError) as error:
        raise failure_of(error) from None
    return role_of(found.get("Item"), home=home)


def read_latch(client: Reads, table: str) -> bool:
    """Tell whether traffic is to stay away from the home region; raises as `read_role`."""
    try:
        found = client.get_item(TableName=table, Key={"id": {"S": LATCH}}, ConsistentRead=True)
    except (BotoCoreError, ClientError) as error:
        raise failure_of(error) from None
    return is_latched(found.get("Item"))


def role_of(item: Item | None, *, home: str) -> Role:
    """Read an item `role`; without one, the home region serves and always has.

    Raises UnreadableItem: nobody applies orders for a role that nobody understands.
    """
    if not item:
        return Role(epoch=FIRST_EPOCH, active=home)
    phase = _text(item, "phase")
    if phase not in set(Phase):
        raise UnreadableItem("role.phase")
    return Role(
        epoch=_count(item, "epoch"),
        active=_matching(_REGION, item, "active"),
        phase=Phase(phase),
        # Whatever a person has called it: nothing is decided by it, so nobody stops at it.
        run=_text(item, "run") if "run" in item else None,
        since=_text(item, "since") if "since" in item else None,
        cuts=_cuts(item),
    )


def is_latched(item: Item | None) -> bool:
    """Read an item `latch`; without one, nothing is latched."""
    said = (item or {}).get("latched", {}).get("BOOL", False)
    if not isinstance(said, bool):
        raise UnreadableItem("latch.latched")
    return said


def _cuts(item: Item) -> Mapping[int, str]:
    stored = item.get("cuts", {}).get("M", {})
    cuts = {}
    for epoch, value in stored.items():
        moment = value.get("S")
        if not _NUMBER.fullmatch(epoch) or not isinstance(moment, str):
            raise UnreadableItem("role.cuts")
        if not MOMENT.fullmatch(moment):
            raise UnreadableItem("role.cuts")
        cuts[int(epoch)] = moment
    return MappingProxyType(cuts)


def _count(item: Item, name: str) -> int:
    said = item.get(name, {}).get("N")
    if not isinstance(said, str) or not _NUMBER.fullmatch(said) or int(said) < FIRST_EPOCH:
        raise UnreadableItem(f"role.{name}")
    return int(said)


def _text(item: Item, name: str) -> str:
    said = item.get(name, {}).get("S")
    if not isinstance(said, str):
        raise UnreadableItem(f"role.{name}")
    return said


def _matching(pattern: re.Pattern[str], item: Item, name: str) -> str:
    said = _text(item, name)
    if not pattern.fullmatch(said):
        raise UnreadableItem(f"role.{name}")
    return said
