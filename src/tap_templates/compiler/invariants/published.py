"""Published metrics: an alarm looks at a region and by dimensions for which there are data.

What an alarm names may exist, and still no datapoint ever come: these are the ways we know of.
"""

from collections.abc import Iterator, Mapping

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.metrics import ALARM, measured
from tap_templates.compiler.invariants.policies import PERMISSION_TYPES, allows, permissions
from tap_templates.compiler.invariants.values import as_list
from tap_templates.iam.patterns import covers
from tap_templates.rendered.view import Located

_EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"
_TABLES = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html"
_ROUTE53 = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html"

# Where Route 53 publishes, by partition. Other partitions are not looked at: we have read of none.
HEALTH_METRICS_REGION: Mapping[str, str] = {"aws": "us-east-1"}

# Operations that IAM knows by other names: those of transactions and of PartiQL.
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "BatchExecuteStatement": ("PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate"),
    "ExecuteStatement": ("PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate"),
    "ExecuteTransaction": ("PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate"),
    "TransactGetItems": ("GetItem",),
    "TransactWriteItems": ("ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"),
}


def _without_bus(compiled: CompiledSystem) -> Iterator[Fault]:
    buses: dict[tuple[str, str], set[str]] = {}
    for rule in compiled.view.resources("AWS::Events::Rule"):
        bus = str(rule.resource.properties.get("EventBusName", "default")).rpartition("/")[2]
        buses.setdefault((rule.stack.region, str(rule.resource.name)), set()).add(bus)
    for located, metric in measured(compiled.view):
        name = metric.dimensions.get("RuleName")
        if metric.namespace != "AWS/Events" or not name or "EventBusName" in metric.dimensions:
            continue
        found = buses.get((metric.region, name), set())
        if found and "default" not in found:
            yield fault_at(
                located,
                f"measures RuleName={name} without EventBusName, which is a rule of the default "
                f"bus; this one is on {' and '.join(sorted(found))}",
                "add the dimension EventBusName, as Rule.metric in blocks/bus.py does",
                metric.path,
            )


def _unused(compiled: CompiledSystem) -> Iterator[Fault]:
    view = compiled.view
    for located, metric in measured(view):
        table, operation = metric.dimensions.get("TableName"), metric.dimensions.get("Operation")
        if located.resource.type != ALARM or not table or not operation:
            continue
        if metric.namespace != "AWS/DynamoDB":
            continue
        arn = f"arn:{view.partition}:dynamodb:{metric.region}:{view.account}:table/{table}"
        if view.find(arn) is None:
            continue  # told by TAP-DIM-01
        actions = tuple(f"dynamodb:{each}" for each in _ACTIONS.get(operation, (operation,)))
        if not any(_granted(each, arn, actions) for each in view.resources(*PERMISSION_TYPES)):
            yield fault_at(
                located,
                f"measures {operation} on {table}, which no role of the system may do there: it "
                "never rings",
                f"measure an operation that is granted ({', '.join(actions)} is not)",
                metric.path,
            )


def _granted(located: Located, arn: str, actions: tuple[str, ...]) -> bool:
    return any(
        allows(statement, *actions)
        and any(covers(str(each), arn) for each in as_list(statement.get("Resource")))
        for _, statement in permissions(located)
    )


def _health_elsewhere(compiled: CompiledSystem) -> Iterator[Fault]:
    right = HEALTH_METRICS_REGION.get(compiled.view.partition)
    for located, metric in measured(compiled.view):
        if right and metric.namespace == "AWS/Route53" and metric.region != right:
            yield fault_at(
                located,
                f"looks for a metric of Route 53 in {metric.region}, but Route 53 publishes in "
                f"{right} alone",
                f"look at {right}: give the region of the graph, or put the alarm into a stack "
                "that is there",
                metric.path,
            )


PUBLISHED = (
    Invariant(
        code="TAP-DIM-03",
        promise="What measures a rule of a custom bus names the bus.",
        source_url=_EVENTS,
        check=_without_bus,
    ),
    Invariant(
        code="TAP-DIM-04",
        promise="An alarm on an operation of a table is on one that the system may perform.",
        source_url=_TABLES,
        check=_unused,
    ),
    Invariant(
        code="TAP-DIM-05",
        promise="Metrics of Route 53 are looked for where Route 53 publishes them.",
        source_url=_ROUTE53,
        check=_health_elsewhere,
    ),
)
