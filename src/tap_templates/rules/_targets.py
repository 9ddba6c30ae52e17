"""E9010-E9015: what must stand around the targets of an EventBridge rule for events to arrive."""

from collections.abc import Iterator
from typing import ClassVar, Final

from ._grants import EVENTS, event_permissions, may_send, names_rule, queue_statements
from ._index import FunctionTarget, Index, Resource
from ._policies import Statement, restricts
from ._rule import Fault, TapRule
from ._values import Expr, Node

_RULE: Final = "AWS::Events::Rule"
_DLQ: Final = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html"
_PERMISSIONS: Final = (
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html"
)
_DEAD_LETTERS: Final = ("DeadLetterConfig", "Arn")
_TARGET: Final = ("Arn",)


class _TargetRule(TapRule):
    tags: ClassVar[list[str]] = ["resources", "events", "disaster-recovery"]  # type: ignore[misc]  # an instance variable upstream


def _targets(index: Index) -> Iterator[tuple[Resource, Node]]:
    for rule in index.typed(_RULE):
        for target in rule.elements("Targets"):
            if target.known_object:
                yield rule, target


class TargetDeadLetters(_TargetRule):
    """Demand a dead-letter queue for each target, another event bus included.

    Silent about a target that is not written out. To do without one, name this rule in the
    resource's `Metadata: cfn-lint: config: ignore_checks`.
    """

    id = "E9010"
    shortdesc = "A target of an EventBridge rule needs a dead-letter queue"
    description = (
        "An event that cannot be delivered within the retry policy, or for lack of a permission "
        "at once, is dropped where there is no dead-letter queue."
    )
    source_url = _DLQ

    def check(self, index: Index) -> Iterator[Fault]:
        for rule, target in _targets(index):
            for queue in target.get("DeadLetterConfig", "Arn"):
                if queue.absent:
                    yield Fault(
                        queue.path,
                        f"A target of {rule.logical_id} has no dead-letter queue: add "
                        "DeadLetterConfig.Arn with a standard queue of this region",
                    )


def _queues_of_targets(index: Index, *path: str) -> Iterator[tuple[Resource, Node, str]]:
    """Yield what stands at `path` of targets and surely is a queue of the template."""
    for rule, target in _targets(index):
        if any(role.present for role in target.get("RoleArn")) and path == _TARGET:
            continue  # sends with a role, whose policy decides
        for node in target.get(*path):
            queues = index.queues_of(node.value) if node.present else frozenset()
            if len(queues) == 1:
                yield rule, node, next(iter(queues))


def _admits_events(index: Index, statement: Statement, queue: str) -> bool:
    return statement.trusts(EVENTS) and may_send(index, statement, queue)


def _not_admitted(index: Index, path: tuple[str, ...], called: str) -> Iterator[Fault]:
    """Find rules that may not send to the queue at `path` of their target."""
    for rule, node, queue in _queues_of_targets(index, *path):
        found = queue_statements(index, queue)
        if found is None:
            continue
        admitting = [s for s in found if _admits_events(index, s, queue)]
        if not admitting:
            yield Fault(
                node.path,
                f"No policy lets {rule.logical_id} send to its {called} {queue}: add "
                f"an AWS::SQS::QueuePolicy that allows {EVENTS} sqs:SendMessage with "
                "ArnEquals aws:SourceArn = the rule's ARN",
            )
        elif not any(_admits_rule(index, s, rule) for s in admitting):
            yield Fault(
                node.path,
                f"The policy of {called} {queue} is for other rules: add "
                f"{rule.logical_id}'s ARN to its condition on aws:SourceArn",
            )


class DeadLetterPolicy(_TargetRule):
    """Demand that a rule may send to its dead-letter queue.

    Looks at queues of the template. Silent where a queue policy does not show which queue it is
    for, and where a statement's parts cannot be seen.
    """

    id = "E9011"
    shortdesc = "A rule must be allowed to send to its dead-letter queue"
    description = (
        "EventBridge sends to the queue as events.amazonaws.com with the rule's ARN; without a "
        "queue policy that allows it the failed event is lost, and only a metric tells."
    )
    source_url = _DLQ

    def check(self, index: Index) -> Iterator[Fault]:
        return _not_admitted(index, _DEAD_LETTERS, "dead-letter queue")


class QueueTargetPolicy(_TargetRule):
    """Demand that a rule may send to the queue that is its target.

    Silent as E9011 is, and for a target with RoleArn.
    """

    id = "E9015"
    shortdesc = "A rule must be allowed to send to the queue that is its target"
    description = (
        "Without a queue policy that allows it, EventBridge treats every event as undeliverable "
        "and puts it into the dead-letter queue at once."
    )
    source_url = _PERMISSIONS

    def check(self, index: Index) -> Iterator[Fault]:
        return _not_admitted(index, _TARGET, "target queue")


def _sources(statement: Statement) -> tuple[Expr, ...]:
    return statement.required.get("aws:sourcearn", ())


def _admits_rule(index: Index, statement: Statement, rule: Resource) -> bool:
    sources = _sources(statement)
    return not sources or any(names_rule(index, rule, source) for source in sources)


class DeadLetterSource(_TargetRule):
    """Demand that the policy of a rule's dead-letter queue names rules.

    Silent where the conditions cannot be seen. aws:SourceAccount alone does not do here: it lets
    every rule of the account fill the queue.
    """

    id = "E9012"
    shortdesc = "The policy of a rule's dead-letter queue must be bound to rules by aws:SourceArn"
    description = "Without the condition any rule, of any account, may send to the queue."
    source_url = _DLQ

    def check(self, index: Index) -> Iterator[Fault]:
        for _, _, queue in _queues_of_targets(index, *_DEAD_LETTERS):
            for statement in queue_statements(index, queue) or ():
                if _admits_events(index, statement, queue) and not restricts(
                    statement, "aws:sourcearn"
                ):
                    yield Fault(
                        statement.path,
                        f"Any rule may send to the dead-letter queue {queue}: add the condition "
                        "ArnEquals aws:SourceArn = the ARN of the rule",
                    )


class TargetPermission(_TargetRule):
    """Demand the permission by which a rule invokes a Lambda function.

    The permission must be for the same version or alias as the target and not for another rule.
    Silent where the function cannot be told from the ARN, where a permission's function cannot
    be told, and for a target with RoleArn, which needs no permission.
    """

    id = "E9013"
    shortdesc = "A Lambda target needs a permission for EventBridge on the same alias"
    description = (
        "Without AWS::Lambda::Permission every event for the function goes to the dead-letter "
        "queue; a permission on the function does not cover its aliases."
    )
    source_url = _PERMISSIONS

    def check(self, index: Index) -> Iterator[Fault]:
        permissions = list(event_permissions(index))
        for rule, target in _targets(index):
            for node in target.get("Arn"):
                wanted = index.function_of(node.value) if node.present else None
                if wanted is None or any(r.present for r in target.get("RoleArn")):
                    continue
                if any(p.function is None for p in permissions):
                    continue
                granted = [p for p in permissions if p.function == wanted]
                if not granted:
                    beside = any(p.function and p.function.name == wanted.name for p in permissions)
                    yield Fault(node.path, _missing(rule, wanted, beside=beside))
                elif not any(
                    not p.sources or any(names_rule(index, rule, s) for s in p.sources)
                    for p in granted
                ):
                    yield Fault(
                        node.path,
                        f"The permissions on the target of {rule.logical_id} are for other rules: "
                        "add an AWS::Lambda::Permission with this rule's ARN as SourceArn",
                    )


def _missing(rule: Resource, wanted: FunctionTarget, *, beside: bool) -> str:
    what = "alias or version" if wanted.qualifier else "function"
    but = " (there is one for another qualifier, which does not cover it)" if beside else ""
    return (
        f"{rule.logical_id} may not invoke its target{but}: add an AWS::Lambda::Permission for "
        f"{EVENTS} whose FunctionName is this {what} and whose SourceArn is the rule's ARN"
    )


class PermissionSource(_TargetRule):
    """Demand SourceArn in permissions for EventBridge."""

    id = "E9014"
    shortdesc = "A Lambda permission for EventBridge needs SourceArn"
    description = "Without it a rule of any account may invoke the function."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"

    def check(self, index: Index) -> Iterator[Fault]:
        for permission in index.typed("AWS::Lambda::Permission"):
            for principal in permission.get("Principal"):
                for source in permission.get("SourceArn"):
                    if (
                        principal.text == EVENTS
                        and source.absent
                        and not source.excludes(principal)
                    ):
                        yield Fault(
                            source.path,
                            f"{permission.logical_id} lets any rule invoke the function: add "
                            "SourceArn with the ARN of the rule",
                        )


RULES = (
    TargetDeadLetters,
    DeadLetterPolicy,
    DeadLetterSource,
    TargetPermission,
    PermissionSource,
    QueueTargetPolicy,
)
