"""References: what a template names exists, where it is named, and before it is needed."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.mentions import Mention
from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.iam.patterns import covers, is_pattern
from tap_templates.model.names import ARTIFACT_BUCKET, Kind
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.tokens import token
from tap_templates.rendered.view import Located, SystemView

_IAM_ARNS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"
_ENDPOINT_RULES = re.compile(r"arn:[^:]+:events:[^:]+:\d+:rule/(?P<bus>[^/]+)/(?P<rule>.+)")
_QUEUE_URL = re.compile(r"https://sqs\.(?P<region>[a-z0-9-]+)\.[a-z.]+/\d+/(?P<name>.+)")

# Rules that EventBridge makes on the buses of a global endpoint with replication.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html
MADE_BY_ENDPOINTS = "GlobalEndpointManagedRule-"

MAY_POINT_FORWARD: Mapping[str, str] = {
    "/Condition/": "a condition says who may come; it is compared when someone comes, and AWS "
    "does not ask whether that one exists",
}
"""Part of the path of a reference that may name a stack rolled out later, and why."""

# What stands for a resource in an ARN that is longer than the resource's own.
_QUALIFIED = (
    (re.compile(r"(arn:[^:]+:lambda:[^:]*:\d+:function:[^:]+):(?:\$LATEST|\d+)"), r"\1"),
    (re.compile(r"(arn:[^:]+:logs:[^:]*:\d+:log-group:[^:]+):log-stream:.*"), r"\1"),
    (re.compile(r"(arn:[^:]+:s3:::[^/]+)/.*"), r"\1"),
    (
        re.compile(r"(arn:[^:]+:states:[^:]*:\d+:)(?:execution|express):([^:]+):.*"),
        r"\1stateMachine:\2",
    ),
)
_ROUTE = re.compile(r"arn:[^:]+:execute-api:(?P<region>[^:]*):\d+:(?P<api>[^/]+)/.*")
_MADE_BY_AWS = (
    ("ec2", "network-interface/"),  # by Lambda, in the VPC of a function
    ("rds", "cluster-snapshot:awsbackup:"),  # by AWS Backup, of a cluster in a plan
    ("backup", "recovery-point:"),
)
_DATABASE_USER = re.compile(r"arn:[^:]+:rds-db:(?P<region>[^:]*):\d+:dbuser:(?P<id>[^/]+)/.+")
_SECRET = re.compile(r"arn:[^:]+:secretsmanager:(?P<region>[^:]*):\d+:secret:(?P<name>[^:]+)-\?{6}")
_SETTINGS = re.compile(r"arn:[^:]+:ssm:[^:]*:\d+:parameter/.+")
_WHO_CALLS = "/aws:PrincipalArn"
_OUR_ROLE = f"role/{Kind.ROLE.word}-"
_ANSWERS = "cloudformation-custom-resource-response-"  # CloudFormation's bucket in each region
_TABLE_PART = re.compile(r"(arn:[^:]+:dynamodb:[^:]*:\d+:table/[^/]+)/(index|stream)/(.+)")

_KINDS = {
    "AWS::CloudWatch::Alarm": Kind.ALARM,
    "AWS::DynamoDB::GlobalTable": Kind.TABLE,
    "AWS::DynamoDB::Table": Kind.TABLE,
    "AWS::Events::EventBus": Kind.BUS,
    "AWS::Events::Rule": Kind.RULE,
    "AWS::Lambda::Function": Kind.FUNCTION,
    "AWS::S3::Bucket": Kind.BUCKET,
    "AWS::SNS::Topic": Kind.TOPIC,
    "AWS::SQS::Queue": Kind.QUEUE,
    "AWS::StepFunctions::StateMachine": Kind.STATE_MACHINE,
}


def targets(mention: Mention, view: SystemView) -> tuple[Located, ...]:
    """Find what an ARN means: one resource, or all that a pattern matches."""
    if mention.target is not None:
        return (mention.target,)
    arn = mention.arn
    if part := _TABLE_PART.fullmatch(arn):
        table = view.find(part.group(1))
        return (table,) if table and _has_part(table, part.group(2), part.group(3)) else ()
    for pattern, replacement in _QUALIFIED:
        if (plain := pattern.sub(replacement, arn)) != arn and (found := view.find(plain)):
            return (found,)
    if route := _ROUTE.fullmatch(arn):  # which routes it has is for the proof to say
        apis = view.resources("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
        return tuple(
            api
            for api in apis
            if (api.stack.region, api.resource.ref) == (route["region"], route["api"])
        )
    return tuple(_generated(arn, view)) or tuple(
        located
        for located in (view.resources() if is_pattern(arn) else ())
        if located.resource.arn and covers(arn, located.resource.arn)
    )


def _generated(arn: str, view: SystemView) -> Iterator[Located]:
    """Find what is named in part by AWS: users of a database, a secret without its last letters."""
    if user := _DATABASE_USER.fullmatch(arn):
        yield from _clusters(view, user["region"], user["id"])
    elif secret := _SECRET.fullmatch(arn):
        yield from _secrets(view, secret["region"], secret["name"])
    elif _SETTINGS.fullmatch(arn):  # a path is no resource, what is below it is
        for setting in view.resources("AWS::SSM::Parameter"):
            if str(setting.resource.arn).startswith(f"{arn}/"):
                yield setting


def _clusters(view: SystemView, region: str, resource_id: str) -> Iterator[Located]:
    """Find the cluster that AWS has given an id; which users it has, its migrations say."""
    for located in view.resources("AWS::RDS::DBCluster"):
        place = f"{located.stack.stack}.{located.resource.logical_id}.DBClusterResourceId"
        if located.stack.region == region and token(place, region) == resource_id:
            yield located


def _secrets(view: SystemView, region: str, name: str) -> Iterator[Located]:
    """Find the secret of a name in a region, where it is made or where it is copied to."""
    for located in view.resources("AWS::SecretsManager::Secret"):
        copies = as_list(located.resource.properties.get("ReplicaRegions"))
        regions = {located.stack.region, *(str(copy.get("Region")) for copy in copies)}
        if located.resource.name == name and region in regions:
            yield located


def _has_part(table: Located, part: str, name: str) -> bool:
    properties = table.resource.properties
    if part == "stream":
        return "StreamSpecification" in properties
    indexes = [
        str(index.get("IndexName"))
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for index in as_list(properties.get(kind))
    ]
    return any(covers(name, index) for index in indexes)


def _is_foreign(mention: Mention, view: SystemView) -> bool:
    """Tell whether somebody else answers for it: AWS, another account, or the deployer."""
    _, _, service, _, account, resource = mention.arn.split(":", 5)
    if _WHO_CALLS in mention.path and not resource.startswith(_OUR_ROLE):
        return True  # people and roles that others make
    if account == view.account:
        # The account itself is no resource either.
        return (service, resource) == ("iam", "root") or any(
            service == made and resource.startswith(prefix) for made, prefix in _MADE_BY_AWS
        )
    if service == "states":
        return account == ""  # an integration of Step Functions, such as lambda:invoke
    if service == "s3" and resource.startswith(_ANSWERS):
        return True
    if service == "s3":
        bucket = ARTIFACT_BUCKET.replace("${AWS::Region}", mention.source.stack.region)
        return resource.partition("/")[0] == bucket.replace("${AWS::AccountId}", view.account)
    return account not in ("", "*")


def _made_by_endpoint(mention: Mention, view: SystemView) -> bool:
    match = _ENDPOINT_RULES.fullmatch(mention.arn)
    if match is None or not match.group("rule").startswith(MADE_BY_ENDPOINTS):
        return False
    for endpoint in view.resources("AWS::Events::Endpoint"):
        for bus in as_list(endpoint.resource.properties.get("EventBuses")):
            found = view.find(str(bus.get("EventBusArn")))
            region = str(bus.get("EventBusArn")).split(":")[3:4]
            if found and found.resource.name == match["bus"] and region == [mention.region]:
                return True
    return False


def _is_for_others(mention: Mention) -> bool:
    """Tell whether a pattern in an IAM policy may speak of what other systems make.

    Only asked of the one that an account has once: its roles serve the others.
    """
    return mention.source.resource.type.startswith("AWS::IAM::") and is_pattern(mention.arn)


def _dangling(compiled: CompiledSystem) -> Iterator[Fault]:
    view = compiled.view
    for mention in compiled.mentions:
        if mention.target is not None or _is_foreign(mention, view):
            continue
        if targets(mention, view) or _made_by_endpoint(mention, view):
            continue
        if compiled.system.once_per_account and _is_for_others(mention):
            continue
        matches = "matches" if is_pattern(mention.arn) else "names"
        yield fault_at(
            mention.source,
            f"{mention.arn} {matches} no resource of the system",
            "correct the name or the region, or add the resource to a stack of that region",
            mention.path,
        )


def _upstream(compiled: CompiledSystem) -> Mapping[str, frozenset[str]]:
    stacks = {stack.name: stack for stack in compiled.system.stacks}

    @cache
    def of(name: str) -> frozenset[str]:
        direct = stacks[name].depends_on
        return frozenset(direct).union(*(of(each) for each in direct))

    return {name: of(name) for name in stacks}


def _out_of_order(compiled: CompiledSystem) -> Iterator[Fault]:
    upstream = _upstream(compiled)
    for mention in compiled.mentions:
        if any(part in mention.path for part in MAY_POINT_FORWARD):
            continue
        if _is_foreign(mention, compiled.view):
            continue
        source = mention.source.stack
        for target in targets(mention, compiled.view):
            name = target.stack.stack
            if name == source.stack and target.stack.region == source.region:
                continue
            if name == source.stack:
                yield fault_at(
                    mention.source,
                    f"refers to {target.resource.logical_id} of the same stack in "
                    f"{target.stack.region}, which may not be there yet",
                    "move the reference to a stack that depends on this one",
                    mention.path,
                )
            elif name not in upstream[source.stack]:
                yield fault_at(
                    mention.source,
                    f"refers to {target.resource.logical_id} of stack {name!r}, on which "
                    f"{source.stack!r} does not depend: it may not be there yet",
                    f"add {name!r} to depends_on of {source.stack!r} in the system module",
                    mention.path,
                )


def _names_in_environment(compiled: CompiledSystem) -> Iterator[Fault]:
    view = compiled.view
    known = _names(view)
    words = {kind.word for kind in _KINDS.values()}
    for located in view.resources("AWS::Lambda::Function"):
        region = located.stack.region
        suffix = str(located.stack.parameters.get("EnvironmentSuffix", ""))
        variables = inside(located.resource.properties, "Environment", "Variables") or {}
        for variable, value in variables.items():
            where, name = region, str(value)
            if url := _QUEUE_URL.fullmatch(name):
                where, name = url["region"], url["name"]
            word = name.partition("-")[0]
            # The rule of names, so that a value by chance of another meaning is no reference.
            is_name = url or (word in words and suffix and f"-{suffix}" in name)
            if is_name and ":" not in name and (word, where, name) not in known:
                yield fault_at(
                    located,
                    f"hands its code {variable}={value}, which no resource in {where} is called",
                    "correct the variable, or add the resource to a stack of that region",
                    f"/Properties/Environment/Variables/{variable}",
                )


def _names(view: SystemView) -> set[tuple[str, str, str]]:
    known: set[tuple[str, str, str]] = set()
    for located in view.resources(*_KINDS):
        name = located.resource.name
        if name is None:
            continue
        word = _KINDS[located.resource.type].word
        known.add((word, located.stack.region, bare_name(name)))
        for replica in as_list(located.resource.properties.get("Replicas")):
            known.add((word, str(replica.get("Region")), name))
    return known


REFERENCES = (
    Invariant(
        code="TAP-REF-01",
        promise="Every ARN of our account names a resource that the system makes in that region.",
        source_url=_IAM_ARNS,
        check=_dangling,
    ),
    Invariant(
        code="TAP-REF-02",
        promise="What a stack refers to is in the stack itself or in one it depends on.",
        source_url="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html",
        check=_out_of_order,
    ),
    Invariant(
        code="TAP-REF-03",
        promise="Every resource that a function is told of by name exists in that region.",
        source_url="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
        check=_names_in_environment,
    ),
)
