"""What a handler's lock file asks for on one platform. Pure: text in, text for pip out.

A lock is universal: one file for Lambda, for every developer's machine and for every Python, told
apart by environment markers. pip evaluates those for the interpreter it runs under even when
`--python-version` names another one (measured with pip 23.2.1), so they are decided here
and pip sees none.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tap_templates.errors import PackageError

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?P<extras>\[[\w.,\s-]*\])?==(?P<version>[\w.!+-]+)"
    r"\s*(?:;\s*(?P<marker>.+?))?\s*"
)
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_VERSIONS = frozenset({"python_version", "python_full_version"})
_OPERATORS: dict[type[ast.cmpop], Callable[..., bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One pinned distribution and the digests its wheels may have."""

    pin: str
    hashes: tuple[str, ...]
    marker: str | None = None


def parse_lock(text: str, where: str) -> tuple[Requirement, ...]:
    """Read a lock; raise PackageError at the first line that does not pin content by hash."""
    found = []
    for line in _logical_lines(text):
        head, *hashes = (part.strip() for part in line.split("--hash="))
        match = _REQUIREMENT.fullmatch(head)
        if match is None or not hashes or not all(_HASH.fullmatch(digest) for digest in hashes):
            raise PackageError(
                where,
                f"{head.split()[0]!r} is not pinned to a version with sha256 hashes",
                "run `make lock`; it writes the file from requirements.in",
            )
        pin = f"{match['name']}{match['extras'] or ''}=={match['version']}"
        found.append(Requirement(pin=pin, hashes=tuple(hashes), marker=match["marker"]))
    return tuple(found)


def requirements_for(
    lock: tuple[Requirement, ...], environment: Mapping[str, str], where: str
) -> str:
    """Write the requirements that apply to `environment`, in pip's format, without markers."""
    lines = []
    for requirement in lock:
        if requirement.marker and not _holds(requirement.marker, environment, where):
            continue
        lines.append(" ".join([requirement.pin, *(f"--hash={h}" for h in requirement.hashes)]))
    return "\n".join(lines) + "\n"


def _logical_lines(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def _holds(marker: str, environment: Mapping[str, str], where: str) -> bool:
    """Evaluate a marker. Its grammar, but for `~=` and `===`, is a subset of Python's."""
    try:
        return _evaluate(ast.parse(marker, mode="eval").body, environment)
    except (SyntaxError, KeyError, TypeError, ValueError) as error:
        raise PackageError(
            where,
            f"the marker {marker!r} cannot be decided for the target",
            "pin a version of the requirement that needs no such marker",
        ) from error


def _evaluate(node: ast.expr, environment: Mapping[str, str]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_evaluate(value, environment) for value in values)
        case ast.BoolOp(values=values):
            return any(_evaluate(value, environment) for value in values)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            names = {side.id for side in (left, right) if isinstance(side, ast.Name)}
            sides = [_value(side, environment) for side in (left, right)]
            membership = isinstance(op, ast.In | ast.NotIn)
            if names & _VERSIONS and not membership:
                return _OPERATORS[type(op)](*(_version(side) for side in sides))
            return _OPERATORS[type(op)](*sides)
        case _:
            raise ValueError


def _value(node: ast.expr, environment: Mapping[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return environment[name]
        case ast.Constant(value=str(text)):
            return text
        case _:
            raise ValueError


def _version(text: str) -> tuple[int, ...]:
    parts = [int(part) for part in text.split(".")]
    while parts and parts[-1] == 0:  # 3.14 and 3.14.0 are the same version
        parts.pop()
    return tuple(parts)
