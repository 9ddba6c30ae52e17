"""Statements of IAM policies, as far as a template shows them.

What cannot be seen (an intrinsic where text is expected, NotAction, NotPrincipal) is None or
flagged, so that each rule decides for itself to be silent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ._index import Index
from ._values import UNKNOWN, Expr, Node, Path, may_match

# Operators that require the key to be there and to have a value that was written down. Negated
# ones, …IfExists, ForAllValues and Null let a request pass that does not carry the key at all.
_REQUIRING = frozenset(
    f"{head}{operator}"
    for head in ("", "foranyvalue:")
    for operator in ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike")
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement in one branch. `None` means: it cannot be seen from the template."""

    path: Path
    allows: bool
    actions: tuple[Expr, ...] | None
    resources: tuple[Expr, ...] | None
    services: tuple[Expr, ...]
    anyone: bool  # Principal "*", or one that cannot be seen
    required: Mapping[str, tuple[Expr, ...]] = field(default_factory=dict)  # keys in lower case
    open_conditions: bool = False  # conditions that cannot be seen; they may require anything

    def trusts(self, service: str) -> bool:
        """Say whether the principal may be this service."""
        return self.anyone or any(may_match(given, (service,)) for given in self.services)

    def may_do(self, action: str) -> bool:
        """Say whether the actions may include this one."""
        wanted = (action.lower(),)
        given = self.actions
        return given is None or any(may_match(_lower(pattern), wanted) for pattern in given)


def statements(index: Index, document: Node) -> Iterator[Statement]:
    """Yield the statements of a policy document that have a known shape."""
    for listed in document.get("Statement"):
        for node in listed.each():
            if node.known_object:
                yield from _statement(index, node)


def _statement(index: Index, node: Node) -> Iterator[Statement]:
    for effect in node.get("Effect"):
        services, anyone = _principals(index, node)
        required, open_conditions = _conditions(index, node)
        yield Statement(
            path=node.path,
            allows=effect.text != "Deny",
            actions=_listed(index, node, "Action"),
            resources=_listed(index, node, "Resource"),
            services=services,
            anyone=anyone,
            required=required,
            open_conditions=open_conditions,
        )


def _listed(index: Index, node: Node, key: str) -> tuple[Expr, ...] | None:
    if f"Not{key}" in node.value:
        return None
    found = [n for member in node.get(key) for n in member.each()]
    if any(n.value is UNKNOWN for n in found):
        return None
    return tuple(index.expression(n.value) for n in found)


def _principals(index: Index, node: Node) -> tuple[tuple[Expr, ...], bool]:
    services: list[Expr] = []
    anyone = "NotPrincipal" in node.value
    for principal in node.get("Principal"):
        if principal.absent:
            continue
        if not principal.known_object:
            anyone = True  # "*", or something that cannot be seen
            continue
        for member in principal.get("Service"):
            services += [index.expression(n.value) for n in member.each()]
        for member in principal.get("AWS"):
            anyone = anyone or any(n.text == "*" for n in member.each())
    return tuple(services), anyone


def _conditions(index: Index, node: Node) -> tuple[dict[str, tuple[Expr, ...]], bool]:
    required: dict[str, tuple[Expr, ...]] = {}
    hidden = False
    for condition in node.get("Condition"):
        if condition.absent:
            continue
        if not condition.known_object:
            hidden = True
            continue
        for operator in condition.value:
            for keys in condition.get(str(operator)):
                if not keys.known_object:
                    hidden = True
                elif str(operator).lower() in _REQUIRING:
                    for key in keys.value:
                        values = [n for m in keys.get(str(key)) for n in m.each()]
                        required[str(key).lower()] = tuple(
                            index.expression(n.value) for n in values
                        )
    return required, hidden


def restricts(statement: Statement, *keys: str) -> bool:
    """Say whether one of the keys must be there with a value other than `*`.

    A key that ends in `*` stands for all that begin so. True where conditions cannot be seen.
    """
    return statement.open_conditions or any(
        _named(given, keys) and values and ("*",) not in values
        for given, values in statement.required.items()
    )


def _named(given: str, keys: tuple[str, ...]) -> bool:
    return any(given.startswith(k[:-1]) if k.endswith("*") else given == k for k in keys)


def _lower(pattern: Expr) -> Expr:
    return tuple(part.lower() if isinstance(part, str) else part for part in pattern)
