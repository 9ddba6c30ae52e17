"""What AWS itself does with a role, without any call in our code, derived from the template.

Each resource type that runs with a role has a function here. A type that has none, or a property
whose needs nobody has written down, is a problem: the proof does not guess.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from tap_templates.iam.backup_needs import backup_uses
from tap_templates.iam.codes import Code
from tap_templates.iam.database_needs import cluster_uses, instance_uses
from tap_templates.iam.function_needs import FunctionNeeds
from tap_templates.iam.machine_needs import MachineNeeds
from tap_templates.iam.needs import (
    Condition,
    Need,
    Problem,
    RoleUse,
    UseOfRole,
    allow,
    condition,
    not_written_down,
)
from tap_templates.iam.replication_needs import replication_uses
from tap_templates.iam.rest_api_needs import account_uses
from tap_templates.iam.services import UnknownTargetError, deliver, kind_of, of_events
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.machines import STATE_MACHINE
from tap_templates.rendered.view import Located, Reference, SystemView

Outcome = UseOfRole
EVENTS = "events.amazonaws.com"
# EventBridge names the rules with which an endpoint replicates like this.
_MANAGED_RULE = "GlobalEndpointManagedRule-*"
_MANAGE_RULE = (
    "events:DeleteRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
)
_WRITE_FLOW_LOG = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")


def role_uses(view: SystemView) -> list[Outcome]:
    """List who runs with which role and what that takes, with what could not be judged."""
    found: list[Outcome] = []
    for located in view.resources():
        judge = _USERS.get(located.resource.type)
        if judge is not None:
            found += judge(view, located)
    used = {(id(each.user.resource), each.path) for each in found if isinstance(each, RoleUse)}
    for reference in view.references():
        if _is_unexplained(reference, used):
            found.append(
                Problem(
                    Code.ROLE_USER_UNKNOWN,
                    reference.source,
                    reference.path,
                    f"runs with {reference.arn}, but nobody wrote down what it does with it",
                    f"add {reference.source.resource.type} to iam/platform_needs.py",
                )
            )
    return found


def _is_unexplained(reference: Reference, used: set[tuple[int, str]]) -> bool:
    target = reference.target
    if target is None or target.resource.type != "AWS::IAM::Role":
        return False
    if (id(reference.source.resource), reference.path) in used:
        return False
    # A policy speaks of roles; it does not run with them.
    first = reference.path.split("/")[2]
    return first not in _POLICY_PROPERTIES.get(reference.source.resource.type, ())


_POLICY_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "AWS::Backup::BackupVault": ("AccessPolicy",),
    "AWS::DynamoDB::GlobalTable": ("Replicas",),
    "AWS::EC2::VPCEndpoint": ("PolicyDocument",),
    "AWS::Events::EventBus": ("Policy",),
    "AWS::Events::EventBusPolicy": ("Statement",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::Role": ("Policies", "AssumeRolePolicyDocument"),
    "AWS::IAM::RolePolicy": ("PolicyDocument",),
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
}


def _function(view: SystemView, located: Located) -> Iterator[Outcome]:
    needs = FunctionNeeds(view, located)
    yield RoleUse(
        role_arn=str(located.resource.properties.get("Role")),
        user=located,
        path="/Properties/Role",
        principal="lambda.amazonaws.com",
        sends_source=False,  # Lambda assumes a function's role without source keys
        needs=tuple(needs.collect()),
    )
    yield from needs.problems


def _schedule(view: SystemView, located: Located) -> Iterator[Outcome]:
    properties = located.resource.properties
    target = properties.get("Target", {})
    place, stack = "/Properties/Target", located.stack
    group = bare_name(str(properties.get("GroupName", "default")))
    use = RoleUse(
        role_arn=str(target.get("RoleArn")),
        user=located,
        path=f"{place}/RoleArn",
        principal="scheduler.amazonaws.com",
        # The group and not the schedule:
        # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        source_arn=f"arn:{view.partition}:scheduler:{stack.region}:{view.account}:"
        f"schedule-group/{group}",
    )
    when: Condition = ()
    if kind_of(str(target.get("Arn"))) == "events:event-bus":
        event = target.get("EventBridgeParameters", {})
        when = of_events([str(event.get("Source"))], [str(event.get("DetailType"))])
    needs: list[Need] = []
    if "KmsKeyArn" in properties:
        yield _unjudged(located, "/Properties/KmsKeyArn", "encrypts the schedule with a key")
    for path, arn, conditions in (
        (f"{place}/Arn", target.get("Arn"), when),
        (f"{place}/DeadLetterConfig/Arn", target.get("DeadLetterConfig", {}).get("Arn"), ()),
    ):
        if arn is None:
            continue
        try:
            needs += deliver(view, str(arn), f"{located.place} {path}", conditions)
        except UnknownTargetError as unknown:
            yield _unjudged(located, path, f"delivers to {unknown}")
    yield replace(use, needs=tuple(needs))


def _rule(view: SystemView, located: Located) -> Iterator[Outcome]:
    if "RoleArn" in located.resource.properties:
        yield _unjudged(located, "/Properties/RoleArn", "gives a role to all targets of the rule")
    for index, target in enumerate(located.resource.properties.get("Targets", [])):
        if "RoleArn" not in target:
            continue  # delivered under the target's resource policy
        path = f"/Properties/Targets/{index}"
        try:
            needs = deliver(view, str(target.get("Arn")), f"{located.place} {path}/Arn")
        except UnknownTargetError as unknown:
            yield _unjudged(located, path, f"delivers to {unknown}")
            needs = []
        yield RoleUse(
            role_arn=str(target["RoleArn"]),
            user=located,
            path=f"{path}/RoleArn",
            principal=EVENTS,
            source_arn=located.resource.arn,
            needs=tuple(needs),
        )


def _endpoint(view: SystemView, located: Located) -> Iterator[Outcome]:
    """Judge a global endpoint, which replicates between its buses with managed rules.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html
    """
    properties = located.resource.properties
    if "RoleArn" not in properties:
        return
    role = str(properties["RoleArn"])
    replicates = properties.get("ReplicationConfig", {}).get("State", "ENABLED") == "ENABLED"
    needs: list[Need] = []
    for index, each in enumerate(properties.get("EventBuses", [])) if replicates else ():
        bus = str(each.get("EventBusArn"))
        path = f"/Properties/EventBuses/{index}"
        why = f"{located.place} {path}"
        rules = bus.replace(":event-bus/", ":rule/") + f"/{_MANAGED_RULE}"
        try:
            needs += deliver(view, bus, why)
        except UnknownTargetError as unknown:
            yield _unjudged(located, path, f"replicates to {unknown}")
        needs += [allow(action, rules, why) for action in _MANAGE_RULE]
    if replicates:
        to_events = condition(("StringEquals", "iam:PassedToService", [EVENTS]))
        why = f"{located.place} /Properties/RoleArn"
        needs.append(allow("iam:PassRole", role, why, to_events))
    # Whether an endpoint sends its ARN as aws:SourceArn is not documented.
    yield RoleUse(
        role_arn=role,
        user=located,
        path="/Properties/RoleArn",
        principal=EVENTS,
        needs=tuple(needs),
    )


def _machine(view: SystemView, located: Located) -> Iterator[Outcome]:
    needs = MachineNeeds(view, located)
    yield RoleUse(
        role_arn=str(located.resource.properties.get("RoleArn")),
        user=located,
        path="/Properties/RoleArn",
        principal="states.amazonaws.com",
        # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
        source_arn=located.resource.arn,
        needs=tuple(needs.collect()),
    )
    yield from needs.problems


def _flow_log(view: SystemView, located: Located) -> Iterator[Outcome]:
    """Judge a flow log that is published to a log group.

    The documented list of actions is for any log group, on `*`. Ours exists, so that nothing has to
    be created or searched but streams; AWS's own CDK grants the same three.
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    properties, region = located.resource.properties, located.stack.region
    if properties.get("LogDestinationType", "cloud-watch-logs") != "cloud-watch-logs":
        path = "/Properties/LogDestinationType"
        yield _unjudged(located, path, f"is published to {properties['LogDestinationType']}")
        return
    own = f"{region}:{view.account}"
    name = "LogDestination" if "LogDestination" in properties else "LogGroupName"
    stated = str(properties.get(name)).removesuffix(":*")
    is_arn = stated.startswith("arn:")
    group = stated if is_arn else f"arn:{view.partition}:logs:{own}:log-group:{stated}"
    found = view.find(group)
    if found is None or found.resource.type != "AWS::Logs::LogGroup":
        yield Problem(
            Code.NO_LOG_GROUP,
            located,
            f"/Properties/{name}",
            f"is published to {stated}, which is not in the system",
            "declare the log group with its retention and name it in LogGroupName",
        )
        return
    why = f"{located.place} /Properties/{name}"
    yield RoleUse(
        role_arn=str(properties.get("DeliverLogsPermissionArn")),
        user=located,
        path="/Properties/DeliverLogsPermissionArn",
        principal="vpc-flow-logs.amazonaws.com",
        # AWS makes the id after the role is there, so that the role can only name the kind.
        source_arn=f"arn:{view.partition}:ec2:{own}:vpc-flow-log/*",
        needs=tuple(allow(action, f"{group}:*", why) for action in _WRITE_FLOW_LOG),
    )


def _unjudged(located: Located, path: str, what: str) -> Problem:
    return not_written_down(located, path, what, "iam/platform_needs.py or iam/services.py")


_USERS: Mapping[str, Callable[[SystemView, Located], Iterator[Outcome]]] = {
    "AWS::ApiGateway::Account": account_uses,
    "AWS::Backup::BackupSelection": backup_uses,
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::Events::Endpoint": _endpoint,
    "AWS::Events::Rule": _rule,
    "AWS::Lambda::Function": _function,
    "AWS::RDS::DBCluster": cluster_uses,
    "AWS::RDS::DBInstance": instance_uses,
    "AWS::S3::Bucket": replication_uses,
    "AWS::Scheduler::Schedule": _schedule,
    STATE_MACHINE: _machine,
}
