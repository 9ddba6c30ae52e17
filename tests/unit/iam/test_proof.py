"""Needs equal grants: one planted fault for each code, and the system without any."""

from collections.abc import Callable
from typing import Any

import pytest
from unit.iam import planted_in_market, planted_in_services

from tap_templates.iam.codes import Code
from tap_templates.iam.proof import privileges

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_a_system_whose_needs_equal_its_grants_is_silent(case):
    assert case.findings() == []


def _statement(stack: str, index: int, **changes: Any) -> Callable[[Any], None]:
    return lambda case: case.statements(stack)[index].update(changes)


def _trust(stack: str, **changes: Any) -> Callable[[Any], None]:
    return lambda case: case.trust(stack).update(changes)


def _property(stack: str, logical_id: str, **changes: Any) -> Callable[[Any], None]:
    return lambda case: case.properties(stack, logical_id).update(changes)


def _code(body: str) -> Callable[[Any], None]:
    def plant(case: Any) -> None:
        sources = case.handlers["trading-processor"]
        sources["trading_processor/more.py"] = f"import os\nimport boto3\n{body}\n"

    return plant


def _add(stack: str, logical_id: str, kind: str, **properties: Any) -> Callable[[Any], None]:
    return lambda case: case.add(stack, logical_id, kind, **properties)


def _add_role(case: Any) -> None:
    case.templates["bus"]["Resources"]["Idle"] = case.templates["bus"]["Resources"]["Role"] | {
        "Properties": case.properties("bus", "Role") | {"RoleName": "idle"}
    }


OWN_TABLE = {"Fn::Sub": "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/transactions-dev"}
FAULTS = [
    (Code.MISSING, lambda case: case.statements("processing").pop(3)),
    (Code.MISSING, lambda case: case.statements("endpoint").pop(2)),
    (Code.MISSING, _code("boto3.client('dynamodb').get_item(TableName='transactions-dev')")),
    (Code.UNUSED, _statement("processing", 0, Action=["dynamodb:PutItem", "dynamodb:GetItem"])),
    (Code.UNUSED, _statement("processing", 3, Resource="arn:aws:sqs:us-east-1:111122223333:x")),
    (Code.REPEATED, lambda c: c.statements("bus").append(c.statements("bus")[1])),
    (Code.BROADER, _statement("processing", 0, Resource="arn:aws:dynamodb:*:*:table/*")),
    (Code.NO_CONDITION, _statement("endpoint", 2, Condition={})),
    (Code.CONDITION_DIFFERS, _statement("endpoint", 2, Condition={"StringEquals": {"a": "b"}})),
    (
        Code.CONDITION_DIFFERS,
        _statement("processing", 0, Condition={"Bool": {"aws:SecureTransport": True}}),
    ),
    (Code.ROLE_UNUSED, _add_role),
    (Code.WILDCARD_ACTION, _statement("processing", 0, Action="dynamodb:Put*")),
    (Code.UNKNOWN_ACTION, _statement("processing", 3, Action="sqs:SendMessageBatch")),
    (Code.STAR_BUT_RESOURCE_LEVEL, _statement("processing", 0, Resource="*")),
    (
        Code.CONDITION_KEY_UNSUPPORTED,
        _statement("processing", 3, Condition={"StringEquals": {"events:source": "x"}}),
    ),
    (
        Code.BANNED_ELEMENT,
        lambda c: c.statements("bus").append({"Effect": "Allow", "NotAction": "s3:*"}),
    ),
    (Code.BANNED_ELEMENT, _statement("bus", 1, Resource={"Fn::Sub": "arn:${!aws:username}"})),
    (
        Code.BANNED_ELEMENT,
        _statement("bus", 1, Condition={"ForAnyValue:StringNotEquals": {"aws:PrincipalArn": "x"}}),
    ),
    (Code.MALFORMED, _statement("bus", 1, Surprise="!")),
    (Code.MALFORMED, _statement("bus", 1, Condition="!")),
    (Code.MALFORMED, _statement("bus", 1, Condition={"StringEquals": "!"})),
    (Code.MALFORMED, lambda c: c.statements("bus").append("!")),
    (Code.MALFORMED, _property("bus", "Role", Policies=[{"PolicyName": "x"}])),
    (Code.MANAGED_POLICY, _property("bus", "Role", ManagedPolicyArns=[ADMIN])),
    (Code.BOUNDARY, _property("bus", "Role", PermissionsBoundary=ADMIN)),
    (Code.TRUST_STAR, _trust("bus", Principal="*")),
    (Code.TRUST_STAR, _trust("bus", Principal={"AWS": "*"})),
    (Code.TRUST_PRINCIPAL, _trust("bus", Principal={"Service": "ec2.amazonaws.com"})),
    (
        Code.TRUST_PRINCIPAL,
        _trust("bus", Principal={"Service": ["scheduler.amazonaws.com"] * 2}),
    ),
    (Code.TRUST_ACTION, _trust("bus", Action=["sts:AssumeRole", "sts:TagSession"])),
    (Code.TRUST_ACTION, _trust("bus", Effect="Deny")),
    (Code.CONFUSED_DEPUTY, _trust("bus", Condition={})),
    (
        Code.CONFUSED_DEPUTY,
        _trust("endpoint", Condition={"StringEquals": {"aws:SourceAccount": 1}}),
    ),
    (
        Code.CONDITION_DIFFERS,
        _trust("processing", Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}}),
    ),
    (Code.ROLE_USER_UNKNOWN, _property("bus", "Lost", Odd={"Fn::GetAtt": ["Role", "Arn"]})),
    (Code.ROLE_USER_UNKNOWN, _property("processing", "Processor", Role="arn:aws:iam::1:role/x")),
    (
        Code.ROLE_USER_UNKNOWN,
        _add("bus", "Stray", "AWS::IAM::ManagedPolicy", ManagedPolicyName="x", PolicyDocument={}),
    ),
    (Code.UNJUDGED, _property("processing", "Processor", FileSystemConfigs=[])),
    (Code.UNJUDGED, _property("processing", "Processor", TracingConfig={"Mode": "Odd"})),
    (Code.UNJUDGED, _property("bus", "Beat", KmsKeyArn="arn:aws:kms:us-east-1:1:key/x")),
    (Code.UNJUDGED, _property("bus", "Bus", KmsKeyIdentifier="arn:aws:kms:us-east-1:1:key/x")),
    (Code.NO_LOG_GROUP, _property("processing", "Processor", LoggingConfig={})),
    (Code.NO_LOG_GROUP, _property("processing", "Processor", LoggingConfig={"LogGroup": "/x"})),
    (Code.NO_CODE, _property("processing", "Processor", Code={"S3Key": "elsewhere.zip"})),
    (Code.NO_CODE, lambda case: case.handlers.clear()),
    (Code.CALL_UNTRACED, _code("def f(c):\n    c.put_item(TableName='transactions-dev')")),
    (Code.CALL_UNTRACED, _code("if")),
    (Code.CALL_UNMAPPED, _code("boto3.client('ec2').describe_instances()")),
    (Code.CALL_UNMAPPED, _code("boto3.client('dynamodb').execute_statement(Statement='x')")),
    (Code.CALL_RESOURCE, _code("boto3.client('dynamodb').put_item(TableName=os.environ['X'])")),
    (Code.CALL_RESOURCE, _code("boto3.client('dynamodb').put_item(TableName=input())")),
    *planted_in_services.FAULTS,
]


@pytest.mark.parametrize(
    ("code", "plant"), FAULTS, ids=[f"{code.name}-{i}" for i, (code, _) in enumerate(FAULTS)]
)
def test_a_planted_fault_is_found_by_its_code(case, code, plant):
    plant(case)
    found = {finding.code: finding for finding in case.findings()}
    assert code.code in found
    finding = found[code.code]
    assert finding.system == "trading-events"
    assert finding.logical_id
    assert finding.path.startswith("/Properties") or not finding.path
    assert finding.remedy
    assert finding.source_url.startswith("https://docs.aws.amazon.com/")


def test_every_code_has_a_planted_fault():
    assert {code for code, _ in (*FAULTS, *planted_in_market.FAULTS)} == set(Code)


def test_codes_are_unique_and_derived():
    assert len({code.code for code in Code}) == len(Code)
    assert Code.CONFUSED_DEPUTY.code == "TAP-IAM-CONFUSED-DEPUTY"
    assert all(code.shortdesc for code in Code)


def test_code_that_no_longer_calls_leaves_its_permission_unused(case):
    sources = case.handlers["trading-processor"]
    sources["trading_processor/ledger.py"] = sources["trading_processor/ledger.py"].replace(
        "self._client.put_item(TableName=self._table, Item=item)", "return item"
    )
    assert case.codes() == {"UNUSED"}


def test_code_that_calls_another_operation_is_told_in_both_directions(case):
    sources = case.handlers["trading-processor"]
    sources["trading_processor/ledger.py"] = sources["trading_processor/ledger.py"].replace(
        "put_item", "update_item"
    )
    assert case.codes() == {"MISSING", "UNUSED"}


def test_a_broader_grant_is_not_also_told_as_missing(case):
    case.statements("processing")[0]["Resource"] = "arn:aws:dynamodb:*:*:table/*"
    assert case.codes() == {"BROADER"}


def test_another_region_is_both_unused_and_missing(case):
    case.statements("processing")[0]["Resource"] = (
        "arn:aws:dynamodb:us-east-1:111122223333:table/transactions-dev"
    )
    found = {(finding.code, finding.what[-10:-1]) for finding in case.findings()}
    assert found == {("TAP-IAM-MISSING", "us-west-2"), ("TAP-IAM-UNUSED", "us-west-2")}


def test_a_policy_may_stand_apart_from_its_role(case):
    statements = case.statements("bus")
    case.add(
        "bus",
        "Apart",
        "AWS::IAM::Policy",
        PolicyName="apart",
        Roles=[{"Ref": "Role"}],
        PolicyDocument={"Statement": [statements.pop()]},
    )
    assert case.findings() == []


def test_a_managed_policy_of_the_system_counts_like_an_inline_one(case):
    statements = case.statements("bus")
    case.add(
        "bus",
        "Own",
        "AWS::IAM::ManagedPolicy",
        ManagedPolicyName={"Fn::Sub": "own-${AWS::Region}"},
        PolicyDocument={"Statement": [statements.pop()]},
    )
    case.properties("bus", "Role")["ManagedPolicyArns"] = [{"Ref": "Own"}]
    assert case.findings() == []


def test_a_boundary_of_the_system_has_to_let_the_needs_through(case):
    case.add(
        "bus",
        "Bound",
        "AWS::IAM::ManagedPolicy",
        ManagedPolicyName={"Fn::Sub": "bound-${AWS::Region}"},
        PolicyDocument={
            "Statement": {"Effect": "Allow", "Action": "events:*", "Resource": "*"},
        },
    )
    case.properties("bus", "Role")["PermissionsBoundary"] = {"Ref": "Bound"}
    findings = case.findings()
    assert {finding.code for finding in findings} == {"TAP-IAM-MISSING"}
    assert all("sqs:SendMessage" in finding.what for finding in findings)


def test_the_privilege_table_says_what_each_permission_is_for(case):
    rows = privileges(case.view(), case.handlers)
    put = [row for row in rows if row.action == "dynamodb:PutItem"]
    assert [(row.region, row.role, row.why) for row in put] == [
        (
            region,
            f"processor-dev-{region}",
            "trading_processor/ledger.py:8 dynamodb.put_item",
        )
        for region in ("us-east-1", "us-west-2")
    ]
    passes = next(row for row in rows if row.action == "iam:PassRole")
    assert passes.condition == "StringEquals(iam:PassedToService = events.amazonaws.com)"
    assert len(rows) == 2 * (6 + 2 + 11) + 11
