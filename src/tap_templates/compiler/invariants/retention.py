"""Retention: what outlives its stack is said on every stateful resource, and as the system says."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list, flag
from tap_templates.model.retention import is_stateful
from tap_templates.rendered.view import Located

_DELETION = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"
_REPLACE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html"
_PROTECTING = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html#WorkingWithTables.Basics.DeletionProtection"
_ATTRIBUTES = ("DeletionPolicy", "UpdateReplacePolicy")
_GLOBAL_TABLE = "AWS::DynamoDB::GlobalTable"
_PROTECTION: Mapping[str, str] = {
    _GLOBAL_TABLE: "DeletionProtectionEnabled",
    "AWS::DynamoDB::Table": "DeletionProtectionEnabled",
    "AWS::RDS::DBCluster": "DeletionProtection",
    "AWS::RDS::GlobalCluster": "DeletionProtection",
}
"""Type to the property that refuses any call to delete it."""
_LIKE = {"DeletionProtection": "clusters", "DeletionProtectionEnabled": "tables"}
_LEAVE = "leave it to the build stage (compiler/build.py)"
_REMEDY = "leave both to the build stage (compiler/build.py)"


def _unsaid(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack, logical_id, body in compiled.raw_resources():
        if not is_stateful(body["Type"]):
            continue
        missing = [each for each in _ATTRIBUTES if each not in body]
        if missing:
            what = f"keeps state, but does not say {' and '.join(missing)}"
        elif body["DeletionPolicy"] != body["UpdateReplacePolicy"]:
            what = (
                f"has DeletionPolicy {body['DeletionPolicy']} but UpdateReplacePolicy "
                f"{body['UpdateReplacePolicy']}"
            )
        else:
            continue
        yield Fault(stack=stack, logical_id=logical_id, what=what, remedy=_REMEDY)


def _unlike_system(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack, logical_id, body in compiled.raw_resources():
        kind = body["Type"]
        right = "Retain" if kind in compiled.system.retain else "Delete"
        for attribute in _ATTRIBUTES:
            said = body.get(attribute, "Delete")
            if said != right and (attribute in body or is_stateful(kind)):
                yield Fault(
                    stack=stack,
                    logical_id=logical_id,
                    path=f"/{attribute}",
                    what=f"has {attribute} {said}, but the system says {right} for {kind}",
                    remedy=f"{_REMEDY}, or change `retain` in the system module",
                )


def _unprotected(compiled: CompiledSystem) -> Iterator[Fault]:
    # The policies bind CloudFormation alone; deletion protection stops any other call.
    for located in compiled.view.resources(*_PROTECTION):
        property_ = _PROTECTION[located.resource.type]
        kept = located.resource.type in compiled.system.retain
        for path, where, body in _copies(located):
            protected = flag(body.get(property_)) is True
            if protected == kept:
                continue
            what = (
                f"outlives its stack, but anybody who may delete {_LIKE[property_]} can delete it"
                f"{where}"
                if kept
                else f"goes with its stack, but is protected from deletion{where}: the stack could "
                "not be deleted"
            )
            yield fault_at(
                located,
                what,
                f"{_LEAVE}, which sets {property_} by `retain` in the system module",
                f"{path}/{property_}",
            )


def _copies(located: Located) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """List path, place and body of what is protected each by itself."""
    properties = located.resource.properties
    if located.resource.type != _GLOBAL_TABLE:
        yield "/Properties", "", properties
        return
    for index, replica in enumerate(as_list(properties.get("Replicas"))):
        yield f"/Properties/Replicas/{index}", f" in {replica.get('Region')}", replica


RETENTION = (
    Invariant(
        code="TAP-RET-01",
        promise="Every stateful resource says what becomes of it, alike on delete and replace.",
        source_url=_REPLACE,
        check=_unsaid,
    ),
    Invariant(
        code="TAP-RET-02",
        promise="What outlives its stack is what the system says, and nothing else.",
        source_url=_DELETION,
        check=_unlike_system,
    ),
    Invariant(
        code="TAP-RET-03",
        promise="A table or cluster that outlives its stack is protected from deletion in every "
        "region, and no other is.",
        source_url=_PROTECTING,
        check=_unprotected,
    ),
)
