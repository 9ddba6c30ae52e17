"""Literals: a template is bound to no region, no account and no partition."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant
from tap_templates.rendered.view import texts

_PSEUDO = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html"

# Every region there is follows it, and those to come: a country or area, perhaps a partition's
# mark, a direction, a number.
_REGION = re.compile(
    r"(?<![a-z0-9])"
    r"(?:(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-(?:gov|iso[a-z]?))?"
    r"-(?:north|south|east|west|central)(?:east|west)?|eusc-[a-z]{2}-[a-z]+|eu-iso[a-z]-[a-z]+)"
    r"-[0-9](?![0-9])"
)
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])")
_PARTITION = re.compile(r"arn:aws[a-z-]*:")

# Texts for people, and patterns, which may show an example.
_FOR_PEOPLE = frozenset(
    {"AlarmDescription", "AllowedPattern", "ConstraintDescription", "Description"}
)


def _literals(
    compiled: CompiledSystem, pattern: re.Pattern[str], what: str, remedy: str
) -> Iterator[Fault]:
    for stack in compiled.stacks:
        if not pattern.search(stack.body.decode()):
            continue  # most often there is nothing to find
        for path, text in _machine_texts(stack.template):
            if match := pattern.search(text):
                parts = path.split("/")
                in_resource = parts[1] == "Resources"
                yield Fault(
                    stack=stack.name,
                    logical_id=parts[2] if in_resource else "",
                    path="/" + "/".join(parts[3:]) if in_resource else path,
                    what=f"{what} {match.group()}",
                    remedy=remedy,
                )


def _machine_texts(template: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for path, text in texts(template):
        if path.rpartition("/")[2] not in _FOR_PEOPLE:
            yield path, text
    # Keys bind as much as values: a mapping by region knows no other.
    for path, key in _keys(template, ""):
        yield path, key


def _keys(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield f"{path}/{key}", str(key)
            yield from _keys(each, f"{path}/{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _keys(each, f"{path}/{index}")


def _no(
    pattern: re.Pattern[str], what: str, remedy: str
) -> Callable[[CompiledSystem], Iterator[Fault]]:
    return partial(_literals, pattern=pattern, what=what, remedy=remedy)


LITERALS = (
    Invariant(
        code="TAP-LIT-01",
        promise="No template names a region.",
        source_url=_PSEUDO,
        check=_no(
            _REGION,
            "is bound to the region",
            "use AWS::Region, or the parameters PrimaryRegion and SecondaryRegion",
        ),
    ),
    Invariant(
        code="TAP-LIT-02",
        promise="No template names an account.",
        source_url=_PSEUDO,
        check=_no(_ACCOUNT, "is bound to the account", "use AWS::AccountId"),
    ),
    Invariant(
        code="TAP-LIT-03",
        promise="No template names a partition of AWS.",
        source_url=_PSEUDO,
        check=_no(_PARTITION, "is bound to the partition in", "use AWS::Partition"),
    ),
)
