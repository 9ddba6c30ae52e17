"""Mutants of what uses roles and what admits services: machines, networks, APIs."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from tap_templates.rendered.view import Located, SystemView

OTHER = "999999999999"
Change = tuple[str, dict[str, Any]]


def more_mutants(view: SystemView) -> Iterator[tuple[str, SystemView]]:
    """Iterate over mutants of resources other than policies of roles, each with its name."""
    for kind, changes in _CHANGES.items():
        for located in view.resources(kind):
            for name, changed in changes(located):
                properties = {k: v for k, v in changed.items() if v is not None}
                yield f"{located.place}: {name}", view.with_properties(located, properties)


def _set(located: Located, **changes: Any) -> dict[str, Any]:
    return dict(located.resource.properties) | changes


def _machine(located: Located) -> Iterator[Change]:
    for path, state in _states(located.resource.properties["Definition"]):
        if state["Type"] != "Task":
            continue
        for name, changes in (
            ("skip", {"Type": "Pass"}),
            ("take another role", {"Credentials": {"RoleArn": "arn:aws:iam::1:role/x"}}),
            ("call and wait", {"Resource": f"{state['Resource']}.sync"}),
            ("call something else", {"Resource": "arn:aws:states:::batch:submitJob"}),
            ("call by the SDK", {"Resource": "arn:aws:states:::aws-sdk:s3:getObject"}),
            ("know nothing", {"Parameters": {}}),
        ):
            yield f"{path}: {name}", _changed(located, path, changes)
        for key, value in state["Parameters"].items():
            if isinstance(value, str):
                rest = {k: v for k, v in state["Parameters"].items() if k != key}
                for name, parameters in (
                    ("other", {key: f"{value}-other"}),
                    ("of the input", {f"{key}.$": "$.it"}),
                    ("computed", {key: "{% $it %}"}),
                ):
                    changed = _changed(located, path, {"Parameters": rest | parameters})
                    yield f"{path}/{key}: {name}", changed
    yield "no log", _set(located, LoggingConfiguration=None)
    yield "no traces", _set(located, TracingConfiguration=None)
    yield "another role", _set(located, RoleArn=f"arn:aws:iam::{OTHER}:role/x")
    yield "a key", _set(located, EncryptionConfiguration={"Type": "CUSTOMER_MANAGED_KMS_KEY"})


def _states(flow: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for name, state in flow["States"].items():
        here = (*path, "States", name)
        yield here, state
        for index, branch in enumerate(state.get("Branches", [])):
            yield from _states(branch, (*here, "Branches", index))
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"], (*here, "ItemProcessor"))


def _changed(located: Located, path: tuple[Any, ...], changes: dict[str, Any]) -> dict[str, Any]:
    properties = deepcopy(dict(located.resource.properties))
    found = properties["Definition"]
    for each in path:
        found = found[each]
    found.update(changes)
    return properties


def _function(located: Located) -> Iterator[Change]:
    network = located.resource.properties["VpcConfig"]
    first, *others = network["SubnetIds"]
    for name, changes in (
        ("a subnet less", {"SubnetIds": others}),
        ("a subnet elsewhere", {"SubnetIds": [first, *others, "subnet-x"]}),
        ("another group", {"SecurityGroupIds": ["sg-x"]}),
        ("no group", {"SecurityGroupIds": []}),
        ("both stacks", {"Ipv6AllowedForDualStack": True}),
    ):
        yield name, _set(located, VpcConfig=network | changes)
    yield "out of the VPC", _set(located, VpcConfig=None)
    yield "no traces", _set(located, TracingConfig=None)


def _flow_log(located: Located) -> Iterator[Change]:
    yield "another group", _set(located, LogGroupName="other")
    yield "to a bucket", _set(located, LogDestinationType="s3")
    yield "no role", _set(located, DeliverLogsPermissionArn=None)


def _endpoint(located: Located) -> Iterator[Change]:
    yield "no policy", _set(located, PolicyDocument=None)
    (statement,) = located.resource.properties["PolicyDocument"]["Statement"]
    for name, changes in (
        ("no condition", {"Condition": {}}),
        ("of another account", {"Condition": {"StringEquals": {"aws:PrincipalAccount": OTHER}}}),
        ("of any account", {"Condition": {"StringLike": {"aws:PrincipalAccount": "*"}}}),
        (
            "of another account, too",
            {"Condition": {"StringEquals": {"aws:PrincipalAccount": ["111122223333", OTHER]}}},
        ),
        (
            "of those who say so",
            {"Condition": {"StringEqualsIfExists": {"aws:PrincipalAccount": "111122223333"}}},
        ),
        ("deny", {"Effect": "Deny"}),
        ("a service", {"Principal": {"Service": "x.amazonaws.com"}}),
        ("nothing that is called", {"Action": "ec2:*"}),
        ("to nothing of ours", {"Resource": "arn:aws:s3:::x"}),
        ("NotAction", {"NotAction": "s3:*"}),
    ):
        document = {"Statement": [statement | changes]}
        yield name, _set(located, PolicyDocument=document)


def _permission(located: Located) -> Iterator[Change]:
    source = located.resource.properties["SourceArn"]
    start, stage, method, path = source.split("/")
    for wider in (
        f"{start}/*",
        f"{start}/*/*",
        f"{start}/{stage}/{method}/*",
        f"{start}/{stage}/*/{path}",
        f"{start}/{stage}/{method}/{path}*",
        f"{start}/{stage}/{method[:-1]}?/{path}",
        f"{start}/{stage}/GET/{path}",
        f"{start}-other/{stage}/{method}/{path}",
        f"{start.rpartition(':')[0]}:*/{stage}/{method}/{path}",
        source.replace("111122223333", OTHER),
        source.replace("us-east-1", "eu-west-1"),
    ):
        yield wider, _set(located, SourceArn=wider)


def _route(located: Located) -> Iterator[Change]:
    yield "open", _set(located, AuthorizationType="NONE")
    yield "all paths", _set(located, RouteKey="$default")
    yield "all methods", _set(located, RouteKey="ANY /ingest")
    yield "another path", _set(located, RouteKey="POST /other")
    yield "another target", _set(located, Target="integrations/other")
    yield "of another API", _set(located, ApiId="other")


def _integration(located: Located) -> Iterator[Change]:
    yield "another function", _set(located, IntegrationUri="arn:aws:lambda:us-east-1:1:function:x")
    yield "of another type", _set(located, IntegrationType="HTTP_PROXY")
    yield "by a role", _set(located, CredentialsArn="arn:aws:iam::1:role/x")


_CHANGES = {
    "AWS::ApiGatewayV2::Integration": _integration,
    "AWS::ApiGatewayV2::Route": _route,
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::StepFunctions::StateMachine": _machine,
}
