"""X-01 … X-09: what every system must be, on the templates that ship.

Written apart from the compiler's own invariants, so that one can be wrong without the other.
"""

import json
import re

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as SCHEMAS
from conformance.committed import manifest_of, templates_of, view_of

import templates

SYSTEMS = [system.name for system in templates.SYSTEMS]
ONCE_PER_ACCOUNT = {system.name for system in templates.SYSTEMS if system.once_per_account}
KINDS = (
    *("alarm", "api", "archive", "bucket", "bus", "cluster", "cluster-parameters", "dashboard"),
    *("endpoint", "function", "global-cluster", "instance", "key", "machine", "policy", "queue"),
    *("role", "rule", "schedules?", "secret", "subnet-group", "table", "topic", "vault"),
)
SHARED_BY_REGIONS = {"AWS::IAM::Role", "AWS::CloudWatch::Dashboard", "AWS::S3::Bucket"}
DEAD_LETTER_METRIC = "ApproximateNumberOfMessagesVisible"

pytestmark = pytest.mark.parametrize("system", SYSTEMS, scope="module")


@pytest.fixture(scope="module")
def manifest(root, system):
    return manifest_of(root, system)


@pytest.fixture(scope="module")
def committed(root, manifest):
    return templates_of(root, manifest)


@pytest.fixture(scope="module")
def view(manifest, committed):
    return view_of(manifest, committed)


def test_x01_names_say_kind_purpose_and_suffix(view, system):
    # An alias is named within its function, a stage within its API: no names of their own.
    # A domain is what its owner calls it.
    within = {
        "AWS::ApiGateway::DomainName", "AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::DomainName",
        "AWS::ApiGatewayV2::Stage", "AWS::Lambda::Alias",
    }  # fmt: skip
    named = [
        each for each in view.resources() if each.resource.name and each.resource.type not in within
    ]
    assert named
    for each in named:
        name = each.resource.name.removeprefix("alias/")
        if each.resource.type == "AWS::Logs::LogGroup":
            # Named after what writes to it.
            assert re.fullmatch(
                r"/aws/(lambda/function|vendedlogs/(apis/api|states/machine)|vpc/vpc)-[a-z0-9-]+-dev"
                rf"|/aws/rds/cluster/cluster-[a-z-]+-dev-{each.stack.region}/postgresql",
                name,
            ), each.place
            continue
        if each.resource.type == "AWS::SSM::Parameter":
            # A path: what is read together is below one.
            assert re.fullmatch(r"/[a-z-]+/dev/[a-z0-9-]+", name), each.place
            continue
        where = rf"(-{each.stack.region})?(-{view.account})?"
        if system in ONCE_PER_ACCOUNT:
            assert re.fullmatch(rf"({'|'.join(KINDS)})-[a-z0-9-]+{where}", name), each.place
            continue
        assert re.fullmatch(rf"({'|'.join(KINDS)})-[a-z0-9-]+-dev{where}", name), each.place


def test_x01_names_in_a_namespace_shared_by_regions_carry_the_region(view, system):
    for each in view.resources(*SHARED_BY_REGIONS):
        if system in ONCE_PER_ACCOUNT and each.resource.type == "AWS::IAM::Role":
            continue  # one region makes it for all
        assert each.stack.region in each.resource.name, each.place


def test_x01_no_two_resources_have_one_name(view):
    assert list(view.collisions()) == []


def test_x02_every_taggable_resource_has_the_five_tags(view):
    tagged = 0
    for each in view.resources():
        kind = each.resource.type
        schema = SCHEMAS.get_resource_schema(each.stack.region, kind).schema
        if kind == "AWS::DynamoDB::GlobalTable":
            places = [replica["Tags"] for replica in each.resource.properties["Replicas"]]
        elif not schema.get("tagging", {}).get("taggable", False):
            continue
        else:
            where = schema["tagging"].get("tagProperty", "/properties/Tags").split("/")[-1]
            places = [each.resource.properties[where]]
        for tags in places:
            tagged += 1
            values = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
            # What has no name of its own has a tag for it.
            assert {*values} - {"Name"} == {
                "Application", "DR-Tier", "Environment", "ManagedBy", "Region",
            }, each.place  # fmt: skip
            assert values["ManagedBy"] == "tap-templates"
    assert tagged


def test_x03_every_store_is_encrypted(view):
    at_rest = {
        "AWS::SQS::Queue": lambda p: p.get("SqsManagedSseEnabled") or p.get("KmsMasterKeyId"),
        "AWS::SNS::Topic": lambda p: p.get("KmsMasterKeyId"),
        "AWS::Logs::LogGroup": lambda p: p.get("KmsKeyId"),
        "AWS::DynamoDB::GlobalTable": lambda p: p.get("SSESpecification", {}).get("SSEEnabled"),
        "AWS::S3::Bucket": lambda p: p.get("BucketEncryption"),
    }
    for each in view.resources(*at_rest):
        assert at_rest[each.resource.type](each.resource.properties), each.place


def test_x03_queues_topics_and_buckets_take_no_plain_text(view):
    guards = {
        "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues"),
        "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics"),
        "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket"),
    }
    for each in view.resources(*guards):
        policy_type, guarded = guards[each.resource.type]
        denials = [
            statement
            for policy in view.resources(policy_type)
            if policy.stack.region == each.stack.region
            and each.resource.ref in policy.resource.properties[guarded]
            for statement in policy.resource.properties["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        assert denials, each.place


def test_x04_every_function_is_built_the_same_way(view):
    roles = []
    for each in view.resources("AWS::Lambda::Function"):
        function = each.resource.properties
        assert function["Runtime"] in {"python3.13", "python3.14"}, each.place
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["ReservedConcurrentExecutions"]
        assert {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"} <= set(
            function["Environment"]["Variables"]
        )
        logs = [
            group.properties
            for group in each.stack.resources.values()
            if group.type == "AWS::Logs::LogGroup"
            and group.ref == function["LoggingConfig"]["LogGroup"]
        ]
        assert [group["RetentionInDays"] > 0 for group in logs] == [True], each.place
        roles.append(function["Role"])
    assert len(roles) == len(set(roles)), "a role is shared"


def test_x05_every_asynchronous_hop_has_a_dead_letter_queue_that_rings(view):
    hops = []
    for each in view.resources():
        properties = each.resource.properties
        match each.resource.type:
            case "AWS::Events::Rule":
                hops += [
                    (each, target["DeadLetterConfig"]["Arn"]) for target in properties["Targets"]
                ]
            case "AWS::Scheduler::Schedule":
                hops.append((each, properties["Target"]["DeadLetterConfig"]["Arn"]))
            case "AWS::SQS::Queue" if "RedrivePolicy" in properties:  # it feeds a function
                hops.append((each, properties["RedrivePolicy"]["deadLetterTargetArn"]))
            case "AWS::Lambda::EventInvokeConfig":
                hops.append((each, properties["DestinationConfig"]["OnFailure"]["Destination"]))
    for each, arn in hops:
        queue = view.find(arn)
        assert queue, each.place
        assert queue.stack.region == each.stack.region, each.place
        rings = [
            alarm.resource.properties
            for alarm in view.resources("AWS::CloudWatch::Alarm")
            if alarm.stack.region == each.stack.region
            and alarm.resource.properties["MetricName"] == DEAD_LETTER_METRIC
            and alarm.resource.properties["Dimensions"]
            == [{"Name": "QueueName", "Value": queue.resource.name}]
        ]
        assert len(rings) == 1, each.place
        assert rings[0]["Threshold"] == 0
        assert all(view.find(action) for action in rings[0]["AlarmActions"])


def test_x06_one_package_serves_both_regions(manifest, committed):
    for stack in manifest["stacks"]:
        for name, value in stack["parameters"].items():
            if isinstance(value, dict) and "package" in value:
                assert re.fullmatch(
                    r"[0-9a-f]{64}", manifest["packages"][value["package"]]["sha256"]
                )
                assert "Default" not in committed[stack["name"]]["Parameters"][name]


def test_x07_what_holds_state_says_whether_it_stays(committed):
    stateful = {
        "AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster", "AWS::S3::Bucket", "AWS::SQS::Queue",
    }  # fmt: skip
    found = [
        resource
        for template in committed.values()
        for resource in template["Resources"].values()
        if resource["Type"] in stateful
    ]
    assert found
    for resource in found:
        assert resource["DeletionPolicy"] in {"Delete", "Retain"}
        assert resource["UpdateReplacePolicy"] == resource["DeletionPolicy"]


def test_x08_every_stack_puts_out_what_others_need_under_a_name_with_the_suffix(committed, system):
    for name, template in committed.items():
        assert template["Outputs"], name
        for output in template["Outputs"].values():
            assert output["Description"]
            suffixed = "${EnvironmentSuffix}" in json.dumps(output["Export"]["Name"])
            assert suffixed == (system not in ONCE_PER_ACCOUNT)


def test_x09_every_parameter_is_explained_constrained_and_grouped(committed):
    for template in committed.values():
        form = template["Metadata"]["AWS::CloudFormation::Interface"]
        grouped = [name for group in form["ParameterGroups"] for name in group["Parameters"]]
        assert sorted(grouped) == sorted(template["Parameters"]) == sorted(form["ParameterLabels"])
        for parameter in template["Parameters"].values():
            assert parameter["Description"]
            assert parameter["ConstraintDescription"]
            assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter)


def test_a_template_is_bound_to_no_region_and_no_account(root, system, manifest):
    region = re.compile(rb"\b[a-z]{2}(-gov|-iso[a-z]?)?-(north|south|east|west|central)[a-z]*-\d\b")
    account = re.compile(rb"\b\d{12}\b")
    for stack in manifest["stacks"]:
        body = (root / "build" / "templates" / system / stack["template"]).read_bytes()
        example = body.replace(b"a region code such as eu-west-1", b"")
        assert not region.findall(example), stack["name"]
        assert not account.findall(body), stack["name"]
        assert b"arn:aws:" not in body
