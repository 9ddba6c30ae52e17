"""What may reach each name, attribute, parameter and return value of a handler's package.

Every assignment, call and return only ever adds values to a place, and the passes over the code
are repeated until none adds any: what is not found this way is `Unknown`, never assumed harmless.
Neither order nor branches count, and objects of one class are not told apart; both err towards
more calls, hence towards a finding.
"""

import ast
from collections.abc import Collection, Iterable, Mapping

from tap_templates.iam.code import aws
from tap_templates.iam.code.evaluate import Evaluator
from tap_templates.iam.code.libraries import stub_service
from tap_templates.iam.code.places import RETURN, Places
from tap_templates.iam.code.scopes import Scope, imported_from
from tap_templates.iam.code.values import (
    NOTHING,
    SAFE,
    UNKNOWN,
    Class,
    Client,
    External,
    Function,
    Instance,
    Listed,
    PackageModule,
    Value,
    Values,
    elements,
)

_MOST_PASSES = 30
# Methods after which a list or mapping is no longer what was written.
_MUTATES = frozenset({"add", "append", "extend", "insert", "setdefault", "update"})
# What `learn` learns from; nothing else is visited again and again.
_TEACHES = (
    ast.Assign
    | ast.AnnAssign
    | ast.AsyncFor
    | ast.AsyncFunctionDef
    | ast.AugAssign
    | ast.Call
    | ast.ClassDef
    | ast.Delete
    | ast.ExceptHandler
    | ast.For
    | ast.FunctionDef
    | ast.Import
    | ast.ImportFrom
    | ast.Lambda
    | ast.NamedExpr
    | ast.Return
    | ast.Yield
    | ast.comprehension
    | ast.withitem
)


def infer(
    scopes: Mapping[str, Scope], entry: str | None = None, runs: Collection[str] | None = None
) -> Evaluator:
    """Learn all there is to learn of a package; the evaluator then answers.

    `entry` is the scope of the function that Lambda calls. With `runs`, only the code of these
    scopes teaches: the others never run (`reach`). Running out of passes is no error: every name
    may then be anything, and the calls say so.
    """
    places = Places()
    learner = _Learner(Evaluator(scopes, places))
    learner.seed(entry)
    lessons = [
        (scope, node)
        for scope in scopes.values()
        if runs is None or scope.id in runs
        for node in scope.nodes
        if isinstance(node, _TEACHES)
    ]
    for _ in range(_MOST_PASSES):
        places.has_grown = False
        for scope, node in lessons:
            learner.learn(scope, node)
        if not places.has_grown:
            return learner.evaluator
    places.doubt_all()
    return learner.evaluator


class _Learner:
    """Adds to places what statements say."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.scopes = evaluator.scopes
        self.places = evaluator.places
        self.value_of = evaluator.value_of

    def seed(self, entry: str | None) -> None:
        for scope in self.scopes.values():
            parameters = scope.positional()
            if scope.id == entry:
                for name in parameters:  # Lambda gives it JSON, and a context that calls nothing
                    self.places.add(scope.id, name, SAFE)
            if scope.owner and parameters and "staticmethod" not in scope.decorators():
                is_bound_to_class = "classmethod" in scope.decorators()
                this = Class(scope.owner.id) if is_bound_to_class else Instance(scope.owner.id)
                self.places.add(scope.id, parameters[0], frozenset({this}))

    # One case a kind of statement.
    def learn(self, scope: Scope, node: ast.AST) -> None:  # noqa: C901, PLR0912 - one case a kind of node
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, self.value_of(value, scope), scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self.value_of(value, scope), scope)
            case ast.AugAssign(target=target) | ast.Delete(targets=[target]):
                self._assign(target, SAFE, scope)
            case ast.NamedExpr(target=target, value=value):
                self._assign(target, self.value_of(value, scope), scope)
            case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
                self._assign(target, elements(self.value_of(value, scope)), scope)
            case ast.comprehension(target=target, iter=value):
                self._assign(target, elements(self.value_of(value, scope)), scope)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                self._assign(target, self._entered(self.value_of(value, scope)), scope)
            case ast.ExceptHandler(name=str(name)):
                self.places.add(scope.id, name, SAFE)
            case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
                self.places.add(scope.id, RETURN, self.value_of(value, scope))
            case ast.Import() | ast.ImportFrom():
                for name, values in self._imported(node, scope):
                    self.places.add(scope.id, name, values)
            case ast.ClassDef(name=name):
                self.places.add(scope.id, name, frozenset({Class(scope.inner[name].id)}))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self._define(scope, scope.inner[name])
            case ast.Lambda(args=arguments):
                for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                    self.places.add(scope.id, each.arg, UNKNOWN)
            case ast.Call(func=function):
                self.value_of(node, scope)  # its arguments reach the parameters
                if isinstance(function, ast.Attribute) and function.attr in _MUTATES:
                    self._assign(function.value, UNKNOWN, scope)

    def _define(self, scope: Scope, function: Scope) -> None:
        """Bind a function's name, its defaults, and what annotations say of its parameters."""
        node = function.function
        if node is None:
            return
        self.places.add(scope.id, node.name, frozenset({Function(function.id)}))
        positional = function.positional()
        defaults = zip(reversed(positional), reversed(node.args.defaults), strict=False)
        for name, default in defaults:
            self.places.add(function.id, name, self.value_of(default, scope))
        for argument, given in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if given is not None:
                self.places.add(function.id, argument.arg, self.value_of(given, scope))
        for argument in function.parameters():
            if argument.annotation is not None:
                said = self._annotated(argument.annotation, scope)
                self.places.add(function.id, argument.arg, said)

    def _annotated(self, annotation: ast.expr, scope: Scope) -> Values:
        """Read a type: a client of boto3's stubs, or a class of the package that is no protocol."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                return NOTHING
        found: set[Value] = set()
        for value in self.value_of(annotation, scope):
            if isinstance(value, External) and (service := stub_service(value.name)):
                found.add(Client(service, NOTHING))
            if isinstance(value, Class) and not self._is_abstract(value.scope):
                found.add(Instance(value.scope))
        return frozenset(found)

    def _is_abstract(self, scope: str) -> bool:
        node = self.scopes[scope].node
        bases = node.bases if isinstance(node, ast.ClassDef) else []
        return any(ast.unparse(base).split("[")[0].endswith(("Protocol", "ABC")) for base in bases)

    def _assign(self, target: ast.expr, values: Values, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                self.places.add(self._binder(name, scope).id, name, values)
            case ast.Attribute(value=base, attr=name):
                for owner in self.value_of(base, scope):
                    if isinstance(owner, Instance | Class):
                        self.places.add(owner.scope, name, values)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for index, each in enumerate(targets):
                    self._assign(each, self._unpack(values, index, len(targets)), scope)
            case ast.Starred(value=each):
                self._assign(each, elements(values), scope)
            case ast.Subscript(value=base):  # what containers hold is followed as written only
                self._assign(base, UNKNOWN, scope)

    def _unpack(self, values: Values, index: int, count: int) -> Values:
        found: set[Value] = set()
        for value in values:
            if isinstance(value, Listed) and len(value.items) == count:
                found.update(value.items[index])
            else:
                found.update(elements(frozenset({value})))
        return frozenset(found)

    def _binder(self, name: str, scope: Scope) -> Scope:
        """Find the scope a name is bound in, from where it is written."""
        if name in scope.elsewhere or name not in scope.names:
            at = scope.parent
            while at is not None:
                if name in at.names and not at.is_class:
                    return at
                at = at.parent
        return scope

    def _entered(self, values: Values) -> Values:
        """Say what `with` binds: what `__enter__` of our own classes returns, else the thing."""
        found: set[Value] = set()
        for value in values:
            enters = (
                self.evaluator.of_class(value.scope, "__enter__", value)
                if isinstance(value, Instance)
                else NOTHING
            )
            if enters:
                for each in enters:
                    if isinstance(each, Function):
                        found.update(self.places.get(each.scope, RETURN))
            else:
                found.add(value)
        return frozenset(found)

    def _imported(
        self, node: ast.Import | ast.ImportFrom, scope: Scope
    ) -> Iterable[tuple[str, Values]]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or name, self._module(name)
            return
        base = imported_from(node, scope)
        for alias in node.names:
            name = f"{base}.{alias.name}"
            if name in self.scopes:
                found: Values = frozenset({PackageModule(name)})
            elif base in self.scopes:
                found = self.places.get(base, alias.name)
            else:
                found = self._module(name)
            yield alias.asname or alias.name, found

    def _module(self, name: str) -> Values:
        if name in self.scopes or any(each.startswith(f"{name}.") for each in self.scopes):
            return frozenset({PackageModule(name)})
        return frozenset({aws.external(name)})
