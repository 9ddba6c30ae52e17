"""What each block makes, in a stack of its own that the linter has nothing to say about."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from troposphere import Equals, Ref, encode_to_dict

from tap_templates.blocks.alarm import Metric, Missing, alarm
from tap_templates.blocks.bucket import Bucket, private_bucket
from tap_templates.blocks.bus import Bus, Delivery, Rule, archive, event_bus, rule_to_queue
from tap_templates.blocks.dashboard import Graph, Line, dashboard
from tap_templates.blocks.function import Code, Function, Settings, async_function, request_function
from tap_templates.blocks.function_role import FunctionNetwork
from tap_templates.blocks.http_api import HttpApi, Jwt, Throttle, function_api
from tap_templates.blocks.key import (
    service_key,
    use_by_alarms,
    use_by_log_groups,
    use_through,
)
from tap_templates.blocks.parameters import email_parameter, generated_id
from tap_templates.blocks.queue import LONGEST_RETENTION, Queue, dead_letters, queue
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.table import Index, Table, replicated_table, strongly_consistent_table
from tap_templates.blocks.topic import Topic, alarm_topic
from tap_templates.compiler.build import build_stack
from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.compiler.render import RenderedStack, render_stack
from tap_templates.errors import BuildError, ModelError
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION, WITNESS_REGION
from tap_templates.model.package import Package
from tap_templates.model.system import Objectives, Regions, Stack, System, Where

ALARMS = Topic("ledger-alarms")
FAILED = Queue("ledger-failed")
BUS = Bus("ledger")


def bucket(stack: StackTemplate) -> None:
    kept = {"old_versions_kept": timedelta(days=30), "rarely_read_after": timedelta(days=90)}
    stack.add(*private_bucket("Audit", Bucket("audit"), **kept))


def topic(stack: StackTemplate) -> None:
    key = service_key("Alarms", "ledger-alarms", "Encrypts alarms", use_by_alarms())
    email = stack.parameter(email_parameter())
    stack.add(*key, *alarm_topic("Alarms", ALARMS, key=key, email=email))


def dead_letter_queue(stack: StackTemplate) -> None:
    stack.add(*dead_letters("Failed", FAILED, tell=ALARMS, means="Something failed."))


def bus_and_rule(stack: StackTemplate) -> None:
    bus, rule, work = event_bus("Ledger", BUS, "a bus"), Rule(BUS, "work"), Queue("work")
    failed = dead_letters("Failed", FAILED, tell=ALARMS, means="x", admits_rule=rule.arn)
    kept = queue("Work", work, retention=LONGEST_RETENTION, admits_rule=rule.arn)
    to_work = rule_to_queue(
        "Work", rule, bus,
        pattern={"source": ["ledger"]}, queue=kept, describes="moves work",
        delivery=Delivery(attempts=1, longest_age=timedelta(hours=1), dead_letters=failed),
    )  # fmt: skip
    stack.add(bus, *failed, *kept, to_work)
    stack.add(archive("Ledger", "ledger", bus, pattern={"source": ["ledger"]}, kept=timedelta(3)))


def table(stack: StackTemplate) -> None:
    indexes = [Index(name="ByDay", partition="Day", sort="At")]
    stack.add(
        strongly_consistent_table(
            "Postings",
            Table("postings"),
            key="id",
            indexes=indexes,
            replicas=(PRIMARY_REGION, SECONDARY_REGION),
            witness=WITNESS_REGION,
        )
    )


def board(stack: StackTemplate) -> None:
    line = Line(metric=FAILED.metric("ApproximateNumberOfMessagesVisible"), label="failed")
    stack.add(dashboard("Ledger", "ledger", [Graph(title="Failed", lines=[line])]))


def indexed_table(stack: StackTemplate) -> None:
    indexes = [Index(name="ByDay", partition="Day", sort="At")]
    regions = (PRIMARY_REGION, SECONDARY_REGION)
    ticks = Table("ticks")
    stack.add(replicated_table("Ticks", ticks, key=("PK", "SK"), indexes=indexes, replicas=regions))


def door(stack: StackTemplate, route: str = "POST /books") -> None:
    book, api = Function("book"), HttpApi("books")
    settings = Settings(
        describes="books",
        environment={"LEVEL": "INFO"},
        timeout=timedelta(seconds=10),
        memory_mib=256,
        concurrency=10,
        network=FunctionNetwork(vpc=VPC, subnets=(SUBNET,), security_group=GROUP),
    )
    for parameter in (VPC, SUBNET, GROUP):
        stack.parameter(parameter)
    stack.condition("HasJwt", Equals(Ref("AWS::Region"), Ref("PrimaryRegion")))
    key = service_key("Log", "book-log", "x", use_by_log_groups(book.log_group, api.log_group))
    code = Code(package=Package(name="booker"), key="k.zip", sha256="0" * 43 + "=")
    made = request_function("Book", book, code, settings, log_key=key)
    front = function_api(
        "Books", api, route=route, function=book, log_key=key, describes="Books",
        jwt=Jwt(when="HasJwt", issuer="https://login.example.com/", audience="books"),
        throttle=Throttle(rate=10, burst=5),
    )  # fmt: skip
    stack.add(*key, *made, *front)


VPC = generated_id("VpcId", "vpc", "VPC")
SUBNET = generated_id("SubnetId", "subnet", "Subnet")
GROUP = generated_id("GroupId", "sg", "Security group")
BLOCKS = (bucket, topic, dead_letter_queue, bus_and_rule, table, indexed_table, board, door)


def compiled(block: Callable[[StackTemplate], None]) -> RenderedStack:
    def module() -> StackTemplate:
        stack = StackTemplate("a block")
        block(stack)
        return stack

    stack = Stack(name="block", build=module, where=Where.BOTH)
    system = System(
        name="ledger",
        application="Ledger",
        regions=Regions(primary="us-east-1", secondary="us-west-2", witness="us-east-2"),
        objectives=Objectives(),
        stacks=(stack,),
    )
    return render_stack(build_stack(system, stack))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_the_linter_has_nothing_to_say_about_a_block(block):
    stack = compiled(block)
    regions = ("us-east-1", "us-west-2")
    results = Linter(None).lint([LintJob("ledger", "block", regions, stack.body)], lambda _: None)
    found = results["ledger", "block"].findings
    # Which regions are the pair's is the manifest's to say; alone, a body does not know.
    assert [each for each in found if each.code not in {"E9101", "E9102"}] == []


def test_a_bucket_is_private_encrypted_versioned_and_tls_only():
    resources = compiled(bucket).template["Resources"]
    properties = resources["AuditBucket"]["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in properties
    (statement,) = resources["AuditBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


def test_a_bucket_is_granted_by_folder():
    grant = encode_to_dict(Bucket("audit").put_objects("events/"))
    assert grant["Action"] == ["s3:PutObject"]
    assert grant["Resource"][0]["Fn::Sub"].endswith("-${AWS::AccountId}/events/*")


@pytest.mark.parametrize("prefix", ["", "events", "/events/", "*/", "events/*/"])
def test_a_grant_on_anything_but_a_folder_is_refused(prefix):
    with pytest.raises(ModelError, match="is granted by the prefix"):
        Bucket("audit").get_objects(prefix)


def test_a_route_asks_for_a_token_or_a_signature_and_never_for_nothing():
    resources = compiled(door).template["Resources"]
    route = resources["BooksRoute"]["Properties"]
    assert route["AuthorizationType"] == {"Fn::If": ["HasJwt", "JWT", "AWS_IAM"]}
    assert resources["BooksAuthorizer"]["Condition"] == "HasJwt"
    source = resources["BooksPermission"]["Properties"]["SourceArn"]["Fn::Sub"]
    assert source.endswith(":${BooksApi}/*/POST/books")


@pytest.mark.parametrize("route", ["/books", "post /books", "POST books", "POST"])
def test_a_route_is_a_method_and_a_path(route):
    with pytest.raises(BuildError, match="is no method and path"):
        compiled(lambda stack: door(stack, route))


def test_a_function_in_a_vpc_leaves_its_interfaces_to_lambda():
    role = compiled(door).template["Resources"]["BookRole"]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    by_sid = {each["Sid"]: each for each in statements}
    denied, allowed = by_sid["NoInterfacesByCode"], by_sid["CreateInterfaces"]
    assert denied["Effect"] == "Deny"
    assert set(denied["Action"]) == {
        action
        for sid in ("CreateInterfaces", "ManageInterfaces", "DescribeInterfaces")
        for action in by_sid[sid]["Action"]
    }
    assert len(allowed["Resource"]) == 3


def test_a_replicated_table_has_what_replication_and_its_indexes_need():
    table = compiled(indexed_table).template["Resources"]["TicksTable"]["Properties"]
    assert table["MultiRegionConsistency"] == "EVENTUAL"
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    declared = {each["AttributeName"] for each in table["AttributeDefinitions"]}
    assert declared == {"PK", "SK", "Day", "At"}


def test_sending_through_a_key_takes_two_actions_and_the_service():
    grant = encode_to_dict(use_through("Encrypt", "sns", "arn:aws:kms:r:1:key/k"))
    assert grant["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    service = {"Fn::Sub": "sns.${AWS::Region}.amazonaws.com"}
    assert grant["Condition"] == {"StringEquals": {"kms:ViaService": service}}


def test_an_alarm_takes_a_percentile_or_a_statistic():
    def made(statistic):
        metric = Metric(namespace="N", name="M", statistic=statistic, dimensions={})
        return alarm("A", "a", metric, above=1, missing=Missing.IS_AN_ALARM, tell=ALARMS, means="m")

    assert made("p99").to_dict()["Properties"]["ExtendedStatistic"] == "p99"
    assert made("Sum").to_dict()["Properties"]["Statistic"] == "Sum"
    assert made("Sum").to_dict()["Properties"]["TreatMissingData"] == "breaching"


def test_a_variable_in_a_dashboard_stands_in_its_one_sub():
    body = compiled(board).template["Resources"]["LedgerDashboard"]["Properties"]["DashboardBody"]
    assert "queue-ledger-failed-${EnvironmentSuffix}" in body["Fn::Sub"]


def processor(stack: StackTemplate, **changes) -> None:
    failed = dead_letters("Failed", FAILED, tell=ALARMS, means="x")
    code = Code(package=Package(name="booker"), key="k.zip", sha256="digest")
    settings = {
        "environment": {"LEVEL": "INFO"},
        "timeout": timedelta(seconds=10),
        "memory_mib": 256,
        "concurrency": 10,
        "describes": "books",
    }
    book = Function("book")
    key = service_key("BookLog", "book-log", "x", use_by_log_groups(book.log_group))
    made = async_function(
        "Book", book, code, Settings(**{**settings, **changes}), log_key=key, failures=failed
    )
    stack.add(*failed, *key, *made)


def described(**changes) -> object:
    resources = compiled(lambda stack: processor(stack, **changes)).template["Resources"]
    return resources["BookVersion"]["Properties"]["Description"]


@pytest.mark.parametrize(
    "change",
    [{"environment": {"LEVEL": "DEBUG"}}, {"memory_mib": 512}, {"timeout": timedelta(seconds=11)}],
    ids=str,
)
def test_a_change_that_a_version_freezes_publishes_another(change):
    assert described(**change) != described()


def test_a_change_that_a_version_does_not_freeze_publishes_none_or_lambda_would_refuse():
    assert described(concurrency=20) == described()


def test_a_parameter_in_the_configuration_stands_in_the_description_by_value():
    text = described(environment={"LEVEL": Ref("LogLevel")})["Fn::Sub"]
    assert "${LogLevel}" in text


def test_objects_are_set_aside_when_asked_and_not_before_s3_takes_them():
    rules = compiled(bucket).template["Resources"]["AuditBucket"]["Properties"][
        "LifecycleConfiguration"
    ]["Rules"]
    moved = [each["Transitions"] for each in rules if "Transitions" in each]
    assert moved == [[{"StorageClass": "STANDARD_IA", "TransitionInDays": 90}]]
    with pytest.raises(ModelError, match="after 29 days"):
        private_bucket(
            "Audit",
            Bucket("audit"),
            old_versions_kept=timedelta(days=30),
            rarely_read_after=timedelta(days=29),
        )
