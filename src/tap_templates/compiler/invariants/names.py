"""Names: one rule for every physical name (X-01, `model/names`), and no name twice."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tap_templates.compiler.invariants.invariant import (
    AcrossFault,
    AcrossInvariant,
    CompiledSystem,
    Fault,
    Invariant,
    fault_at,
)
from tap_templates.compiler.invariants.values import as_list, inside, number, tag_values
from tap_templates.model.names import LONGEST_REGION, LONGEST_SUFFIX, Kind, Scope
from tap_templates.rendered.view import Located

_NAMES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html"
_COPIED_ALARM = (
    "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html"
)


@dataclass(frozen=True, slots=True)
class Naming:
    """Which property holds the name, and what the rule says of it."""

    property: str
    kind: Kind
    before: str = ""  # what AWS wants in front of the name


NAMED: Mapping[str, Naming] = {
    "AWS::ApiGateway::RestApi": Naming("Name", Kind.API),
    "AWS::ApiGatewayV2::Api": Naming("Name", Kind.API),
    "AWS::Backup::BackupVault": Naming("BackupVaultName", Kind.VAULT),
    "AWS::CloudWatch::Alarm": Naming("AlarmName", Kind.ALARM),
    "AWS::CloudWatch::CompositeAlarm": Naming("AlarmName", Kind.ALARM),
    "AWS::CloudWatch::Dashboard": Naming("DashboardName", Kind.DASHBOARD),
    "AWS::DynamoDB::GlobalTable": Naming("TableName", Kind.TABLE),
    "AWS::DynamoDB::Table": Naming("TableName", Kind.TABLE),
    "AWS::Events::Archive": Naming("ArchiveName", Kind.ARCHIVE),
    "AWS::Events::Endpoint": Naming("Name", Kind.ENDPOINT),
    "AWS::Events::EventBus": Naming("Name", Kind.BUS),
    "AWS::Events::Rule": Naming("Name", Kind.RULE),
    "AWS::IAM::ManagedPolicy": Naming("ManagedPolicyName", Kind.POLICY),
    "AWS::IAM::Role": Naming("RoleName", Kind.ROLE),
    "AWS::KMS::Alias": Naming("AliasName", Kind.KEY, before="alias/"),
    "AWS::Lambda::Function": Naming("FunctionName", Kind.FUNCTION),
    "AWS::RDS::DBCluster": Naming("DBClusterIdentifier", Kind.CLUSTER),
    "AWS::RDS::DBClusterParameterGroup": Naming(
        "DBClusterParameterGroupName", Kind.CLUSTER_PARAMETERS
    ),
    "AWS::RDS::DBInstance": Naming("DBInstanceIdentifier", Kind.INSTANCE),
    "AWS::RDS::DBSubnetGroup": Naming("DBSubnetGroupName", Kind.SUBNET_GROUP),
    "AWS::RDS::GlobalCluster": Naming("GlobalClusterIdentifier", Kind.GLOBAL_CLUSTER),
    "AWS::S3::Bucket": Naming("BucketName", Kind.BUCKET),
    "AWS::SNS::Topic": Naming("TopicName", Kind.TOPIC),
    "AWS::SQS::Queue": Naming("QueueName", Kind.QUEUE),
    "AWS::Scheduler::Schedule": Naming("Name", Kind.SCHEDULE),
    "AWS::Scheduler::ScheduleGroup": Naming("Name", Kind.SCHEDULE_GROUP),
    "AWS::SecretsManager::Secret": Naming("Name", Kind.SECRET),
    "AWS::StepFunctions::StateMachine": Naming("StateMachineName", Kind.STATE_MACHINE),
}

LABELLED = frozenset({"AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"})
"""Types whose name is a label: AWS knows them by an id of its own, and takes one label twice."""

SETTING = "AWS::SSM::Parameter"
LOG_GROUP = "AWS::Logs::LogGroup"
_PATHS: Mapping[str, str] = {LOG_GROUP: "LogGroupName", SETTING: "Name"}
"""Types whose names are paths, with the property they are in."""
_LOG_GROUP_NAME = re.compile(
    r"/aws/(?P<service>[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?)/(?P<name>[^/]+)(/postgresql)?"
)

_BY_TAG = "AWS generates its id; the tag Name says what it is"
WITHOUT_NAME: Mapping[str, str] = {
    "AWS::ApiGateway::Account": "there is one in a region of an account",
    "AWS::ApiGateway::BasePathMapping": "part of its domain",
    "AWS::ApiGateway::Deployment": "AWS generates its id; its logical id says what is in it",
    "AWS::ApiGateway::DomainName": "it is called like the domain, which is a parameter",
    "AWS::ApiGateway::GatewayResponse": "part of its API",
    "AWS::ApiGateway::Method": "part of its API",
    "AWS::ApiGateway::Model": "part of its API",
    "AWS::ApiGateway::RequestValidator": "part of its API",
    "AWS::ApiGateway::Resource": "part of its API",
    "AWS::ApiGateway::Stage": "part of its API",
    "AWS::ApiGatewayV2::ApiMapping": "part of its domain",
    "AWS::ApiGatewayV2::Authorizer": "part of its API",
    "AWS::ApiGatewayV2::DomainName": "it is called like the domain, which is a parameter",
    "AWS::ApiGatewayV2::Integration": "part of its API",
    "AWS::ApiGatewayV2::Route": "part of its API",
    "AWS::ApiGatewayV2::Stage": "part of its API",
    "AWS::Backup::BackupPlan": "AWS generates its id; its label is inside the plan",
    "AWS::Backup::BackupSelection": "part of its plan",
    "AWS::CertificateManager::Certificate": "AWS generates it",
    "AWS::CloudFormation::CustomResource": "the function that answers for it says what it is",
    "Custom::SchemaMigration": "the function that answers for it says what it is",
    "AWS::EC2::EIP": _BY_TAG,
    "AWS::EC2::FlowLog": _BY_TAG,
    "AWS::EC2::InternetGateway": _BY_TAG,
    "AWS::EC2::NatGateway": _BY_TAG,
    "AWS::EC2::Route": "part of its route table",
    "AWS::EC2::RouteTable": _BY_TAG,
    "AWS::EC2::SecurityGroup": _BY_TAG,
    "AWS::EC2::SecurityGroupEgress": "part of its group",
    "AWS::EC2::SecurityGroupIngress": "part of its group",
    "AWS::EC2::Subnet": _BY_TAG,
    "AWS::EC2::SubnetRouteTableAssociation": "part of its route table",
    "AWS::EC2::VPC": _BY_TAG,
    "AWS::EC2::VPCEndpoint": _BY_TAG,
    "AWS::EC2::VPCGatewayAttachment": "part of its VPC",
    "AWS::EC2::VPCPeeringConnection": _BY_TAG,
    "AWS::Events::EventBusPolicy": "part of its bus",
    "AWS::IAM::RolePolicy": "part of its role",
    "AWS::KMS::Key": "AWS generates it; the alias carries the name",
    "AWS::KMS::ReplicaKey": "AWS generates it; the alias carries the name",
    "AWS::Lambda::Alias": "its name is part of its function's ARN",
    "AWS::Lambda::EventInvokeConfig": "part of its function",
    "AWS::Lambda::EventSourceMapping": "AWS generates it",
    "AWS::Lambda::Permission": "part of its function",
    "AWS::Lambda::Url": "part of its function",
    "AWS::Lambda::Version": "AWS counts them",
    "AWS::Route53::HealthCheck": "AWS generates it",
    "AWS::Route53::HostedZone": "it is called like the domain, which is a parameter",
    "AWS::Route53::RecordSet": "part of its zone",
    "AWS::S3::BucketPolicy": "part of its bucket",
    "AWS::SNS::Subscription": "AWS generates it",
    "AWS::SNS::TopicPolicy": "part of its topic",
    "AWS::SQS::QueuePolicy": "part of its queue",
}
"""Types that take no name of ours, and why."""


def _name(located: Located) -> str | None:
    if located.resource.type in LABELLED:
        stated = located.resource.properties.get(NAMED[located.resource.type].property)
        return None if stated is None else str(stated)
    return located.resource.name


def _by_rule(compiled: CompiledSystem) -> Iterator[Fault]:
    for located in compiled.view.resources(*NAMED):
        if _name(located) is None:
            continue  # told by the check for missing names
        naming = NAMED[located.resource.type]
        if problem := _problem(compiled, located, naming):
            yield fault_at(
                located,
                f"is called {_name(located)!r}: {problem}",
                f"take the name from Name(Kind.{naming.kind.name}, …).text() in model/names.py",
                f"/Properties/{naming.property}",
            )
    for located in compiled.view.resources(SETTING):
        suffix = str(located.stack.parameters.get("EnvironmentSuffix"))
        shape = rf"/[a-z][a-z0-9]*(-[a-z0-9]+)*/{re.escape(suffix)}/[a-z][a-z0-9]*(-[a-z0-9]+)*"
        if located.resource.name and not re.fullmatch(shape, located.resource.name):
            yield fault_at(
                located,
                f"is called {located.resource.name!r}: the rule is /<purpose>/{suffix}/<key>",
                "take the path from setting_path() in model/names.py",
                "/Properties/Name",
            )
    functions = {
        (located.stack.region, located.resource.name)
        for located in compiled.view.resources("AWS::Lambda::Function")
    }
    names = {
        (located.stack.region, _name(located)) for located in compiled.view.resources(*NAMED)
    } | {
        (located.stack.region, tag_values(located.resource.properties.get("Tags")).get("Name"))
        for located in compiled.view.resources("AWS::EC2::VPC")
    }
    for located in compiled.view.resources(LOG_GROUP):
        match = _LOG_GROUP_NAME.fullmatch(located.resource.name or "")
        owners = functions if match and match["service"] == "lambda" else names
        if located.resource.name and not (
            match and (located.stack.region, match["name"]) in owners
        ):
            yield fault_at(
                located,
                f"is called {located.resource.name!r}, which is no /aws/<service>/<name> of a "
                "resource in its region",
                "name the log group after the function or resource that writes to it",
                "/Properties/LogGroupName",
            )


def _problem_once(compiled: CompiledSystem, located: Located, naming: Naming) -> str | None:
    """Say what of the rule does not hold for what the account has once."""
    ending = ""
    if naming.kind.scope is Scope.WORLD:
        ending = f"-{located.stack.region}-{compiled.view.account}"
    shape = f"{naming.before}{naming.kind.word}-[a-z][a-z0-9]*(-[a-z0-9]+)*{re.escape(ending)}"
    if re.fullmatch(shape, str(_name(located))) is None:
        return f"the rule is {naming.before}{naming.kind.word}-<purpose>{ending}"
    return None


def _problem(compiled: CompiledSystem, located: Located, naming: Naming) -> str | None:
    """Say what of the rule does not hold, in the order a reader would check it."""
    kind, region = naming.kind, located.stack.region
    name = str(_name(located))
    if compiled.system.once_per_account:
        return _problem_once(compiled, located, naming)
    suffix = located.stack.parameters.get("EnvironmentSuffix")
    raw = json.dumps(located.resource.raw["Properties"][naming.property])
    if not isinstance(suffix, str) or "${EnvironmentSuffix}" not in raw:
        return "it does not end with the parameter EnvironmentSuffix"
    ending = suffix
    longest = len(name) - len(suffix) + LONGEST_SUFFIX
    if kind.scope is not Scope.REGION:
        ending += f"-{region}"
        longest += LONGEST_REGION - len(region)
    if kind.scope is Scope.WORLD:
        ending += f"-{compiled.view.account}"
    shape = (
        f"{naming.before}{kind.word}-(?P<purpose>[a-z][a-z0-9]*(-[a-z0-9]+)*)-{re.escape(ending)}"
    )
    match = re.fullmatch(shape, name)
    if match is None:
        return f"the rule is {naming.before}{kind.word}-<purpose>-{ending}"
    for each in compiled.view.regions():
        if each in match["purpose"]:
            return f"it names {each}, though regions do not share this namespace"
    if longest - len(naming.before) > kind.longest:
        return f"it can become {longest} characters long, AWS allows {kind.longest}"
    return None


def _unnamed(compiled: CompiledSystem) -> Iterator[Fault]:
    for located in compiled.view.resources():
        kind = located.resource.type
        if kind in _PATHS or kind in NAMED:
            if _name(located) is None:
                named = NAMED[kind].property if kind in NAMED else _PATHS[kind]
                yield fault_at(
                    located,
                    "is named by AWS, so that nothing outside its stack can compute its name",
                    f"set {named} by the rule in model/names.py",
                )
        elif kind not in WITHOUT_NAME:
            yield fault_at(
                located,
                f"is of type {kind}, of which this check does not know how it is named",
                "add the type to NAMED or WITHOUT_NAME in compiler/invariants/names.py",
            )


def _settings_in_name(compiled: CompiledSystem) -> Iterator[Fault]:
    """Route 53 copies an alarm's settings once: an edit must make another alarm."""
    view = compiled.view
    copied = {
        (str(alarm.get("Region")), str(alarm.get("Name")))
        for check in view.resources("AWS::Route53::HealthCheck")
        if (alarm := inside(check.resource.properties, "HealthCheckConfig", "AlarmIdentifier"))
    }
    for located in view.resources("AWS::CloudWatch::Alarm"):
        if (located.stack.region, str(located.resource.name)) not in copied:
            continue
        in_name = {float(each) for each in re.findall(r"\d+", str(located.resource.name))}
        for setting in ("Threshold", "EvaluationPeriods", "Period"):
            if number(located.resource.properties.get(setting)) not in in_name:
                yield fault_at(
                    located,
                    f"is copied by a Route 53 health check, but its name does not carry {setting}: "
                    "an edit would not reach the health check",
                    f"put {setting} into AlarmName, so that an edit makes another alarm",
                    "/Properties/AlarmName",
                )


def _twice(compiled: CompiledSystem) -> Iterator[Fault]:
    for arn, (first, *others) in compiled.view.collisions():
        for other in others:
            yield fault_at(
                other,
                f"would be {arn}, which {first.place} already is",
                "rename one of them, or, if regions share the namespace, put the region into "
                "the name",
            )


def _arns(compiled: CompiledSystem) -> dict[str, Located]:
    found: dict[str, Located] = {}
    for located in compiled.view.resources():
        arn = located.resource.arn
        if arn is None:
            continue
        found[arn] = located
        for replica in as_list(located.resource.properties.get("Replicas")):
            found[arn.replace(located.stack.region, str(replica.get("Region")), 1)] = located
    return found


def _twice_across(systems: Sequence[CompiledSystem]) -> Iterator[AcrossFault]:
    owners: dict[str, str] = {}
    exports: dict[tuple[str, str], str] = {}
    for compiled in systems:
        name = compiled.system.name
        for arn, located in _arns(compiled).items():
            # Two systems may have a stack and a resource of one name: tokens prove nothing.
            if "<" not in arn and owners.setdefault(arn, name) != name:
                fault = fault_at(
                    located,
                    f"would be {arn}, which system {owners[arn]!r} already makes",
                    "rename one of them: systems share the account",
                )
                yield AcrossFault(name, fault)
        for stack in compiled.view.stacks:
            for output, export in stack.exports.items():
                if exports.setdefault((stack.region, export), name) != name:
                    fault = Fault(
                        stack=stack.stack,
                        region=stack.region,
                        path=f"/Outputs/{output}/Export/Name",
                        what=f"exports {export!r}, which system "
                        f"{exports[stack.region, export]!r} already exports",
                        remedy="rename one of them: systems share the account",
                    )
                    yield AcrossFault(name, fault)


NAMES = (
    Invariant(
        code="TAP-NAME-01",
        promise="Every physical name follows the one rule of names (X-01).",
        source_url=_NAMES,
        check=_by_rule,
    ),
    Invariant(
        code="TAP-NAME-02",
        promise="Everything that can have a name has one, so that it can be referred to.",
        source_url=_NAMES,
        check=_unnamed,
    ),
    Invariant(
        code="TAP-NAME-03",
        promise="No two resources of the system would have the same ARN.",
        source_url=_NAMES,
        check=_twice,
    ),
    Invariant(
        code="TAP-NAME-04",
        promise="An alarm that Route 53 copies carries its settings in its name.",
        source_url=_COPIED_ALARM,
        check=_settings_in_name,
    ),
)

NAMES_ACROSS = (
    AcrossInvariant(
        code="TAP-NAME-05",
        promise="No two systems claim the same ARN or the same export name.",
        source_url=_NAMES,
        check=_twice_across,
    ),
)
