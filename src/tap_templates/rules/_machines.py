"""E9602: state machines whose role may not make the calls of their tasks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ._destinations import _granted, _role_names
from ._grants import may_send
from ._index import FunctionTarget, Index, Resource
from ._policies import Statement
from ._rule import Fault, TapRule
from ._values import Expr, Node, Token, arn, expression, may_match, merged, split

_MACHINE: Final = "AWS::StepFunctions::StateMachine"
# Integration: the action it takes, and the parameter that names the resource.
_CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "dynamodb:deleteItem": ("dynamodb:DeleteItem", "TableName"),
    "dynamodb:getItem": ("dynamodb:GetItem", "TableName"),
    "dynamodb:putItem": ("dynamodb:PutItem", "TableName"),
    "dynamodb:updateItem": ("dynamodb:UpdateItem", "TableName"),
    "events:putEvents": ("events:PutEvents", ""),
    "lambda:invoke": ("lambda:InvokeFunction", "FunctionName"),
    "sns:publish": ("sns:Publish", "TopicArn"),
    "sqs:sendMessage": ("sqs:SendMessage", "QueueUrl"),
    "states:startExecution": ("states:StartExecution", "StateMachineArn"),
}
# Services whose operations are IAM actions of the same name, under the same prefix.
_ALIKE: Final = frozenset({"cloudwatch", "rds", "route53", "secretsmanager", "ssm"})
_SDK: Final = "aws-sdk:"


@dataclass(frozen=True, slots=True)
class _Call:
    """What a task takes: an action, and what names its resource; None if that is not to be seen."""

    action: str
    target: Node | None
    path: tuple[str | int, ...]
    state: str


class MachineGrants(TapRule):
    """Demand of a machine's role what the machine's tasks call.

    Looks at definitions that are objects and at roles of the template, for invoking functions,
    sending, publishing, single items of tables, and operations of a few services whose actions
    have the operation's name. A resource counts as granted where the policy's text is the same
    or a pattern that may cover it. Silent where the role has managed policies from outside the
    template, or statements that cannot be seen, and about resources that are known at run time.
    """

    id = "E9602"
    shortdesc = "The role of a state machine must allow what its tasks call"
    description = (
        "A task that its role does not allow fails on every run, and first of all the one that "
        "was to undo another."
    )
    source_url = (
        "https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html"
    )
    tags: ClassVar[list[str]] = ["resources", "statemachine", "iam"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        for machine in index.typed(_MACHINE):
            roles = list(_roles(index, machine))
            for definition in machine.get("Definition"):
                for call in _calls(index, definition):
                    for role in roles:
                        yield from _missing(index, machine, role, call)


def _missing(index: Index, machine: Resource, role: Resource, call: _Call) -> Iterator[Fault]:
    granted = _granted(index, role)
    if granted is None or any(_allows(index, each, call) for each in granted):
        return
    near = any(each.allows and each.may_do(call.action) for each in granted)
    what = f"{call.action} on what it names" if near else call.action
    yield Fault(
        call.path,
        f"{machine.logical_id} may not do what its task {call.state} calls: allow its role "
        f"{role.logical_id} {what}",
    )


def _roles(index: Index, machine: Resource) -> Iterator[Resource]:
    for node in machine.get("RoleArn"):
        direct = index.resource_of(node.value) if node.present else None
        if direct:
            if direct[0].type == "AWS::IAM::Role":
                yield direct[0]
            continue
        found = arn(index.expression(node.value))
        for name, role in _role_names(index).items() if found else ():
            if found and found.resource == merged(("role/", *name)):
                yield role


def _calls(index: Index, definition: Node) -> Iterator[_Call]:
    for states in definition.get("States"):
        if not states.known_object:
            continue
        for name in states.value:
            for state in states.get(name):
                yield from _calls_of(index, str(name), state)


def _calls_of(index: Index, name: str, state: Node) -> Iterator[_Call]:
    for key in ("Branches", "ItemProcessor", "Iterator"):
        for flows in state.get(key) if state.known_object else ():
            for flow in flows.each():
                yield from _calls(index, flow)
    if not any(kind.text == "Task" for kind in state.get("Type")):
        return
    for resource in state.get("Resource"):
        yield from _call(index, name, state, resource)


def _call(index: Index, name: str, state: Node, resource: Node) -> Iterator[_Call]:
    parts = expression(resource.value)
    last = parts[-1] if parts and isinstance(parts[-1], str) else ""
    _, found, integration = last.partition(":states:::")
    if not found:
        if index.function_of(resource.value) is not None:
            yield _Call("lambda:InvokeFunction", resource, resource.path, name)
        return
    integration = integration.partition(".")[0].removeprefix(_SDK)
    service, _, operation = integration.partition(":")
    action, key = _CALLS.get(integration, ("", ""))
    if not action and service in _ALIKE and operation:
        action = f"{service}:{operation[0].upper()}{operation[1:]}"
    if not action:
        return
    targets = [
        target
        for given in ("Parameters", "Arguments")
        for target in (state.get(given, key) if key else ())
        if target.present and target.text != ""
    ]
    if not targets:
        yield _Call(action, None, resource.path, name)
    for target in targets:
        yield _Call(action, target, target.path, name)


def _allows(index: Index, statement: Statement, call: _Call) -> bool:
    if not (statement.allows and statement.may_do(call.action)):
        return False
    if statement.resources is None or call.target is None:
        return True
    return any(_reaches(index, statement, each, call) for each in statement.resources)


def _reaches(index: Index, statement: Statement, pattern: Expr, call: _Call) -> bool:
    """Say whether a resource of a statement may be the one that is called."""
    value: Any = None if call.target is None else call.target.value
    if call.action == "lambda:InvokeFunction":
        function = index.function_of(value)
        return function is None or _is_function(index, pattern, function)
    if call.action == "sqs:SendMessage":
        return _is_queue(index, statement, pattern, value)
    given, wanted = _resource(index, pattern), index.resource_of(value)
    if given and wanted:
        return given is wanted[0]
    if call.action.startswith("dynamodb:"):
        return _is_named(pattern, merged(("table/", *index.expression(value))))
    target = arn(index.expression(value))
    return target is None or _is_named(pattern, target.resource)


def _is_queue(index: Index, statement: Statement, pattern: Expr, url: Any) -> bool:
    queues = index.queues_of(url)
    if len(queues) == 1:
        return may_send(index, statement, next(iter(queues)))
    name, queue = split(index.expression(url), "/")[-1], _resource(index, pattern)
    if queue is None:
        return _is_named(pattern, name)
    return may_match(index.expression({"Fn::GetAtt": [queue.logical_id, "QueueName"]}), name)


def _resource(index: Index, pattern: Expr) -> Resource | None:
    alone = pattern[0] if len(pattern) == 1 else None
    return index.resources.get(alone.logical_id) if isinstance(alone, Token) else None


def _is_function(index: Index, pattern: Expr, wanted: FunctionTarget) -> bool:
    if len(pattern) == 1 and isinstance(pattern[0], Token):
        token = pattern[0]
        value = {"Fn::GetAtt": [token.logical_id, token.attribute]}
        given = index.function_of(value if token.attribute else {"Ref": token.logical_id})
        return given is None or (
            may_match(given.name, wanted.name) and may_match(given.qualifier, wanted.qualifier)
        )
    qualifier = (":", *wanted.qualifier) if wanted.qualifier else ()
    return _is_named(pattern, merged(("function:", *wanted.name, *qualifier)))


def _is_named(pattern: Expr, name: Expr) -> bool:
    """Say whether an ARN or a pattern may be that of a resource; True where it cannot be told."""
    found = arn(pattern)
    if found is not None:
        return may_match(found.resource, name)
    return not pattern or isinstance(pattern[0], Token) or may_match(pattern, name)


RULES = (MachineGrants,)
