"""What one task of a state machine needs, read off its integration and its parameters.

An integration that is not here, and a parameter that only an execution knows, is an error.
https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tap_templates.iam.codes import Code
from tap_templates.iam.database_needs import UnknownGlobalClusterError, arns_of_global_cluster
from tap_templates.iam.knowledge import find_action
from tap_templates.iam.needs import Condition, Need, allow
from tap_templates.iam.services import UnknownTargetError, of_events, queue_arn, use_key_of
from tap_templates.rendered.machines import MachineState
from tap_templates.rendered.view import Located, SystemView

_WAITS = ".waitForTaskToken"
_JSONATA = "{%"


class IntegrationError(Exception):
    """A task cannot be judged; carries which code to report."""

    def __init__(self, code: Code, what: str) -> None:
        super().__init__(what)
        self.code = code


class _Task:
    """One task by one machine, with its parameters."""

    def __init__(self, view: SystemView, machine: Located, given: Mapping[str, Any]) -> None:
        self.view = view
        self.given = given
        self._own = f"{machine.stack.region}:{view.account}"

    def fixed(self, name: str) -> str:
        """Read a parameter that the definition itself states; it must be there."""
        return _fixed(self.given, name)

    def has(self, name: str) -> bool:
        """Tell whether a parameter is given in any way."""
        return any(key.removesuffix(".$") == name for key in self.given)

    def full(self, service: str, prefix: str, name: str) -> str:
        """Complete a name to an ARN of the machine's region."""
        if name.startswith("arn:"):
            return name
        if ":" in name:
            raise IntegrationError(Code.UNJUDGED, f"names {name}, neither a name nor a whole ARN")
        return f"arn:{self.view.partition}:{service}:{self._own}:{prefix}{name}"


def _fixed(given: Mapping[str, Any], name: str) -> str:
    if f"{name}.$" in given:
        what = f"takes its {name} from what an execution is given"
        raise IntegrationError(Code.CALL_RESOURCE, what)
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise IntegrationError(Code.CALL_RESOURCE, f"names no {name} that we can read")
    if value.strip().startswith(_JSONATA):
        raise IntegrationError(Code.CALL_RESOURCE, f"computes its {name} in an execution")
    return value


Grants = Iterable[tuple[str, str, Condition]]


def needs_of_task(
    view: SystemView, machine: Located, state: MachineState, why: str
) -> Iterator[Need]:
    """List what one task needs. Raises IntegrationError if we cannot tell."""
    if "Credentials" in state.body:
        raise IntegrationError(Code.UNJUDGED, "takes another role, by its Credentials")
    for action, resource, when in _grants(_Task(view, machine, state.given), state):
        known = find_action(action)
        if known is None:
            raise IntegrationError(Code.UNJUDGED, f"calls {action}, which IAM does not know")
        yield allow(known.name, resource, why, when)
        try:
            yield from use_key_of(view, resource, why)
        except UnknownTargetError as unknown:
            raise IntegrationError(Code.UNJUDGED, f"uses {unknown}") from unknown


def _grants(task: _Task, state: MachineState) -> Grants:
    integration = state.integration
    if integration.startswith("arn:"):  # a function itself; an activity is none
        function = state.invokes()
        if function is None:
            raise IntegrationError(Code.UNJUDGED, f"runs {integration}")
        return (("lambda:InvokeFunction", function, ()),)
    # To wait for a token takes nothing of this role: who gives it back has to be allowed to.
    rule = _INTEGRATIONS.get(integration.removesuffix(_WAITS))
    if rule is None or (integration.endswith(_WAITS) and integration.startswith("dynamodb:")):
        raise IntegrationError(Code.UNJUDGED, f"calls {integration}")
    return rule(task)


# Rules: a task → the actions and resources.


def _invoke(task: _Task) -> Grants:
    arn = task.full("lambda", "function:", task.fixed("FunctionName"))
    if task.has("Qualifier"):
        arn = f"{arn}:{task.fixed('Qualifier')}"
    yield "lambda:InvokeFunction", arn, ()


def _send(task: _Task) -> Grants:
    url = task.fixed("QueueUrl")
    arn = queue_arn(task.view, url)
    if arn is None:
        raise IntegrationError(Code.CALL_RESOURCE, f"has a queue URL we cannot read: {url}")
    yield "sqs:SendMessage", arn, ()


def _publish(task: _Task) -> Grants:
    yield "sns:Publish", task.fixed("TopicArn"), ()


def _table(action: str) -> Callable[[_Task], Grants]:
    def rule(task: _Task) -> Grants:
        arn = task.full("dynamodb", "table/", task.fixed("TableName"))
        if task.has("IndexName"):
            arn = f"{arn}/index/{task.fixed('IndexName')}"
        yield f"dynamodb:{action}", arn, ()

    return rule


def _put_events(task: _Task) -> Grants:
    entries = task.given.get("Entries")
    if not isinstance(entries, list) or not entries:
        raise IntegrationError(Code.CALL_RESOURCE, "names no Entries that we can read")
    if task.has("EndpointId"):
        raise IntegrationError(Code.UNJUDGED, "puts events through an endpoint")
    said: dict[str, tuple[set[str], set[str]]] = {}
    for entry in entries:
        bus = _fixed(entry, "EventBusName") if _names_bus(entry) else "default"
        sources, types = said.setdefault(task.full("events", "event-bus/", bus), (set(), set()))
        sources.add(_fixed(entry, "Source"))
        types.add(_fixed(entry, "DetailType"))
    for arn, (sources, types) in sorted(said.items()):
        yield "events:PutEvents", arn, of_events(sources, types)


def _names_bus(entry: Any) -> bool:
    if not isinstance(entry, Mapping):
        raise IntegrationError(Code.CALL_RESOURCE, "has an entry that we cannot read")
    return any(key.removesuffix(".$") == "EventBusName" for key in entry)


def _start(task: _Task) -> Grants:
    yield "states:StartExecution", task.fixed("StateMachineArn"), ()


def _global_cluster(action: str) -> Callable[[_Task], Grants]:
    """Move the writer: asked of the global database and of each of its clusters.

    https://docs.aws.amazon.com/r53recovery/latest/dg/security_iam_region_switch_aurora.html
    """

    def rule(task: _Task) -> Grants:
        name = task.fixed("GlobalClusterIdentifier")
        try:
            whole, members = arns_of_global_cluster(task.view, name)
        except UnknownGlobalClusterError as unknown:
            raise IntegrationError(Code.CALL_RESOURCE, f"moves the writer of {unknown}") from None
        target = task.fixed("TargetDbClusterIdentifier")
        if target not in members:
            what = f"moves the writer to {target}, which is no cluster of {name}"
            raise IntegrationError(Code.CALL_RESOURCE, what)
        for arn in (whole, *members):
            yield f"rds:{action}", arn, ()

    return rule


def _describe_global_cluster(task: _Task) -> Grants:
    name = task.fixed("GlobalClusterIdentifier")
    arn = f"arn:{task.view.partition}:rds::{task.view.account}:global-cluster:{name}"
    yield "rds:DescribeGlobalClusters", arn, ()


def _describe_cluster(task: _Task) -> Grants:
    name = task.fixed("DbClusterIdentifier")
    yield "rds:DescribeDBClusters", task.full("rds", "cluster:", name), ()


def _mapping(action: str) -> Callable[[_Task], Grants]:
    def rule(task: _Task) -> Grants:
        for name in ("FunctionName", "KmsKeyArn"):
            if task.has(name):
                raise IntegrationError(Code.UNJUDGED, f"changes the {name} of a mapping")
        mapping = task.full("lambda", "event-source-mapping:", task.fixed("Uuid"))
        yield f"lambda:{action}", mapping, ()

    return rule


Rule = Callable[[_Task], Grants]
# As the Resource of a task spells them; of the `aws-sdk` ones, those whose resource we can read.
_INTEGRATIONS: Mapping[str, Rule] = {
    "aws-sdk:dynamodb:query": _table("Query"),
    "aws-sdk:eventbridge:putEvents": _put_events,
    "aws-sdk:lambda:getEventSourceMapping": _mapping("GetEventSourceMapping"),
    "aws-sdk:lambda:invoke": _invoke,
    "aws-sdk:lambda:updateEventSourceMapping": _mapping("UpdateEventSourceMapping"),
    "aws-sdk:rds:describeDBClusters": _describe_cluster,
    "aws-sdk:rds:describeGlobalClusters": _describe_global_cluster,
    "aws-sdk:rds:failoverGlobalCluster": _global_cluster("FailoverGlobalCluster"),
    "aws-sdk:rds:switchoverGlobalCluster": _global_cluster("SwitchoverGlobalCluster"),
    "aws-sdk:sfn:startExecution": _start,
    "aws-sdk:sns:publish": _publish,
    "aws-sdk:sqs:sendMessage": _send,
    "events:putEvents": _put_events,
    "lambda:invoke": _invoke,
    "sns:publish": _publish,
    "sqs:sendMessage": _send,
    "states:startExecution": _start,
    **{
        f"{prefix}dynamodb:{action[0].lower()}{action[1:]}": _table(action)
        for prefix in ("", "aws-sdk:")
        for action in ("DeleteItem", "GetItem", "PutItem", "UpdateItem")
    },
}
