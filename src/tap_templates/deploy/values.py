"""Values of parameters as a plan holds them: known, to be read later, or left as they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

OWN_REGION = "own"  # as a manifest spells it


@dataclass(frozen=True, slots=True)
class Known:
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a stack in a region. In a plan: read it right before the step.

    Before it is planned, the region may be `own`: that of whichever instance takes it.
    """

    stack: str
    region: str
    name: str

    def __str__(self) -> str:
        return f"{self.stack}.{self.name} of {self.region}"

    def taken_in(self, region: str) -> "Output":
        return replace(self, region=region) if self.region == OWN_REGION else self


@dataclass(frozen=True, slots=True)
class Kept:
    """What the stack set has now."""


Value = Known | Output | Kept
Values = Mapping[str, Value]


def outputs_in(values: Values) -> Iterable[Output]:
    return (value for value in values.values() if isinstance(value, Output))


def value_to_json(value: Value) -> dict[str, Any]:
    match value:
        case Known(text):
            return {"value": text}
        case Output(stack, region, name):
            return {"output": {"stack": stack, "region": region, "name": name}}
        case Kept():
            return {"previous": True}
        case _:
            assert_never(value)


def value_from_json(data: Mapping[str, Any]) -> Value:
    """Raise ValueError for anything that `value_to_json` does not write."""
    match data:
        case {"value": str(text), **rest} if not rest:
            return Known(text)
        case {"output": {"stack": str(stack), "region": str(region), "name": str(name)}}:
            return Output(stack, region, name)
        case {"previous": True}:
            return Kept()
        case _:
            raise ValueError(f"no parameter value: {data!r}")
