"""What a canonical value may turn out to be: one value, several by a condition, or unknown."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tap_templates.diff.values import NO_VALUE, call_of


class Unknown:
    """Stands for a value that only the deployment knows."""


UNKNOWN = Unknown()


def branches(value: Any) -> Iterator[Any]:
    """Iterate over the canonical values that a condition chooses from; None is absent."""
    match value:
        case {"Fn::If": [_, yes, no]}:
            yield from branches(yes)
            yield from branches(no)
        case _:
            yield None if value == NO_VALUE else value


def alternatives(value: Any) -> Iterator[Any]:
    """Iterate over what a value may be: None is absent, UNKNOWN is anything."""
    for each in branches(value):
        yield UNKNOWN if call_of(each) else each


def holds(value: Any, test: Callable[[Any], bool]) -> bool | None:
    """Test a value: True or False if that is certain, else None."""
    found = {None if each is UNKNOWN else test(each) for each in alternatives(value)}
    return found.pop() if len(found) == 1 else None


def at(value: Any, *path: str) -> Any:
    """Give what is at a path below objects; None if anything on the way is absent or open."""
    for step in path:
        if not isinstance(value, Mapping):
            return None
        if step not in value and call_of(value):
            return value  # the function decides about all that is below
        value = value.get(step)
    return value


def entries(value: Any) -> list[Mapping[str, Any]]:
    """List the objects of a list, those under a condition too."""
    return [each for each, _ in stated(value)]


def stated(value: Any) -> list[tuple[Mapping[str, Any], bool]]:
    """List the objects of a list, each with whether it is certain to be there."""
    found: list[tuple[Mapping[str, Any], bool]] = []
    options = list(alternatives(value))
    for option in options:
        for each in option if isinstance(option, list) else ():
            parts = list(alternatives(each))
            found += [
                (part, len(parts) == len(options) == 1)
                for part in parts
                if isinstance(part, Mapping)
            ]
    return found
