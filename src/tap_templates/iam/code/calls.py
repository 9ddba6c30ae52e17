"""Which AWS calls the code of a handler's package makes, and where we cannot tell.

Takes sources, runs nothing. All of the handler's own folder counts, reached or not; of folders that
it shares with others, what it may reach (`reach`). What cannot be followed is `Untraced`: a client
handed to code outside of the package, a method named like one of boto3 on something unknown, code
that is made at run time, a library we do not know.
"""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tap_templates.iam.code import aws
from tap_templates.iam.code.evaluate import Evaluator
from tap_templates.iam.code.infer import infer
from tap_templates.iam.code.libraries import is_judged
from tap_templates.iam.code.reach import entry_of, reach
from tap_templates.iam.code.scopes import Scope, scopes_of
from tap_templates.iam.code.values import (
    Builtin,
    Class,
    Client,
    External,
    Factory,
    Function,
    Instance,
    Item,
    Method,
    Pager,
    Plain,
    ResourceMaker,
    Unknown,
    Value,
    Values,
    carries,
)
from tap_templates.iam.knowledge import action_names

# What one would hand AWS work to; a method of that name on something unknown is suspicious.
_COMMON_SERVICES = ("dynamodb", "events", "kms", "lambda", "secretsmanager", "sns", "sqs", "ssm")
_COMMON_METHODS = frozenset(
    {
        "batch_writer",
        "client",
        "download_file",
        "generate_presigned_url",
        "get_object",
        "get_paginator",
        "get_waiter",
        "invoke",
        "list_objects_v2",
        "put_events",
        "put_object",
        "resource",
        "start_execution",
        "upload_file",
        "upload_fileobj",
    }
)
_MAKES_CODE = frozenset({"__import__", "compile", "eval", "exec"})
# Builtins that look at what they are given and keep nothing.
_LOOKS_ONLY = frozenset({"getattr", "hasattr", "id", "isinstance", "repr", "type"})
# Identity of a resource object → the parameter of the client's call that says the same.
_IDENTITIES = {
    ("dynamodb", "Table"): "TableName",
    ("sns", "Topic"): "TopicArn",
    ("sqs", "Queue"): "QueueUrl",
}


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One call of one AWS operation."""

    service: str  # as boto3 spells it
    operation: str  # as a method: put_item
    arguments: Mapping[str, Values]  # positional ones as "0", "1", …
    is_open: bool  # there may be more arguments than these
    region: Values  # empty: the function's own
    file: str
    line: int  # 1-based


@dataclass(frozen=True, slots=True, order=True)
class Untraced:
    """A place in the code of which we cannot tell whether it calls AWS, or what."""

    file: str
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Code:
    """What was found in a package."""

    calls: tuple[AwsCall, ...]
    untraced: tuple[Untraced, ...]


def find_calls(sources: Mapping[str, str], own: str | None = None) -> Code:
    """Find the AWS calls in modules given as path → source, e.g. `trading_processor/app.py`.

    `own` is the handler's own folder; the others are shared. Without it, all are its own.
    """
    try:
        scopes = scopes_of(sources)
    except SyntaxError as error:
        broken = Untraced(error.filename or "", error.lineno or 0, f"cannot be parsed: {error.msg}")
        return Code((), (broken,))
    evaluator, runs = _learn(scopes, own)
    collector = _Collector(evaluator)
    for scope in scopes.values():
        for node in scope.nodes if scope.id in runs else ():
            collector.visit(scope, node)
    calls = sorted(collector.calls, key=lambda each: (each.file, each.line, each.operation))
    return Code(tuple(calls), tuple(sorted(set(collector.untraced))))


def _learn(scopes: Mapping[str, Scope], own: str | None) -> tuple[Evaluator, Collection[str]]:
    """Learn what values there are, in the code that counts."""
    if own is None:
        return infer(scopes), scopes
    entry = entry_of(scopes, own)
    runs = reach(infer(scopes, entry), own)
    return infer(scopes, entry, runs), runs


class _Collector:
    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.calls: list[AwsCall] = []
        self.untraced: list[Untraced] = []
        self._suspicious: frozenset[str] | None = None

    def visit(self, scope: Scope, node: ast.AST) -> None:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    self._import(scope, node, alias.name)
            case ast.ImportFrom(module=module, names=aliases, level=0):
                for alias in aliases:
                    self._import(scope, node, f"{module}.{alias.name}")
            case ast.Call():
                self._call(scope, node)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._kept(scope, target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._kept(scope, target, value)
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            self._tell(scope, node, "imports everything, so that we cannot tell what")

    def _tell(self, scope: Scope, node: ast.AST, what: str) -> None:
        self.untraced.append(Untraced(scope.file, getattr(node, "lineno", 0), what))

    def _import(self, scope: Scope, node: ast.AST, name: str) -> None:
        modules = self.evaluator.scopes
        root = name.partition(".")[0]
        ours = {each.partition(".")[0].partition(":")[0] for each in modules}
        if root not in ours and not is_judged(name):
            self._tell(scope, node, f"imports {name}, of which we do not know what it calls")

    def _call(self, scope: Scope, node: ast.Call) -> None:
        functions = self.evaluator.value_of(node.func, scope)
        given = self.evaluator.arguments(node, scope)
        for function in functions:
            if isinstance(function, Method):
                self._aws_call(scope, node, function, given)
            elif isinstance(function, Factory) and function.makes != "Session":
                if aws.constants(given.get(0, "service_name")) is None or given.is_open:
                    self._tell(scope, node, "makes a client of a service we cannot tell")
            elif isinstance(function, Builtin) and function.name in _MAKES_CODE:
                self._tell(scope, node, f"calls {function.name}: code made at run time")
        if any(map(carries, given.all())):
            self._handed_on(scope, node, functions, given)
        if isinstance(node.func, ast.Attribute):
            self._unknown_method(scope, node.func)

    def _handed_on(
        self, scope: Scope, node: ast.Call, functions: Values, given: aws.Arguments
    ) -> None:
        """Judge a call that is given a client: by whom is it kept?"""
        followed = [each for each in functions if _is_followed(each)]
        if given.is_open or len(followed) < len(functions) or not functions:
            name = ast.unparse(node.func)
            self._tell(scope, node, f"gives an AWS client to {name}, which we cannot follow")
        elif Builtin("getattr") in functions and aws.constants(given.get(1, "")) is None:
            self._tell(scope, node, "takes a method by a name we cannot tell")

    def _kept(self, scope: Scope, target: ast.expr, value: ast.expr) -> None:
        """Judge an assignment to an attribute: of objects that are not ours it is lost."""
        if isinstance(target, ast.Attribute) and carries(self.evaluator.value_of(value, scope)):
            owners = self.evaluator.value_of(target.value, scope)
            if not owners or not all(isinstance(each, Instance | Class) for each in owners):
                self._tell(scope, target, f"keeps an AWS client in {ast.unparse(target)}")

    def _unknown_method(self, scope: Scope, node: ast.Attribute) -> None:
        owners = self.evaluator.value_of(node.value, scope)
        is_unknown = not owners or any(isinstance(each, Unknown) for each in owners)
        if is_unknown and self._looks_like_boto3(node.attr):
            what = f"calls {node.attr} on something we cannot tell: {ast.unparse(node.value)}"
            self._tell(scope, node, what)

    def _looks_like_boto3(self, name: str) -> bool:
        if name in _COMMON_METHODS:
            return True
        if self._suspicious is None:
            services = {each.service for each in self.calls} | set(_COMMON_SERVICES)
            names = (name for service in services for name in action_names(service))
            self._suspicious = frozenset(each.lower() for each in names)
        return name.replace("_", "") in self._suspicious

    def _aws_call(self, scope: Scope, node: ast.Call, method: Method, given: aws.Arguments) -> None:
        arguments = {str(index): values for index, values in enumerate(given.positional)}
        arguments.update(given.named)
        operation, is_open = method.name, given.is_open
        match method.owner:
            case Client() as client if operation in ("get_paginator", "get_waiter"):
                if aws.constants(given.get(0, "")) is None and not given.named:
                    self._tell(scope, node, f"calls {operation} for something we cannot tell")
                return  # the call is made where it pages or waits
            case Client() as client if operation == "generate_presigned_url":
                self._tell(scope, node, "signs a URL with rights we cannot tell")
                return
            case Client() as client:
                pass
            case Pager(client, what, is_waiter):
                operation = f"wait:{what}" if is_waiter else what
            case Item(client, kind, name):
                identity = _IDENTITIES.get((client.service, kind))
                if identity is None:
                    operation = f"{kind}.{operation}"
                elif operation == "batch_writer":
                    operation, arguments = "batch_write_item", {identity: name}
                else:
                    arguments[identity] = name
        self.calls.append(
            AwsCall(
                client.service,
                operation,
                arguments,
                is_open,
                client.region,
                scope.file,
                node.lineno,
            )
        )


def _is_followed(value: Value) -> bool:
    match value:
        case Function() | Class() | Method() | Factory() | ResourceMaker():
            return True
        case Builtin(name):
            return name in _LOOKS_ONLY
        case External(name):
            return name == "typing.cast"
        case Plain(_, name):
            return name == "get"
    return False
