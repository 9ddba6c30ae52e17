"""Settings of regions: the same names in both, so that each can do what the other did."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at

if TYPE_CHECKING:
    from tap_templates.rendered.view import Located

_PARAMETERS = "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-hierarchies.html"


def _lacking(compiled: CompiledSystem) -> Iterator[Fault]:
    regions = compiled.system.regions
    pair = (regions.primary, regions.secondary)
    found: dict[str, dict[str, Located]] = {}
    for each in compiled.view.resources("AWS::SSM::Parameter"):
        found.setdefault(str(each.resource.name), {})[each.stack.region] = each
    for name, by_region in found.items():
        for region in pair:
            if region not in by_region:
                yield fault_at(
                    next(iter(by_region.values())),
                    f"is {name}, which {region} lacks: what reads it there does not start",
                    "make it in a stack that is in both regions",
                    "/Properties/Name",
                )


def _secret(compiled: CompiledSystem) -> Iterator[Fault]:
    for each in compiled.view.resources("AWS::SSM::Parameter"):
        kind = each.resource.properties.get("Type")
        if kind != "String":
            yield fault_at(
                each,
                f"is of type {kind}: whoever reads it takes a text, and a secret is no setting",
                "set Type to String, and keep secrets in Secrets Manager",
                "/Properties/Type",
            )


SETTINGS = (
    Invariant(
        code="TAP-SSM-01",
        promise="A setting that one region has, the other has too.",
        source_url=_PARAMETERS,
        check=_lacking,
    ),
    Invariant(
        code="TAP-SSM-02",
        promise="A setting is a text, and no secret.",
        source_url=_PARAMETERS,
        check=_secret,
    ),
)
