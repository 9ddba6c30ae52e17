"""The scopes of a handler's package: modules, classes and functions, and what names they bind."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Scope:
    """One scope. Mutable while it is being built, by `scopes_of` alone."""

    id: str  # module, or module:Outer.inner
    module: str
    file: str
    node: ast.Module | ast.ClassDef | Definition
    parent: "Scope | None"
    owner: "Scope | None" = None  # the class, if this is a method
    names: set[str] = field(default_factory=set)  # bound here
    elsewhere: set[str] = field(default_factory=set)  # global or nonlocal
    nodes: list[ast.AST] = field(default_factory=list)  # all, without those of inner scopes
    inner: dict[str, "Scope"] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)

    @property
    def function(self) -> Definition | None:
        return self.node if isinstance(self.node, Definition) else None

    def decorators(self) -> set[str]:
        """Name the decorators, by their last part."""
        if isinstance(self.node, ast.Module):
            return set()
        return {_last_part(each) for each in self.node.decorator_list}

    def parameters(self) -> list[ast.arg]:
        """List positional, then keyword-only parameters."""
        if self.function is None:
            return []
        arguments = self.function.args
        return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]

    def positional(self) -> list[str]:
        if self.function is None:
            return []
        return [a.arg for a in (*self.function.args.posonlyargs, *self.function.args.args)]


def _last_part(node: ast.expr) -> str:
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def module_name(path: str) -> str:
    """Spell `trading_processor/app.py` as Python imports it."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def imported_from(node: ast.ImportFrom, scope: Scope) -> str:
    """Spell the module that names are imported from, absolute."""
    if not node.level:
        return node.module or ""
    parts = scope.module.split(".")
    kept = parts[: len(parts) - node.level + scope.file.endswith("__init__.py")]
    return ".".join([*kept, *([node.module] if node.module else [])])


def scopes_of(sources: Mapping[str, str]) -> dict[str, Scope]:
    """Parse the modules of a package and find their scopes, by id. Raises SyntaxError."""
    found: dict[str, Scope] = {}
    for file, source in sorted(sources.items()):
        name = module_name(file)
        tree = ast.parse(source, file)
        _enter(Scope(name, name, file, tree, None), found)
    return found


def _enter(scope: Scope, found: dict[str, Scope]) -> None:
    found[scope.id] = scope
    if scope.function is not None:
        arguments = scope.function.args
        rest = (arguments.vararg, arguments.kwarg)
        scope.names.update(each.arg for each in (*scope.parameters(), *rest) if each)
    for node in scope.node.body:
        _visit(scope, node, found)
    scope.names -= scope.elsewhere


def _visit(scope: Scope, node: ast.AST, found: dict[str, Scope]) -> None:
    scope.nodes.append(node)
    if isinstance(node, ast.ClassDef | Definition):
        scope.names.add(node.name)
        separator = ":" if scope.parent is None else "."
        # A name may be defined twice, under an if; both count.
        name = f"{scope.id}{separator}{node.name}"
        name += "'" * sum(each.startswith(name) and each.rstrip("'") == name for each in found)
        owner = scope if scope.is_class else None
        inner = Scope(name, scope.module, scope.file, node, scope, owner)
        scope.inner[node.name] = inner
        for each in _outside_of(node):
            _visit(scope, each, found)
        _enter(inner, found)
        return
    _bind(scope, node)
    for child in ast.iter_child_nodes(node):
        _visit(scope, child, found)


def _outside_of(node: ast.ClassDef | Definition) -> Iterator[ast.AST]:
    """Iterate over what a definition evaluates where it stands: decorators, defaults, bases."""
    yield from node.decorator_list
    if isinstance(node, ast.ClassDef):
        yield from node.bases
        yield from (keyword.value for keyword in node.keywords)
    else:
        yield from node.args.defaults
        yield from (default for default in node.args.kw_defaults if default)


def _bind(scope: Scope, node: ast.AST) -> None:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            scope.names.add(name)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            scope.elsewhere.update(names)
        case ast.Import(names=aliases):
            scope.names.update(a.asname or a.name.partition(".")[0] for a in aliases)
        case ast.ImportFrom(names=aliases):
            scope.names.update(a.asname or a.name for a in aliases)
        case ast.Lambda(
            args=arguments
        ):  # in one scope with what is around it: errs towards unknown
            every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            scope.names.update(each.arg for each in every)
        case ast.ExceptHandler(name=str(name)):
            scope.names.add(name)
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            scope.names.add(name)
        case ast.MatchMapping(rest=str(name)):
            scope.names.add(name)
