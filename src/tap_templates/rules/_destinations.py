"""E9304: functions that may not send their failures to where they are to be kept."""

from collections.abc import Iterator
from typing import ClassVar, Final

from ._grants import may_send
from ._index import Index, Resource
from ._policies import Statement, statements
from ._rule import Fault, TapRule
from ._values import Expr, Node, arn, expression, merged

# AWS managed policies of functions: they let nobody send to a queue.
_HARMLESS: Final = (
    ":aws:policy/AWSXRayDaemonWriteAccess",
    ":aws:policy/CloudWatchLambdaInsightsExecutionRolePolicy",
    ":aws:policy/service-role/AWSLambda",
)


class DestinationPermission(TapRule):
    """Demand sqs:SendMessage of the execution role for a function's failure destination.

    Looks at queues, functions and roles of the template, for on-failure destinations and the
    function's own dead-letter queue. Silent where the role has managed policies from outside the
    template (other than AWS's for functions), or statements that cannot be seen.
    """

    id = "E9304"
    shortdesc = "A function must be allowed to send to its failure destination"
    description = (
        "Lambda sends the failed event with the function's execution role; if that may not, the "
        "event is lost and only the metric DestinationDeliveryFailures tells."
    )
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
    tags: ClassVar[list[str]] = ["resources", "lambda", "iam"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        for function, node in _destinations(index):
            queues = index.queues_of(node.value) if node.present else frozenset()
            if len(queues) != 1:
                continue
            queue = next(iter(queues))
            for role in _roles(index, function):
                granted = _granted(index, role)
                if granted is not None and not any(may_send(index, s, queue) for s in granted):
                    yield Fault(
                        node.path,
                        f"{function.logical_id} may not send its failures to {queue}: allow its "
                        f"role {role.logical_id} sqs:SendMessage on the ARN of the queue",
                    )


def _destinations(index: Index) -> Iterator[tuple[Resource, Node]]:
    functions = {
        index.expression({"Ref": f.logical_id}): f for f in index.typed("AWS::Lambda::Function")
    }
    for function in functions.values():
        for node in function.get("DeadLetterConfig", "TargetArn"):
            yield function, node
    for config in index.typed("AWS::Lambda::EventInvokeConfig"):
        for named in config.get("FunctionName"):
            target = index.function_of(named.value)
            name = target.name if target else index.expression(named.value)
            if name in functions:
                for node in config.get("DestinationConfig", "OnFailure", "Destination"):
                    yield functions[name], node


def _role_names(index: Index) -> dict[Expr, Resource]:
    return {index.expression({"Ref": r.logical_id}): r for r in index.typed("AWS::IAM::Role")}


def _roles(index: Index, function: Resource) -> Iterator[Resource]:
    for node in function.get("Role"):
        direct = index.resource_of(node.value) if node.present else None
        if direct:
            if direct[0].type == "AWS::IAM::Role":
                yield direct[0]
            continue
        found = arn(index.expression(node.value))
        if found is not None and found.resource:
            for name, role in _role_names(index).items():
                if found.resource == merged(("role/", *name)):
                    yield role


def _granted(index: Index, role: Resource) -> list[Statement] | None:
    """Return the statements of a role, None if it has policies that cannot be seen."""
    documents: list[Node] = []
    for policy in role.elements("Policies"):
        documents += policy.get("PolicyDocument")
    for node in role.elements("ManagedPolicyArns"):
        direct = index.resource_of(node.value)
        if direct and direct[0].type == "AWS::IAM::ManagedPolicy":
            documents += direct[0].get("PolicyDocument")
        elif not _harmless(node):
            return None
    documents += _attached(index, role)
    if not all(document.known_object for document in documents):
        return None
    return [s for document in documents for s in statements(index, document)]


def _attached(index: Index, role: Resource) -> Iterator[Node]:
    """Yield the documents of the policies that name a role."""
    name = index.expression({"Ref": role.logical_id})
    for kind, key in (
        ("AWS::IAM::Policy", "Roles"),
        ("AWS::IAM::ManagedPolicy", "Roles"),
        ("AWS::IAM::RolePolicy", "RoleName"),
    ):
        for attached in index.typed(kind):
            if any(index.expression(n.value) == name for n in attached.elements(key)):
                yield from attached.get("PolicyDocument")


def _harmless(node: Node) -> bool:
    text = "".join(p if isinstance(p, str) else "aws" for p in expression(node.value))
    return any(policy in text for policy in _HARMLESS)


RULES = (DestinationPermission,)
