"""Resources admit the services that are told to use them, and nobody else."""

import pytest
from unit.iam.planted_in_services import SILENT, add, both, change, put

from tap_templates.iam.codes import Code
from tap_templates.iam.proof import privileges

NEW = {
    Code.KEY_ADMINISTRATION,
    Code.KEY_DELEGATES,
    Code.MANAGED_KEY,
    Code.PRINCIPAL_UNEXPLAINED,
    Code.RESOURCE_DENIES,
    Code.SERVICE_BROADER,
    Code.SERVICE_CONDITION_DIFFERS,
    Code.SERVICE_MISSING,
    Code.SERVICE_NO_CONDITION,
    Code.SERVICE_UNUSED,
}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_right_is_silent(case, name):
    SILENT[name](case)
    assert case.findings() == []


def test_every_new_code_has_a_silent_neighbour():
    assert {code.name for code in NEW} <= {name.partition(":")[0] for name in SILENT}


def test_a_missing_admission_says_who_needs_it_and_how_many(case):
    case.add(
        "alerts",
        "Second",
        "AWS::CloudWatch::Alarm",
        AlarmName="alarm-second-dev",
        InsufficientDataActions=[{"Ref": "Topic"}],
    )
    case.admitted("alerts", "TopicPolicy").pop(0)
    found = [each for each in case.findings() if each.code == Code.SERVICE_MISSING.code]
    assert {each.logical_id for each in found} == {"Topic"}
    assert [each.what for each in found] == [
        "does not admit cloudwatch.amazonaws.com with sns:Publish, needed by "
        f"alerts Alarm in {region} /Properties/AlarmActions/0 and 1 more (in {region})"
        for region in ("us-east-1", "us-west-2")
    ]


def test_a_key_has_to_leave_to_iam_what_a_role_needs_of_it(case):
    SILENT["KEY_DELEGATES: what a role needs of the key"](case)
    case.admitted("processing", "QueueKey")[1]["Action"].remove("kms:Decrypt")
    found = case.findings()
    assert {each.code for each in found} == {Code.KEY_ADMINISTRATION.code}
    assert "does not leave kms:Decrypt to the account (kms:Decrypt: processing" in found[0].what


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"StringEquals": {"kms:ViaService": "sns.us-east-1.amazonaws.com"}},
        {"StringLike": {"kms:ViaService": "sqs.*.amazonaws.com"}},
    ],
)
def test_a_key_is_left_to_iam_through_the_service_that_uses_it_alone(case, condition):
    SILENT["KEY_DELEGATES: what a role needs of the key"](case)
    statement = case.admitted("processing", "QueueKey")[1]
    statement.pop("Condition")
    if condition:
        statement["Condition"] = condition
    assert Code.KEY_ADMINISTRATION.code in {each.code for each in case.findings()}


def test_a_key_that_code_uses_directly_too_is_left_to_iam_without_condition(case):
    SILENT["KEY_DELEGATES: what a role needs of the key"](case)
    key = {"Fn::GetAtt": ["QueueKey", "Arn"]}
    case.properties("processing", "Processor")["Environment"]["Variables"]["KEY"] = key
    case.handlers["trading-processor"]["trading_processor/more.py"] = (
        "import os\nimport boto3\n"
        "boto3.client('kms').decrypt(KeyId=os.environ['KEY'], CiphertextBlob=b'')\n"
    )
    case.statements("processing").append(
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    )
    assert case.codes() == {"KEY-ADMINISTRATION"}
    through, root = (
        case.admitted("processing", "QueueKey")[1],
        case.admitted("processing", "LogKey"),
    )
    through["Action"] = ["kms:GenerateDataKey"]
    case.admitted("processing", "QueueKey").append(root[0] | {"Action": "kms:Decrypt"})
    assert case.findings() == []


def test_a_condition_on_the_key_of_a_queue_is_refused_for_eventbridge(case):
    SILENT["SERVICE_NO_CONDITION: for EventBridge no condition on a key would hold"](case)
    statement = case.admitted("bus", "QueueKey")[1]
    statement["Condition"] = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    assert case.codes() == {"SERVICE-CONDITION-DIFFERS", "SERVICE-MISSING"}


def test_the_one_region_that_differs_is_told(case):
    change("processing", "LogKey", 1, Principal={"Service": "logs.us-east-1.amazonaws.com"})(case)
    found = {(each.code, each.what[-10:-1]) for each in case.findings()}
    assert found == {
        ("TAP-IAM-SERVICE-MISSING", "us-west-2"),
        ("TAP-IAM-SERVICE-UNUSED", "us-west-2"),
    }


def test_a_bucket_may_refuse_whom_it_likes(case):
    deny = {"Effect": "Deny", "Principal": {"AWS": "1"}, "Action": "s3:*", "Resource": "*"}
    both(
        add("table", "Bucket", "AWS::S3::Bucket", BucketName="b"),
        add(
            "table",
            "BucketPolicy",
            "AWS::S3::BucketPolicy",
            Bucket={"Ref": "Bucket"},
            PolicyDocument={"Statement": deny},
        ),
    )(case)
    assert case.findings() == []
    put("table", "Bucket", NotificationConfiguration={})(case)
    assert case.codes() == {"UNJUDGED"}


def test_the_privilege_table_lists_services_at_what_admits_them(case):

    def rule(region):
        return f"arn:aws:events:{region}:111122223333:rule/bus-dev/rule-dev"

    rows = [
        row
        for row in privileges(case.view(), case.handlers)
        if row.role == "events.amazonaws.com" and row.action == "sqs:SendMessage"
    ]
    assert [(row.region, row.stack, row.resource, row.condition) for row in rows] == [
        (
            region,
            "bus",
            f"arn:aws:sqs:{region}:111122223333:undelivered-dev",
            f"Equals(aws:sourceaccount = 111122223333) and Equals(aws:sourcearn = {rule(region)})",
        )
        for region in ("us-east-1", "us-west-2")
    ]
    assert rows[0].why == "bus Rule in us-east-1 /Properties/Targets/0/DeadLetterConfig/Arn"
