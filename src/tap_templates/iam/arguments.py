"""The arguments of a call in a handler's code, read as what the function gives them to be."""

from collections.abc import Mapping
from dataclasses import dataclass

from tap_templates.iam.code.aws import constants
from tap_templates.iam.code.calls import AwsCall
from tap_templates.iam.code.values import (
    NOTHING,
    UNKNOWN,
    Dictionary,
    Listed,
    Text,
    Value,
    Values,
    Variable,
)
from tap_templates.iam.codes import Code
from tap_templates.iam.patterns import is_pattern
from tap_templates.rendered.view import Located, SystemView


class CallError(Exception):
    """A call cannot be judged; carries which code to report."""

    def __init__(self, code: Code, what: str) -> None:
        super().__init__(what)
        self.code = code


@dataclass(frozen=True, slots=True)
class Runner:
    """The function that runs the code: its environment gives the code its names."""

    view: SystemView
    function: Located

    @property
    def region(self) -> str:
        return self.function.stack.region

    def environment(self) -> dict[str, str]:
        stated = self.function.resource.properties.get("Environment", {}).get("Variables", {})
        return {
            "AWS_DEFAULT_REGION": self.region,
            "AWS_LAMBDA_FUNCTION_NAME": str(self.function.resource.name),
            "AWS_REGION": self.region,
        } | {key: str(value) for key, value in stated.items()}

    def arn(self, service: str, region: str, resource: str) -> str:
        view = self.view
        return f"arn:{view.partition}:{service}:{region}:{view.account}:{resource}"


class Call:
    """One call by one function, with its arguments resolved on demand."""

    def __init__(self, call: AwsCall, runner: Runner) -> None:
        self.call = call
        self.runner = runner
        self.region = self._region()

    def _region(self) -> str:
        if not self.call.region:
            return self.runner.region
        regions = self.texts(self.call.region, "region_name")
        if len(regions) != 1:
            raise CallError(Code.CALL_RESOURCE, f"goes to one of {', '.join(regions)}")
        return regions[0]

    def given(self, *names: str) -> Values:
        """Read an argument by one of its names; it must be there."""
        for name in names:
            if values := self.call.arguments.get(name):
                return values
        raise CallError(Code.CALL_RESOURCE, f"names no {names[0]} that we can read")

    def has(self, name: str) -> bool:
        """Tell whether an argument is given; not to be able to tell is an error."""
        if name not in self.call.arguments and self.call.is_open:
            raise CallError(Code.CALL_RESOURCE, f"may have {name} in its ** arguments")
        return name in self.call.arguments

    def texts(self, values: Values, what: str) -> list[str]:
        """Spell out what `values` may be, as texts; each has to be known."""
        environment = self.runner.environment()
        found: set[str] = set()
        for value in values:
            if not isinstance(value, Text):
                raise CallError(Code.CALL_RESOURCE, f"takes a {what} we cannot tell")
            found.add("".join(self._part(part, what, environment) for part in value.parts))
        if not found:
            raise CallError(Code.CALL_RESOURCE, f"takes a {what} we cannot tell")
        return sorted(found)

    def _part(self, part: str | Variable | None, what: str, environment: Mapping[str, str]) -> str:
        match part:
            case str():
                return part
            case Variable(name, default):
                value = environment.get(name, default)
                if value is None:
                    raise CallError(
                        Code.CALL_RESOURCE,
                        f"takes its {what} from {name}, which the function does not set",
                    )
                return value
        raise CallError(Code.CALL_RESOURCE, f"takes a {what} we cannot tell")

    def named(self, *names: str) -> list[str]:
        return self.texts(self.given(*names), names[0])

    def arns(self, service: str, prefix: str, *names: str) -> list[str]:
        """Read names or ARNs of resources of the region as ARNs."""
        return [self.full(service, prefix, each) for each in self.named(*names)]

    def full(self, service: str, prefix: str, name: str) -> str:
        """Complete a name to an ARN of the region the call goes to."""
        if name.startswith("arn:"):
            return name
        return self.runner.arn(service, self.region, f"{prefix}{name}")

    def keys_of_objects(self, *names: str) -> list[str]:
        """Read keys of a bucket: of one we know the beginning of, the folder it is in.

        A policy can name no less than that, and a key can be nowhere else.
        """
        environment = self.runner.environment()
        found: set[str] = set()
        for value in self.given(*names):
            if not isinstance(value, Text) or None not in value.parts:
                found.update(self.texts(frozenset({value}), names[0]))
                continue
            known = value.parts[: value.parts.index(None)]
            start = "".join(self._part(part, names[0], environment) for part in known)
            folder, slash, _ = start.rpartition("/")
            if not slash or not folder or any(map(is_pattern, start)):
                raise CallError(Code.CALL_RESOURCE, f"takes a {names[0]} in no folder we can tell")
            found.add(f"{folder}/*")
        return sorted(found)

    def keys(self, name: str) -> list[str]:
        """Read the keys of an argument that is a mapping."""
        found: list[str] = []
        for value in self.given(name):
            if not isinstance(value, Dictionary):
                raise CallError(Code.CALL_RESOURCE, f"takes {name} that we cannot read")
            for key, _ in value.items:
                found += self.texts(key, f"key of {name}")
        return found

    def entries(self, name: str) -> list[dict[str, Values]]:
        """Read an argument that is a list of mappings."""
        found: list[dict[str, Values]] = []
        for value in self.given(name):
            if not isinstance(value, Listed) or not value.items:
                raise CallError(Code.CALL_RESOURCE, f"takes {name} that we cannot read")
            found += [spelled(each, name) for each in value.items]
        return found


def spelled(values: Values, what: str) -> dict[str, Values]:
    """Read one mapping with constant keys, whichever of several it is: a key may be any of theirs.

    A key that not all of them have may be missing, so that nothing is known of it.
    """
    found: dict[str, Values] = {}
    readings = [_reading(value, what) for value in values]
    if not readings:
        raise CallError(Code.CALL_RESOURCE, f"has an entry in {what} that we cannot read")
    for key in {key for reading in readings for key in reading}:
        found[key] = NOTHING.union(*(reading.get(key, UNKNOWN) for reading in readings))
    return found


def _reading(value: Value, what: str) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for key, each in value.items if isinstance(value, Dictionary) else ((UNKNOWN, UNKNOWN),):
        names = constants(key)
        if names is None or len(names) != 1:
            raise CallError(Code.CALL_RESOURCE, f"has an entry in {what} that we cannot read")
        found[min(names)] = each
    return found
