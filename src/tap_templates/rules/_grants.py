"""Who may send to the template's queues and invoke its functions, gathered once for each rule.

A grant in another stack cannot be seen: what is asked for here is a grant beside the resource.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ._index import FunctionTarget, Index, Resource
from ._policies import Statement, statements
from ._values import Expr, Token, arn, expression, may_match, merged, tokens

EVENTS: Final = "events.amazonaws.com"


def queue_statements(index: Index, queue: str) -> Iterator[Statement] | None:
    """Yield the statements of the policies on a queue, None if a policy may be on any queue."""
    found: list[Statement] = []
    for kind, key in (
        ("AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SQS::QueueInlinePolicy", "Queue"),
    ):
        for policy in index.typed(kind):
            for node in policy.elements(key):
                of = index.queues_of(node.value)
                if not of and not _elsewhere(node.value):
                    return None
                if queue in of:
                    for document in policy.get("PolicyDocument"):
                        found += statements(index, document)
    return iter(found)


def may_send(index: Index, statement: Statement, queue: str) -> bool:
    """Say whether a statement may allow to send to a queue; True where it is left open."""
    return (
        statement.allows
        and statement.may_do("sqs:SendMessage")
        and (
            statement.resources is None
            or any(_may_be(index, pattern, queue) for pattern in statement.resources)
        )
    )


def _may_be(index: Index, pattern: Expr, queue: str) -> bool:
    found = arn(pattern)
    name = pattern if found is None else found.resource
    if len(name) == 1 and isinstance(name[0], Token) and name[0].logical_id in index.resources:
        return name[0].logical_id == queue
    own = index.expression({"Fn::GetAtt": [queue, "QueueName"]})
    return may_match(name, own) and (found is None or may_match(found.service, ("sqs",)))


def _elsewhere(queue: object) -> bool:
    """Say whether a queue URL is written out, and so is surely none of the template's."""
    return isinstance(queue, str)


def names_rule(index: Index, rule: Resource, source: Expr) -> bool:
    """Say whether an `aws:SourceArn` can be the ARN of a rule; True where it is left open."""
    own = Token(rule.logical_id, "Arn")
    if own in tokens(source):
        return True
    if len(source) == 1 and isinstance(source[0], Token) and source[0].attribute == "Arn":
        return source[0].logical_id not in index.resources  # that of another resource
    found = arn(source)
    if found is None:
        return True
    region = found.region[0] if len(found.region) == 1 else None
    if isinstance(region, str) and "*" not in region and region not in index.regions:
        return False
    target = merged(("rule/", *index.rule_name(rule)))
    return may_match(found.service, ("events",)) and may_match(found.resource, target)


@dataclass(frozen=True, slots=True)
class InvokePermission:
    """A Lambda permission; `function` is None where it cannot be told, `sources` where absent."""

    resource: Resource
    function: FunctionTarget | None
    sources: tuple[Expr, ...]


def event_permissions(index: Index) -> Iterator[InvokePermission]:
    """Yield the permissions by which EventBridge may invoke a function."""
    for permission in index.typed("AWS::Lambda::Permission"):
        principals = [expression(n.value) for n in permission.get("Principal")]
        if not any(may_match(p, (EVENTS,)) for p in principals):
            continue
        for node in permission.get("FunctionName"):
            sources = [n for n in permission.get("SourceArn") if n.present]
            yield InvokePermission(
                permission,
                index.function_of(node.value),
                tuple(index.expression(n.value) for n in sources),
            )
