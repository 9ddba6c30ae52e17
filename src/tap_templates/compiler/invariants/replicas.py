"""Replicas: a table is where its code runs, and as consistent as the recovery point asks for."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.policies import PERMISSION_TYPES, allows, permissions
from tap_templates.compiler.invariants.values import as_list
from tap_templates.iam.patterns import covers
from tap_templates.model.names import Kind
from tap_templates.rendered.view import Located

_TABLES = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html"
_GLOBAL_TABLE = "AWS::DynamoDB::GlobalTable"
_WRITES = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)


def _missing(compiled: CompiledSystem) -> Iterator[Fault]:
    pair = compiled.system.regions
    for table in compiled.view.resources(_GLOBAL_TABLE):
        there = _replicas(table)
        asked = {pair.primary: "the pair", pair.secondary: "the pair"}
        for role, statement in _grants(compiled):
            for region in _regions_granted(statement, table):
                asked.setdefault(region, role.place)
        for region, who in sorted(asked.items()):
            if region not in there:
                yield fault_at(
                    table,
                    f"has no replica in {region}, where {who} needs it",
                    "add the replica, or take the grant away",
                    "/Properties/Replicas",
                )


def _weak(compiled: CompiledSystem) -> Iterator[Fault]:
    promised = compiled.system.objectives
    if promised.rpo != timedelta(0):
        return
    weak = [
        table
        for table in compiled.view.resources(_GLOBAL_TABLE)
        if table.resource.properties.get("MultiRegionConsistency") != "STRONG"
    ]
    for purpose in sorted(promised.apart):
        if not any(_is_of(table, purpose) for table in weak):
            yield Fault(
                stack="",
                what=f"sets the table {purpose!r} apart from its rpo, which loses nothing, or is "
                "not there",
                remedy="take it out of Objectives(apart=…)",
            )
    for table in weak:
        if any(_is_of(table, purpose) for purpose in promised.apart):
            continue
        for role, statement in _grants(compiled):
            if allows(statement, *_WRITES) and _regions_granted(statement, table):
                yield fault_at(
                    table,
                    f"replicates after the answer, so that what {role.resource.logical_id} writes "
                    "can be lost, while the system promises to lose nothing",
                    "make it strongly consistent (strongly_consistent_table in blocks/table.py), "
                    "promise a longer rpo, or say in Objectives(apart=…) why that is no loss",
                    "/Properties/MultiRegionConsistency",
                )
                break


def _is_of(table: Located, purpose: str) -> bool:
    return str(table.resource.name).startswith(f"{Kind.TABLE.word}-{purpose}-")


def _replicas(table: Located) -> set[str]:
    return {
        str(replica.get("Region")) for replica in as_list(table.resource.properties.get("Replicas"))
    }


def _grants(compiled: CompiledSystem) -> Iterator[tuple[Located, Mapping[str, Any]]]:
    """Iterate over what IAM lets anything of the system do with tables."""
    for located in compiled.view.resources(*PERMISSION_TYPES):
        for _, statement in permissions(located):
            actions = [str(action) for action in as_list(statement.get("Action"))]
            if statement.get("Effect") == "Allow" and any(
                action.startswith("dynamodb:") or action == "*" for action in actions
            ):
                yield located, statement


def _regions_granted(statement: Mapping[str, Any], table: Located) -> list[str]:
    """Name the regions whose replica of the table a statement is about."""
    found = []
    own = str(table.resource.arn).split(":")
    for resource in as_list(statement.get("Resource")):
        parts = str(resource).split(":")
        region = parts[3] if len(parts) > 5 else ""
        arn = ":".join([*own[:3], region, *own[4:]])
        if region and "*" not in region and covers(str(resource), arn):
            found.append(region)
    return found


REPLICAS = (
    Invariant(
        code="TAP-REP-01",
        promise="A global table has a replica in both regions and wherever a grant names it.",
        source_url=_TABLES,
        check=_missing,
    ),
    Invariant(
        code="TAP-REP-02",
        promise="With an RPO of 0, what is written is in two regions before it is acknowledged.",
        source_url=_TABLES,
        check=_weak,
    ),
)
