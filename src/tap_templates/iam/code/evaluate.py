"""What an expression in a handler may be, given what is known of names."""

import ast
import builtins
from collections.abc import Iterable, Mapping

from tap_templates.iam.code import aws
from tap_templates.iam.code.places import RETURN, Places
from tap_templates.iam.code.scopes import Scope
from tap_templates.iam.code.values import (
    DEEPEST,
    NOTHING,
    SAFE,
    UNKNOWN,
    Builtin,
    Class,
    Dictionary,
    Environ,
    External,
    Function,
    Instance,
    Listed,
    PackageModule,
    Plain,
    Safe,
    Text,
    Unknown,
    Value,
    Values,
    Variable,
    depth,
    elements,
    text,
)

_MOST_TEXTS = 8  # that one formatted text is spelled out to
_BUILTINS = frozenset(dir(builtins))
# Builtins whose results are plain values; those of the others may be anything.
_SCALARS = frozenset(
    {
        "abs",
        "bool",
        "bytes",
        "callable",
        "float",
        "hasattr",
        "hash",
        "id",
        "int",
        "isinstance",
        "issubclass",
        "len",
        "print",
        "range",
        "repr",
        "round",
    }
)


class Evaluator:
    """Evaluates expressions; a call adds its arguments to the parameters it reaches."""

    def __init__(self, scopes: Mapping[str, Scope], places: Places) -> None:
        self.scopes = scopes
        self.places = places

    # One case a kind of expression.
    def value_of(self, node: ast.expr, scope: Scope) -> Values:  # noqa: C901, PLR0911, PLR0912 - one case a kind of node
        """Say what an expression may be."""
        match node:
            case ast.Constant(value=str(value)):
                return text(value)
            case ast.JoinedStr(values=parts):
                return self._format(parts, scope)
            case ast.Name(id=name):
                return self._look_up(name, scope)
            case ast.Attribute(value=base, attr=name):
                return self._join(self._attribute(v, name) for v in self.value_of(base, scope))
            case ast.Subscript(value=base, slice=index):
                keys = self.value_of(index, scope)
                found = (self._subscript(v, index, keys) for v in self.value_of(base, scope))
                return self._join(found)
            case ast.Call():
                return self._join(
                    self._call(each, node, scope) for each in self.value_of(node.func, scope)
                )
            case ast.IfExp(body=yes, orelse=no):
                return self.value_of(yes, scope) | self.value_of(no, scope)
            case ast.BoolOp(values=values):
                return self._join(self.value_of(each, scope) for each in values)
            case ast.NamedExpr(value=value) | ast.Await(value=value) | ast.Starred(value=value):
                return self.value_of(value, scope)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._format([left, right], scope)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.value_of(left, scope) | self.value_of(right, scope)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return self._literal(Listed(tuple(self.value_of(each, scope) for each in items)))
            case ast.Dict(keys=keys, values=values):
                return self._dictionary(keys, values, scope)
            case ast.ListComp(elt=item) | ast.SetComp(elt=item) | ast.GeneratorExp(elt=item):
                return self._literal(Listed((self.value_of(item, scope),)))
            case ast.DictComp(key=key, value=value):
                pair = (self.value_of(key, scope), self.value_of(value, scope))
                return self._literal(Dictionary((pair,)))
            case ast.Lambda():
                return UNKNOWN
        return SAFE  # constants, comparisons, arithmetic, formatted parts

    def _join(self, parts: Iterable[Values]) -> Values:
        return NOTHING.union(*parts)

    def _literal(self, value: Value) -> Values:
        return frozenset({value}) if depth(value) <= DEEPEST else UNKNOWN

    def _dictionary(
        self, keys: list[ast.expr | None], values: list[ast.expr], scope: Scope
    ) -> Values:
        items: list[tuple[Values, Values]] = []
        for key, each in zip(keys, values, strict=True):
            found = self.value_of(each, scope)
            if key is None:  # **other
                for other in found:
                    items += other.items if isinstance(other, Dictionary) else [(UNKNOWN, UNKNOWN)]
            else:
                items.append((self.value_of(key, scope), found))
        return self._literal(Dictionary(tuple(items)))

    def _format(self, nodes: list[ast.expr], scope: Scope) -> Values:
        """Spell out texts joined: all combinations, as long as they are few."""
        texts: list[tuple[str | Variable | None, ...]] = [()]
        for node in nodes:
            is_plain = not isinstance(node, ast.FormattedValue) or node.format_spec is None
            inner = node.value if isinstance(node, ast.FormattedValue) else node
            parts = [
                value.parts if isinstance(value, Text) and is_plain else (None,)
                for value in self.value_of(inner, scope)
            ]
            texts = [(*start, *part) for start in texts for part in parts or [(None,)]]
            if len(texts) > _MOST_TEXTS:
                return frozenset({Text((None,))})
        return frozenset(Text(parts) for parts in texts)

    def _look_up(self, name: str, scope: Scope) -> Values:
        at: Scope | None = scope
        while at is not None:
            if name in at.names and (at is scope or not at.is_class):
                return self.places.get(at.id, name)
            at = at.parent
        return frozenset({Builtin(name)}) if name in _BUILTINS else UNKNOWN

    # One case a kind of value.
    def _attribute(self, value: Value, name: str) -> Values:  # noqa: PLR0911 - one case a kind of node
        match value:
            case PackageModule(module):
                inner = f"{module}.{name}"
                if inner in self.scopes:
                    return frozenset({PackageModule(inner)})
                return self.places.get(module, name)
            case Instance(scope):
                return self.of_class(scope, name, value)
            case Class(scope):
                return self.of_class(scope, name, value)
            case Text() if name in ("value", "name"):  # of an enumeration
                return frozenset({value})
            case Dictionary() | Listed() | Environ() | Text():
                return frozenset({Plain(value, name)})
        return aws.attribute(value, name)

    def of_class(self, scope: str, name: str, this: Instance | Class) -> Values:
        found: set[Value] = set()
        for each in self.lineage(scope):
            for value in self.places.get(each, name):
                if not isinstance(value, Function):
                    found.add(value)
                    continue
                decorators = self.scopes[value.scope].decorators()
                if decorators & {"property", "cached_property"}:
                    found.update(self.places.get(value.scope, RETURN))
                elif "staticmethod" in decorators:
                    found.add(value)
                elif "classmethod" in decorators:
                    found.add(Function(value.scope, Class(this.scope)))
                elif isinstance(this, Instance):
                    found.add(Function(value.scope, this))
                else:
                    found.add(value)
        return frozenset(found)

    def lineage(self, scope: str) -> list[str]:
        """List a class and its bases within the package."""
        found = [scope]
        for each in found:
            node, parent = self.scopes[each].node, self.scopes[each].parent
            for base in node.bases if isinstance(node, ast.ClassDef) and parent else ():
                for value in self.value_of(base, parent or self.scopes[each]):
                    if isinstance(value, Class) and value.scope not in found:
                        found.append(value.scope)
        return found

    def _subscript(self, value: Value, index: ast.expr, keys: Values) -> Values:
        match value:
            case Environ():
                return aws.variable(keys, NOTHING)
            case Listed(items) if isinstance(index, ast.Constant) and isinstance(index.value, int):
                if -len(items) <= index.value < len(items):
                    return items[index.value]
                return UNKNOWN
            case Dictionary(items) if len(keys) == 1 and all(len(key) == 1 for key, _ in items):
                found = [each for key, each in items if key == keys]
                return found[-1] if found else elements(frozenset({value}))
        return elements(frozenset({value}))

    # Calls.

    def arguments(self, node: ast.Call, scope: Scope) -> aws.Arguments:
        """Read what a call is given."""
        named: dict[str, Values] = {}
        is_open = any(isinstance(each, ast.Starred) for each in node.args)
        for keyword in node.keywords:
            values = self.value_of(keyword.value, scope)
            if keyword.arg is not None:
                named[keyword.arg] = values
                continue
            spelled = self._spelled(values)
            is_open = is_open or spelled is None
            named.update(spelled or {})
        positional = tuple(self.value_of(each, scope) for each in node.args)
        return aws.Arguments(positional, named, is_open)

    def _spelled(self, values: Values) -> dict[str, Values] | None:
        """Read `**values` if it is one mapping, written out."""
        if len(values) != 1:
            return None
        (value,) = values
        if not isinstance(value, Dictionary):
            return None
        found: dict[str, Values] = {}
        for key, each in value.items:
            names = aws.constants(key)
            if names is None:
                return None
            found.update(dict.fromkeys(names, each))
        return found

    # One case a kind of value.
    def _call(self, value: Value, node: ast.Call, scope: Scope) -> Values:  # noqa: PLR0911 - one case a kind of node
        given = self.arguments(node, scope)
        match value:
            case Function(callee, bound):
                self._pass(callee, bound, given)
                return self.places.get(callee, RETURN)
            case Class(callee):
                return self._construct(callee, given)
            case Plain(owner, name):
                return self._call_plain(owner, name, given)
            case Builtin("super"):
                owner_class = self._enclosing_class(scope)
                bases = self.lineage(owner_class)[1:] if owner_class else []
                return frozenset(Instance(base) for base in bases) or SAFE
            case Builtin("getattr"):
                names = aws.constants(given.get(1, ""))
                found = [
                    self._attribute(each, name) for each in given.get(0, "") for name in names or ()
                ]
                return self._join([*found, given.get(2, "")]) if names else UNKNOWN
            case Builtin("str" | "format"):
                return frozenset({Text((None,))})
            case Builtin(name):
                return SAFE if name in _SCALARS else UNKNOWN
        is_call_back = self._call_back(given)
        if is_call_back and isinstance(value, External | Safe):
            return UNKNOWN  # it may return what our function made: a client
        return aws.call(value, given)

    def _call_back(self, given: aws.Arguments) -> bool:
        """Let a function that is handed to others be called with anything; tell if there is one."""
        handed = self._join(given.all())
        for each in handed:
            if isinstance(each, Function):
                for parameter in self.scopes[each.scope].parameters():
                    self.places.add(each.scope, parameter.arg, UNKNOWN)
        return any(isinstance(each, Function | Class | Unknown) for each in handed)

    def _enclosing_class(self, scope: Scope) -> str | None:
        at: Scope | None = scope
        while at is not None and at.owner is None:
            at = at.parent
        return at.owner.id if at and at.owner else None

    def _pass(self, callee: str, bound: Value | None, given: aws.Arguments) -> None:
        """Let arguments reach parameters; what we cannot match reaches all of them."""
        scope = self.scopes[callee]
        positional = scope.positional()
        if bound is not None and positional:
            self.places.add(callee, positional[0], frozenset({bound}))
            positional = positional[1:]
        for name, values in zip(positional, given.positional, strict=False):
            self.places.add(callee, name, values)
        known = {each.arg for each in scope.parameters()}
        for name, values in given.named.items():
            if name in known:
                self.places.add(callee, name, values)
        if given.is_open:
            for name in positional:
                self.places.add(callee, name, UNKNOWN)

    def _construct(self, scope: str, given: aws.Arguments) -> Values:
        instance = Instance(scope)
        lineage = self.lineage(scope)
        for each in lineage:
            initialisers = [v for v in self.places.get(each, "__init__") if isinstance(v, Function)]
            for initialiser in initialisers:
                self._pass(initialiser.scope, instance, given)
            if initialisers:
                return frozenset({instance})
        # A dataclass, named tuple or model: fields in order, those of the bases first.
        fields = [name for each in reversed(lineage) for name in self._fields(each)]
        for name, values in (*zip(fields, given.positional, strict=False), *given.named.items()):
            self.places.add(scope, name, values)
        if given.is_open:
            for name in fields:
                self.places.add(scope, name, UNKNOWN)
        return frozenset({instance})

    def _fields(self, scope: str) -> list[str]:
        return [
            statement.target.id
            for statement in self.scopes[scope].node.body
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        ]

    def _call_plain(self, owner: Value, name: str, given: aws.Arguments) -> Values:
        match owner:
            case Environ():
                if name != "get":
                    return UNKNOWN
                return aws.variable(given.get(0, ""), given.get(1, ""))
            case Text():
                return frozenset({Text((None,))})
            case Dictionary():
                return elements(frozenset({owner})) | given.get(1, "")
        return elements(frozenset({owner}))
