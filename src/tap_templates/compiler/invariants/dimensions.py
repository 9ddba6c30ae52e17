"""Dimensions: an alarm or a graph of a thing that does not exist is silent for ever."""

from collections.abc import Iterator, Mapping

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.metrics import BodyError, Metric, body_of, measured
from tap_templates.compiler.invariants.values import as_list
from tap_templates.rendered.rest_apis import REST_API, STAGE, stages_of
from tap_templates.rendered.view import Located, SystemView

_DIMENSIONS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension"
_DASHBOARD = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"

NAMES: Mapping[str, tuple[str, ...]] = {
    "ApiName": ("AWS::ApiGateway::RestApi",),
    "BackupVaultName": ("AWS::Backup::BackupVault",),
    "DBClusterIdentifier": ("AWS::RDS::DBCluster",),
    "DBInstanceIdentifier": ("AWS::RDS::DBInstance",),
    "EventBusName": ("AWS::Events::EventBus",),
    "FunctionName": ("AWS::Lambda::Function",),
    "QueueName": ("AWS::SQS::Queue",),
    "RuleName": ("AWS::Events::Rule",),
    "SourceBucket": ("AWS::S3::Bucket",),
    "Stage": ("AWS::ApiGateway::Stage",),  # of the API in ApiName
    "TableName": ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"),
    "TopicName": ("AWS::SNS::Topic",),
}
"""Dimension to the types whose name it holds."""

REFERENCES: Mapping[str, tuple[str, ...]] = {
    # The bucket of a copy is in the other region; the `Ref` of a bucket is its name.
    "DestinationBucket": ("AWS::S3::Bucket",),
    "ApiId": ("AWS::ApiGatewayV2::Api",),
    "HealthCheckId": ("AWS::Route53::HealthCheck",),
    "StateMachineArn": ("AWS::StepFunctions::StateMachine",),
}
"""Dimension to the types whose `Ref` it holds, in whatever region they are."""

FREE = frozenset({"Operation", "Resource", "RuleId", "service"})
"""Dimensions that name no resource. `RuleId` is a rule inside of a bucket; `Resource` is a
function and its alias: see FunctionName.
"""


def _unknown(compiled: CompiledSystem) -> Iterator[Fault]:
    view = compiled.view
    names, references = _existing(view)
    for located, metric in measured(view):
        for dimension, value in metric.dimensions.items():
            problem = _problem(metric, dimension, value, names, references)
            if problem:
                yield fault_at(located, problem, _remedy(dimension), metric.path)


def _problem(
    metric: Metric,
    dimension: str,
    value: str,
    names: set[tuple[str, str, str]],
    references: set[tuple[str, str]],
) -> str | None:
    if dimension in NAMES:
        if dimension == "RuleName" and "EventBusName" in metric.dimensions:
            value = f"{metric.dimensions['EventBusName']}|{value}"
        if dimension == "Stage":
            value = f"{metric.dimensions.get('ApiName')}|{value}"
        if (dimension, metric.region, value) in names:
            return None
        return f"measures {dimension}={value}, which does not exist in {metric.region}"
    if dimension in REFERENCES:
        if (dimension, value) in references:
            return None
        return f"measures {dimension}={value}, which the system does not make"
    if dimension in FREE or not metric.namespace.startswith("AWS/"):
        return None
    return f"measures by {dimension} of {metric.namespace}, which this check does not know"


def _remedy(dimension: str) -> str:
    if dimension in NAMES or dimension in REFERENCES:
        return "take the dimension from the reference of the resource, in the region it is in"
    return "add the dimension to NAMES, REFERENCES or FREE in compiler/invariants/dimensions.py"


def _existing(view: SystemView) -> tuple[set[tuple[str, str, str]], set[tuple[str, str]]]:
    names: set[tuple[str, str, str]] = set()
    references: set[tuple[str, str]] = set()
    types = {kind: dimension for dimension, kinds in NAMES.items() for kind in kinds}
    by_ref = {kind: dimension for dimension, kinds in REFERENCES.items() for kind in kinds}
    for located in view.resources():
        resource, region = located.resource, located.stack.region
        if resource.type in by_ref:
            references.add((by_ref[resource.type], resource.ref))
        name = _label(view, located) or resource.name
        if resource.type not in types or name is None:
            continue
        dimension = types[resource.type]
        names.add((dimension, region, name))
        if dimension == "RuleName":
            names.add((dimension, region, resource.ref))  # bus|rule
        for replica in as_list(resource.properties.get("Replicas")):
            names.add((dimension, str(replica.get("Region")), name))
    return names, references


def _label(view: SystemView, located: Located) -> str | None:
    """Spell what metrics call a REST API and its stages by: the label, and not the id."""
    properties = located.resource.properties
    if located.resource.type == REST_API:
        return str(properties.get("Name"))
    if located.resource.type != STAGE:
        return None
    for api in view.resources(REST_API):
        if api.stack.region == located.stack.region and located in stages_of(view, api):
            return f"{api.resource.properties.get('Name')}|{located.resource.name}"
    return None


def _unreadable(compiled: CompiledSystem) -> Iterator[Fault]:
    for located in compiled.view.resources("AWS::CloudWatch::Dashboard"):
        try:
            body_of(located)
        except BodyError as error:
            yield fault_at(
                located,
                f"its body {error}, so that CloudWatch refuses it",
                "build the body with blocks/dashboard.py, and let no variable hold a quote",
                "/Properties/DashboardBody",
            )


DIMENSIONS = (
    Invariant(
        code="TAP-DIM-01",
        promise="Every alarm and graph measures a resource that exists in the region it looks at.",
        source_url=_DIMENSIONS,
        check=_unknown,
    ),
    Invariant(
        code="TAP-DIM-02",
        promise="Every dashboard body is JSON that CloudWatch accepts.",
        source_url=_DASHBOARD,
        check=_unreadable,
    ),
)
