"""Which code of shared folders a handler runs: each package has a copy, and uses a part of it.

All of the handler's own folder counts, run or not. Of a shared module counts what stands at its top
level if it is imported, and a function if code that counts names it. Where we cannot tell which
function a name means, all of that name count: errs towards more calls, hence towards a finding.
"""

import ast
import builtins
from collections.abc import Iterator, Mapping

from tap_templates.iam.code import aws
from tap_templates.iam.code.evaluate import Evaluator
from tap_templates.iam.code.scopes import Scope, imported_from
from tap_templates.iam.code.values import (
    NOTHING,
    Builtin,
    Class,
    Dictionary,
    External,
    Function,
    Instance,
    Listed,
    PackageModule,
    Safe,
    Unknown,
    Value,
    Values,
)

# Decorators that leave it to others to call the function; any other may call it by itself.
_QUIET_DECORATORS = frozenset(
    {
        "abstractmethod",
        "cache",
        "cached_property",
        "classmethod",
        "contextmanager",
        "dataclass",
        "lru_cache",
        "overload",
        "override",
        "property",
        "setter",
        "staticmethod",
        "total_ordering",
    }
)
# Bases that call none of our methods but those of Python itself.
_QUIET_BASES = frozenset(
    {"ABC", "Enum", "Generic", "IntEnum", "NamedTuple", "Protocol", "StrEnum", "TypedDict"}
) | set(dir(builtins))
# With these, any function may be called by a name that is put together at run time.
_BY_ANY_NAME = frozenset({"attrgetter", "globals", "locals", "methodcaller", "vars"})


def reach(evaluator: Evaluator, own: str) -> set[str]:
    """Find the scopes that count for the handler in folder `own`, by id."""
    return _Reach(evaluator, own).follow()


class _Reach:
    def __init__(self, evaluator: Evaluator, own: str) -> None:
        self.evaluator = evaluator
        self.scopes = evaluator.scopes
        self._found: set[str] = set()
        self._todo: list[str] = []
        self._own = [each.id for each in self.scopes.values() if each.file.startswith(f"{own}/")]
        self._named: dict[str, list[str]] = {}
        for scope in self.scopes.values():
            if scope.function is not None:
                self._named.setdefault(scope.function.name, []).append(scope.id)

    def follow(self) -> set[str]:
        for each in self._own:
            self._add(each)
        while self._todo:
            scope = self.scopes[self._todo.pop()]
            for node in scope.nodes:
                self._visit(scope, node)
        return self._found

    def _add(self, scope: str) -> None:
        if scope not in self._found:
            self._found.add(scope)
            self._todo.append(scope)

    def _add_all(self) -> None:
        for scope in self.scopes:
            self._add(scope)

    # One case a kind of node.
    def _visit(self, scope: Scope, node: ast.AST) -> None:  # noqa: C901 - one case a kind of node
        match node:
            case ast.Import() | ast.ImportFrom():
                for name in _imported(node, scope):
                    self._import(name)
            case ast.ClassDef(name=name):
                self._define(scope.inner[name])
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                inner = scope.inner[name]
                # A module may have a `__getattr__`, which Python calls.
                is_called = _is_special(name) and not scope.is_class
                if is_called or inner.decorators() - _QUIET_DECORATORS:
                    self._add(inner.id)
            case ast.Name(id=name):
                self._mention(self.evaluator.value_of(node, scope))
                if name in _BY_ANY_NAME and name not in scope.names:
                    self._add_all()
            case ast.Attribute(value=base, attr=name):
                self._mention(self.evaluator.value_of(node, scope))
                self._attribute(self.evaluator.value_of(base, scope), name)
            case ast.Call():
                self._call(scope, node)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._keep(scope, target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._keep(scope, target, value)

    def _import(self, name: str) -> None:
        """Run a module, and the packages it is in."""
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            module = ".".join(parts[:count])
            if module in self.scopes and ":" not in module:
                self._add(module)

    def _define(self, scope: Scope) -> None:
        """Run the body of a class; one of a library may call any of its methods."""
        self._add(scope.id)
        bases = scope.node.bases if isinstance(scope.node, ast.ClassDef) else []
        is_quiet = all(self._is_quiet(base, scope) for base in bases)
        if not is_quiet or scope.decorators() - _QUIET_DECORATORS:
            for each in scope.inner.values():
                self._add(each.id)

    def _is_quiet(self, base: ast.expr, scope: Scope) -> bool:
        name = ast.unparse(base).partition("[")[0].rpartition(".")[2]
        values = self.evaluator.value_of(base, scope.parent or scope)
        return name in _QUIET_BASES or (
            bool(values) and all(isinstance(each, Class) for each in values)
        )

    def _mention(self, values: Values) -> None:
        """Count a function that is named, and what Python itself calls of a class that is."""
        for value in values:
            if isinstance(value, Function):
                self._add(value.scope)
            elif isinstance(value, Class):
                for name, scope in self._members(value):
                    if _is_special(name):
                        self._add(scope)

    def _attribute(self, owners: Values, name: str) -> None:
        """Count the methods of that name, also where it is a property."""
        if not owners or any(isinstance(each, Unknown) for each in owners):
            for scope in self._named.get(name, ()):
                self._add(scope)
        for owner in owners:
            for member, scope in self._members(owner):
                if member == name:
                    self._add(scope)

    def _call(self, scope: Scope, node: ast.Call) -> None:
        functions = self.evaluator.value_of(node.func, scope)
        given = self.evaluator.arguments(node, scope)
        if any(isinstance(each, External) and _is_by_name(each.name) for each in functions):
            self._add_all()
        if Builtin("getattr") in functions:
            self._get_attribute(given)
        if not functions or any(isinstance(each, External | Safe | Unknown) for each in functions):
            for values in given.all():
                self._escape(values)

    def _keep(self, scope: Scope, target: ast.expr, value: ast.expr) -> None:
        """Judge an assignment to an attribute: an object that is not ours may call what it has."""
        if isinstance(target, ast.Attribute):
            owners = self.evaluator.value_of(target.value, scope)
            if not owners or not all(isinstance(each, Instance | Class) for each in owners):
                self._escape(self.evaluator.value_of(value, scope))

    def _escape(self, values: Values) -> None:
        """Count all methods of objects that code outside of the package gets hold of."""
        for value in values:
            if isinstance(value, Listed):
                self._escape(NOTHING.union(*value.items))
            elif isinstance(value, Dictionary):
                self._escape(NOTHING.union(*(each for _, each in value.items)))
            elif isinstance(value, Instance | Class):
                for _, member in self._members(value):
                    self._add(member)

    def _get_attribute(self, given: aws.Arguments) -> None:
        owners, names = given.get(0, ""), aws.constants(given.get(1, ""))
        for name in names or ():
            self._attribute(owners, name)
        if names is None:
            self._escape(owners)
            modules = [each for each in owners if isinstance(each, PackageModule)]
            if modules or not owners or any(isinstance(each, Unknown) for each in owners):
                self._add_all()

    def _members(self, owner: Value) -> Iterator[tuple[str, str]]:
        """Iterate over the functions in an object, a class or a module, by name."""
        match owner:
            case Instance(scope) | Class(scope):
                places = self.evaluator.lineage(scope)
            case PackageModule(scope) if scope in self.scopes:
                places = [scope]
            case _:
                return
        for place in places:
            for name, inner in self.scopes[place].inner.items():
                if inner.function is not None:
                    yield name, inner.id


def _imported(node: ast.Import | ast.ImportFrom, scope: Scope) -> Iterator[str]:
    """Iterate over what may be modules among what is imported."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = imported_from(node, scope)
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_by_name(name: str) -> bool:
    return name.rpartition(".")[2] in _BY_ANY_NAME


def entry_of(scopes: Mapping[str, Scope], own: str) -> str | None:
    """Find the function that Lambda calls."""
    name = f"{own}.app:handler"
    return name if name in scopes else None
