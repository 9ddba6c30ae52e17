"""E9101-E9107, W9101: DynamoDB global tables whose regions do not add up."""

from collections.abc import Iterator
from typing import ClassVar, Final

from . import _regions
from ._index import Index, Resource
from ._rule import Fault, TapRule
from ._values import Node

_TABLE: Final = "AWS::DynamoDB::GlobalTable"
_REFERENCE: Final = (
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
    "aws-resource-dynamodb-globaltable.html"
)
_GUIDE: Final = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
    "V2globaltables_HowItWorks.html"
)


class _TableRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "dynamodb", "disaster-recovery"]  # type: ignore[misc]  # an instance variable upstream


def _mode(index: Index, table: Resource) -> Iterator[tuple[str | None, Node]]:
    """Yield the consistency in each branch: EVENTUAL, STRONG, or None where not known."""
    for node in table.get("MultiRegionConsistency"):
        if node.absent:
            yield "EVENTUAL", node
        else:
            texts = index.texts_anywhere(node.value)
            yield (next(iter(texts)) if texts and len(texts) == 1 else None), node


def _strong(index: Index, table: Resource) -> Iterator[Node]:
    return (node for mode, node in _mode(index, table) if mode == "STRONG")


def _members(table: Resource, key: str) -> Iterator[tuple[Node, tuple[Node, ...] | None]]:
    """Yield replicas or witnesses once for each combination of conditions."""
    for node in table.get(key):
        yield from node.lists()


def _regions_of(index: Index, listed: tuple[Node, ...], region: str) -> set[str] | None:
    """Return the regions of replicas as seen from a region, None if one is not known."""
    found: set[str] = set()
    for member in listed:
        for node in member.get("Region"):
            texts = index.texts(node.value, region) if node.present else None
            if texts is None:
                return None
            found |= texts
    return found


class OwnRegion(_TableRule):
    """Demand a replica in each region the template is for.

    The regions are those cfn-lint is run with (`--regions`, by default us-east-1 alone). Silent
    where the region of a replica cannot be resolved. A table under a Condition that depends on
    parameters may exist in one region only: it then suffices that one of them has a replica.
    """

    id = "E9101"
    shortdesc = "A global table must have a replica in the region of its own stack"
    description = (
        "CloudFormation creates the table in the stack's region and the other replicas from "
        "there; Replicas without that region are refused."
    )
    source_url = _REFERENCE

    def check(self, index: Index) -> Iterator[Fault]:
        for table in index.typed(_TABLE):
            own, sure = index.regions_of(table)
            for replicas, listed in _members(table, "Replicas"):
                missing = [r for r in own if self._lacks(index, listed, r)]
                if missing and (sure or len(missing) == len(own)):
                    yield Fault(
                        replicas.path,
                        f"{table.logical_id} has no replica in {', '.join(missing)}, where its "
                        "stack is: add it to Replicas, or lint with the --regions that the "
                        "stack is deployed to",
                    )

    def _lacks(self, index: Index, listed: tuple[Node, ...] | None, region: str) -> bool:
        known = _regions_of(index, listed, region) if listed else None
        return known is not None and region not in known


class ReplicaRegions(_TableRule):
    """Demand regions that exist. Silent about regions that cannot be resolved."""

    id = "E9102"
    shortdesc = "The region of a replica or witness must exist"
    description = "To the schema a region is any text; a typing error is found at deployment."
    source_url = _REFERENCE

    def check(self, index: Index) -> Iterator[Fault]:
        for table in index.typed(_TABLE):
            for key in ("Replicas", "GlobalTableWitnesses"):
                for node in (r for e in table.elements(key) for r in e.get("Region")):
                    found = index.texts_anywhere(node.value) if node.present else None
                    for name in sorted(found or ()):
                        if not _regions.exists(name):
                            yield Fault(
                                node.path,
                                f"{name!r} is no region that cfn-lint knows: correct its name",
                            )


class StrongRegions(_TableRule):
    """Demand exactly three regions for strong consistency.

    Silent where mode or number of regions depend on parameters without value.
    """

    id = "E9103"
    shortdesc = "Multi-region strong consistency needs exactly three regions"
    description = "Three replicas, or two replicas and one witness; nothing else is accepted."
    source_url = _GUIDE

    def check(self, index: Index) -> Iterator[Fault]:
        for table in index.typed(_TABLE):
            for mode in _strong(index, table):
                for replicas, listed in _members(table, "Replicas"):
                    for witnesses, seen in _members(table, "GlobalTableWitnesses"):
                        if listed is None or seen is None:
                            continue
                        pairs = ((mode, replicas), (mode, witnesses), (replicas, witnesses))
                        if any(one.excludes(other) for one, other in pairs):
                            continue
                        if (len(listed), len(seen)) not in {(3, 0), (2, 1)}:
                            yield Fault(
                                mode.path,
                                f"{table.logical_id}: STRONG needs three replicas, or two and a "
                                f"witness; this has {len(listed)} and {len(seen)}. Add a region, "
                                "or use EVENTUAL",
                            )


class StrongFeatures(_TableRule):
    """Forbid with strong consistency what it does not have.

    Silent where the mode depends on a parameter without value.
    """

    id = "E9104"
    shortdesc = "Multi-region strong consistency has no TTL and no local secondary indexes"
    description = "Both are refused for tables of this mode, which cannot be changed afterwards."
    source_url = _GUIDE

    def check(self, index: Index) -> Iterator[Fault]:
        for table in index.typed(_TABLE):
            for mode in _strong(index, table):
                for ttl in table.get("TimeToLiveSpecification", "Enabled"):
                    if ttl.truth is True and not mode.excludes(ttl):
                        yield Fault(
                            ttl.path,
                            f"{table.logical_id} is STRONG and cannot have time to live: remove "
                            "it and purge by a scheduled job, or use EVENTUAL",
                        )
                for indexes in table.get("LocalSecondaryIndexes"):
                    if isinstance(indexes.value, list) and not mode.excludes(indexes):
                        yield Fault(
                            indexes.path,
                            f"{table.logical_id} is STRONG and cannot have local secondary "
                            "indexes: make them global ones, or use EVENTUAL",
                        )


class Witness(_TableRule):
    """Demand that a witness stands beside the replicas of a strongly consistent table.

    Silent where regions or mode depend on parameters without value.
    """

    id = "E9105"
    shortdesc = "A witness needs strong consistency and a region without a replica"
    description = "A witness is the third region of a strongly consistent table; it holds no data."
    source_url = _GUIDE

    def check(self, index: Index) -> Iterator[Fault]:
        for table in index.typed(_TABLE):
            for witness in table.elements("GlobalTableWitnesses"):
                for mode, node in _mode(index, table):
                    if mode == "EVENTUAL" and not node.excludes(witness):
                        yield Fault(
                            witness.path,
                            f"{table.logical_id} has a witness but is not strongly consistent: "
                            "set MultiRegionConsistency to STRONG, or remove the witness",
                        )
                for node in witness.get("Region"):
                    yield from self._beside(index, table, node)

    def _beside(self, index: Index, table: Resource, witness: Node) -> Iterator[Fault]:
        region = index.regions[0]
        name = index.texts(witness.value, region) if witness.present else None
        for replicas, listed in _members(table, "Replicas"):
            if name is None or listed is None or replicas.excludes(witness):
                continue
            if name <= (_regions_of(index, listed, region) or set()):
                yield Fault(
                    witness.path,
                    f"The witness of {table.logical_id} is in {', '.join(sorted(name))}, where a "
                    "replica is too: choose a third region",
                )


class EventualStream(_TableRule):
    """Demand a stream for replication with eventual consistency.

    Silent for replicas of another account's table (GlobalTableSourceArn), and where mode or
    number of replicas cannot be told.
    """

    id = "E9106"
    shortdesc = "A global table with several replicas needs StreamSpecification"
    description = "Eventually consistent replication reads the stream; CloudFormation demands it."
    source_url = _REFERENCE

    def check(self, index: Index) -> Iterator[Fault]:
        for table in index.typed(_TABLE):
            if any(node.present for node in table.get("GlobalTableSourceArn")):
                continue
            for mode, node in _mode(index, table):
                for stream in table.get("StreamSpecification"):
                    if mode != "EVENTUAL" or stream.present or node.excludes(stream):
                        continue
                    for replicas, listed in _members(table, "Replicas"):
                        if listed and len(listed) > 1 and not replicas.excludes(stream):
                            yield Fault(
                                stream.path,
                                f"{table.logical_id} has {len(listed)} replicas and no stream: "
                                "add StreamSpecification with StreamViewType "
                                "NEW_AND_OLD_IMAGES",
                            )


class WriteCapacity(_TableRule):
    """Demand write capacity where the table is not on demand, which is the default.

    Silent where the billing mode depends on a parameter without value.
    """

    id = "E9107"
    shortdesc = "A provisioned global table needs WriteProvisionedThroughputSettings"
    description = "BillingMode is PROVISIONED by default, and then write capacity is required."
    source_url = _REFERENCE

    def check(self, index: Index) -> Iterator[Fault]:
        for table in index.typed(_TABLE):
            if any(node.present for node in table.get("GlobalTableSourceArn")):
                continue
            for billing in table.get("BillingMode"):
                given = index.texts_anywhere(billing.value) if billing.present else None
                if billing.present and given != frozenset({"PROVISIONED"}):
                    continue
                for capacity in table.get("WriteProvisionedThroughputSettings"):
                    if capacity.absent and not billing.excludes(capacity):
                        default = " (the default)" if billing.absent else ""
                        yield Fault(
                            billing.path,
                            f"{table.logical_id} is PROVISIONED{default} without "
                            "WriteProvisionedThroughputSettings: add them, or set BillingMode "
                            "to PAY_PER_REQUEST",
                        )


class ReplicaBackups(_TableRule):
    """Warn of replicas without point-in-time recovery, which is never synchronised.

    Silent where it is switched by a parameter.
    """

    id = "W9101"
    shortdesc = "Each replica should have point-in-time recovery"
    description = (
        "Replication copies a wrong delete within a second; recovery is a setting of each "
        "replica, so the one that is left after a failover must have it too."
    )
    source_url = _GUIDE

    def check(self, index: Index) -> Iterator[Fault]:
        for table in index.typed(_TABLE):
            for replica in table.elements("Replicas"):
                keys = ("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")
                for enabled in replica.get(*keys):
                    if enabled.absent or enabled.truth is False:
                        yield Fault(
                            enabled.path,
                            f"A replica of {table.logical_id} has no point-in-time recovery: set "
                            "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled on it",
                        )


RULES = (
    OwnRegion,
    ReplicaRegions,
    StrongRegions,
    StrongFeatures,
    Witness,
    EventualStream,
    WriteCapacity,
    ReplicaBackups,
)
