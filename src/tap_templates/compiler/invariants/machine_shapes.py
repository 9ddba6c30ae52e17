"""What is known of the data in a run of a state machine: which keys are there, and what is not.

A shape is what holds on every way that leads to a place. Where nothing is known anything may be
there, so that only what cannot be is ever told.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_STEP: Final = re.compile(
    r"\.(?P<name>[^.\[\]()*?@,:'\" ]+)|\['(?P<quoted>[^']+)'\]|\[(?P<index>\d+)\]"
)
_PATHS: Final = re.compile(r"(?<![$\w])\$(?:\.[\w-]+|\['[^']+'\]|\[\d+\])+")
_COMPUTED: Final = ".$"


@dataclass(frozen=True, slots=True)
class Shape:
    """An object or a list: the keys that are there, and whether others may be.

    Items of a list go by their numbers as text.
    """

    keys: Mapping[str, "Shape"] = field(default_factory=dict)
    is_open: bool = True

    def at(self, steps: tuple[str, ...]) -> "Shape | None":
        """Give what is below a path; None where nothing can be."""
        found = self
        for step in steps:
            if step in found.keys:
                found = found.keys[step]
            elif found.is_open:
                return ANYTHING
            else:
                return None
        return found

    def put(self, steps: tuple[str, ...], value: "Shape") -> "Shape":
        """Put a value at a path, as ResultPath does: what is missing on the way is made."""
        if not steps:
            return value
        first, *rest = steps
        below = self.keys.get(first, ANYTHING if self.is_open else NOTHING)
        return Shape({**self.keys, first: below.put(tuple(rest), value)}, self.is_open)

    def joined(self, other: "Shape") -> "Shape":
        """Keep what is there for both: a key that one of them cannot have is gone."""
        keys = {}
        for name in sorted(self.keys.keys() | other.keys.keys()):
            mine, theirs = self.at((name,)), other.at((name,))
            if mine is not None and theirs is not None:
                keys[name] = mine.joined(theirs)
        return Shape(keys, self.is_open and other.is_open)


ANYTHING: Final = Shape()
NOTHING: Final = Shape(is_open=False)


def closed(*names: str) -> Shape:
    """Make an object of exactly these keys, each of which may be anything."""
    return Shape(dict.fromkeys(names, ANYTHING), is_open=False)


def steps_of(path: str) -> tuple[str, ...] | None:
    """Read a path into the data; None for one into the context or one that selects many."""
    if not path.startswith("$") or path.startswith("$$"):
        return None
    steps, position = [], 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return None
        steps.append(step["name"] or step["quoted"] or step["index"])
        position = step.end()
    return tuple(steps)


def paths_in(computed: str) -> list[str]:
    """List the paths that a computed value reads: itself, or the arguments of an intrinsic."""
    return [computed] if computed.startswith("$") else _PATHS.findall(computed)


def template_paths(template: Any, place: str) -> list[tuple[str, str]]:
    """List the paths that a payload template reads, each with its JSON pointer."""
    found: list[tuple[str, str]] = []
    if isinstance(template, Mapping):
        for key, value in template.items():
            below = f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if str(key).endswith(_COMPUTED) and isinstance(value, str):
                found += [(path, below) for path in paths_in(value)]
            else:
                found += template_paths(value, below)
    elif isinstance(template, list):
        for position, value in enumerate(template):
            found += template_paths(value, f"{place}/{position}")
    return found


def template_shape(template: Any, source: Shape) -> Shape:
    """Say what a payload template makes of the data it reads."""
    if isinstance(template, list):
        made = {str(at): template_shape(value, source) for at, value in enumerate(template)}
        return Shape(made, is_open=False)
    if not isinstance(template, Mapping):
        return ANYTHING
    keys: dict[str, Shape] = {}
    for key, value in template.items():
        name = str(key)
        if not name.endswith(_COMPUTED):
            keys[name] = template_shape(value, source)
            continue
        steps = steps_of(value) if isinstance(value, str) else None
        read = ANYTHING if steps is None else source.at(steps)
        keys[name.removesuffix(_COMPUTED)] = ANYTHING if read is None else read
    return Shape(keys, is_open=False)
