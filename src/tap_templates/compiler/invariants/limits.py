"""Limits: what CloudFormation refuses, found here rather than in the middle of a rollout.

A body of more than 51,200 bytes must lie in a bucket when it is deployed, which the deployer sees
to: that is no finding.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant
from tap_templates.model.limits import (
    LONGEST_BODY_BYTES,
    LONGEST_DESCRIPTION_BYTES,
    LONGEST_NAME,
    MOST_MAPPING_ATTRIBUTES,
    MOST_MAPPINGS,
    MOST_OUTPUTS,
    MOST_PARAMETERS,
    MOST_RESOURCES,
)

_QUOTAS = (
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
)


_SPLIT = "split the stack into two"


@dataclass(frozen=True, slots=True)
class _Limit:
    path: str
    what: str
    most: int
    count: Callable[[Mapping[str, Any]], int]
    remedy: str = _SPLIT


def _section(name: str) -> Callable[[Mapping[str, Any]], int]:
    return lambda template: len(template.get(name, {}))


def _longest_name(template: Mapping[str, Any]) -> int:
    sections = ("Parameters", "Mappings", "Resources", "Outputs")
    names = (name for section in sections for name in template.get(section, {}))
    return max(map(len, names), default=0)


def _most_attributes(template: Mapping[str, Any]) -> int:
    return max(map(len, template.get("Mappings", {}).values()), default=0)


_LIMITS = (
    _Limit("/Resources", "resources", MOST_RESOURCES, _section("Resources")),
    _Limit("/Parameters", "parameters", MOST_PARAMETERS, _section("Parameters")),
    _Limit("/Outputs", "outputs", MOST_OUTPUTS, _section("Outputs")),
    _Limit("/Mappings", "mappings", MOST_MAPPINGS, _section("Mappings")),
    _Limit("/Mappings", "attributes in a mapping", MOST_MAPPING_ATTRIBUTES, _most_attributes),
    _Limit(
        "/Description",
        "bytes of description",
        LONGEST_DESCRIPTION_BYTES,
        lambda template: len(str(template.get("Description", "")).encode()),
        "shorten the description",
    ),
    _Limit("", "characters in a name", LONGEST_NAME, _longest_name, "shorten the name"),
)


def _too_many(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.stacks:
        for limit in _LIMITS:
            count = limit.count(stack.template)
            if count > limit.most:
                yield Fault(
                    stack=stack.name,
                    path=limit.path,
                    what=f"has {count} {limit.what}, CloudFormation allows {limit.most}",
                    remedy=limit.remedy,
                )


def _too_long(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.stacks:
        if len(stack.body) > LONGEST_BODY_BYTES:
            yield Fault(
                stack=stack.name,
                what=f"is {len(stack.body):,} bytes long, CloudFormation takes "
                f"{LONGEST_BODY_BYTES:,} from a bucket",
                remedy=_SPLIT,
            )


LIMITS = (
    Invariant(
        code="TAP-LIM-01",
        promise="No template has more of anything than CloudFormation allows.",
        source_url=_QUOTAS,
        check=_too_many,
    ),
    Invariant(
        code="TAP-LIM-02",
        promise="No template is longer than CloudFormation takes.",
        source_url=_QUOTAS,
        check=_too_long,
    ),
)
