"""Patches: global tables with strong consistency across regions (MRSC).

The engine replicates as eventual consistency does. The replicas of a strongly consistent table are
here *one* store: every region reads and writes the same items, and the engine does one write at a
time, so a conditional put in one region sees the other's write. That is the promise AWS makes, at
none of its latency; conflicts (ReplicatedWriteConflictException) cannot happen here.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

import copy
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, request_scope
from ministack.services import dynamodb

from tap_engine.originals import patch

_SETS = (
    {"us-east-1", "us-east-2", "us-west-2"},
    {"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"},
    {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
)
_WITNESSES = "_tap_witnesses"  # in the record of each replica of a strongly consistent table

Table = dict[str, Any]


def install() -> None:
    """Make the patches."""
    patch(
        dynamodb,
        "_update_table",
        "dd1170ef031c",
        _with_strong_replicas,
        why="MultiRegionConsistency and GlobalTableWitnessUpdates are ignored",
    )
    patch(
        dynamodb,
        "_table_description",
        "e6f5cce379b8",
        _with_consistency,
        why="a table does not say its consistency, nor its witness",
    )
    patch(
        dynamodb,
        "_replicate_write",
        "3dc2a4ec09c5",
        _unless_shared,
        why="replicas that are one store need no second write, only its streams and counts",
    )
    patch(
        dynamodb,
        "_delete_table",
        "c1dc27be8166",
        _unless_replicated,
        why="a strongly consistent table cannot lose a single replica",
    )


def _with_strong_replicas(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(data: dict[str, Any]) -> Any:
        request = dict(data)
        consistency = request.pop("MultiRegionConsistency", None)
        witnesses = request.pop("GlobalTableWitnessUpdates", [])
        name = dynamodb._normalize_table_name(request.get("TableName"))
        table = dynamodb._tables.get(name)
        if table is None:
            return original(request)
        problem = _problem(table, request, consistency, witnesses)
        if problem:
            return error_response_json("ValidationException", problem, 400)
        answer = original(request)
        if answer[0] == 200:
            if consistency == "STRONG":
                _share(name, table, [each["Create"]["RegionName"] for each in witnesses])
            elif any("Delete" in each for each in witnesses):
                table.pop(_WITNESSES, None)
            answer = dynamodb.json_response({"TableDescription": dynamodb._table_description(name)})
        return answer

    return update


def _problem(
    table: Table, request: dict[str, Any], consistency: str | None, witnesses: list[Any]
) -> str | None:
    """Say what AWS would refuse about the replicas of a table."""
    updates = request.get("ReplicaUpdates") or []
    if _WITNESSES in table:
        return _problem_of_strong(table, updates, witnesses)
    if consistency != "STRONG":
        return "A witness needs MultiRegionConsistency STRONG." if witnesses else None
    added = [each["Create"]["RegionName"] for each in updates if "Create" in each]
    watching = [each["Create"]["RegionName"] for each in witnesses if "Create" in each]
    regions = {table["TableArn"].split(":")[3], *added, *watching}
    if len(regions) != 3 or len(watching) > 1 or not any(regions <= each for each in _SETS):
        return (
            "Strong consistency needs three regions of one set: three replicas, or two and a "
            f"witness; these are {', '.join(sorted(regions))}."
        )
    for reason, holds in (
        ("The table must be empty when strong replicas are added.", table["ItemCount"]),
        ("Strong consistency allows no local indexes.", table.get("LocalSecondaryIndexes")),
    ):
        if holds:
            return reason
    return None


def _problem_of_strong(table: Table, updates: list[Any], witnesses: list[Any]) -> str | None:
    """Say what AWS would refuse about a table that is strongly consistent already."""
    removed = sum("Delete" in each for each in updates)
    all_others = removed == len(dynamodb._replica_group(table)) - 1
    if not updates or (all_others and len(witnesses) == len(table[_WITNESSES])):
        return None
    return (
        "The replicas of a table with strong consistency cannot be added or removed one by one: "
        "remove all others, and the witness, in one request."
    )


def _share(name: str, table: Table, witnesses: list[str]) -> None:
    """Make all replicas one store."""
    for region in dynamodb._replica_group(table):
        replica = dynamodb._tables.get_scoped(get_account_id(), region, name)
        replica["items"] = table["items"]
        replica[_WITNESSES] = list(witnesses)


def _with_consistency(original: Callable[..., Any]) -> Callable[..., Any]:
    def describe(name: str) -> Any:
        described = original(name)
        table = dynamodb._tables[name]
        if dynamodb._replica_group(table):
            strong = _WITNESSES in table
            described["MultiRegionConsistency"] = "STRONG" if strong else "EVENTUAL"
            if strong:
                described["GlobalTableWitnesses"] = [
                    {"RegionName": region, "WitnessStatus": "ACTIVE"}
                    for region in table[_WITNESSES]
                ]
        return described

    return describe


def _unless_shared(original: Callable[..., Any]) -> Callable[..., Any]:
    def replicate(table: Table, event: str, old: Any, new: Any) -> None:
        if _WITNESSES not in table:
            original(table, event, old, new)
            return
        name, account = table["TableName"], get_account_id()
        for region in dynamodb._replica_group(table):
            replica = dynamodb._tables.get_scoped(account, region, name)
            if replica is None or replica is table:
                continue
            replica["ItemCount"] = table["ItemCount"]
            replica["TableSizeBytes"] = table["TableSizeBytes"]
            # Who belongs to an index is kept with each replica: found anew when next asked for.
            replica.pop(dynamodb._INDEX_MEMBERS, None)
            with request_scope(account, region):
                dynamodb._emit_stream_event(
                    name, event, copy.deepcopy(old), copy.deepcopy(new), replicate=False
                )

    return replicate


def _unless_replicated(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete(data: dict[str, Any]) -> Any:
        table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
        if table is not None and _WITNESSES in table and dynamodb._replica_group(table):
            return error_response_json(
                "ValidationException",
                "A replica of a table with strong consistency cannot be deleted alone.",
                400,
            )
        return original(data)

    return delete
