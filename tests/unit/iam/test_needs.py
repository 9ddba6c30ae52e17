"""What calls and template properties need, as exact permissions."""

import pytest

from tap_templates.iam.needs import Problem, RoleUse
from tap_templates.iam.platform_needs import role_uses
from tap_templates.iam.proof import privileges

OWN = "us-east-1:111122223333"
TABLE = f"arn:aws:dynamodb:{OWN}:table/transactions-dev"
BUSES = [
    f"arn:aws:events:{region}:111122223333:event-bus/bus-dev"
    for region in ("us-east-1", "us-west-2")
]


def needs(case, body: str) -> set[tuple[str, str, str]]:
    """List what a module adds to the needs of the processor in the first region."""
    sources = case.handlers["trading-processor"]
    case.properties("processing", "Processor")["Environment"]["Variables"] |= {
        "QUEUE": {"Ref": "Failed"},
        "OTHER_REGION": "eu-west-1",
    }
    sources["trading_processor/more.py"] = f"import os\nimport boto3\n{body}\n"
    found = [f for f in case.findings() if "CALL" in f.code]
    assert found == []
    return {
        (row.action, row.resource, row.condition)
        for row in privileges(case.view(), case.handlers)
        if "more.py" in row.why and row.region == "us-east-1"
    }


@pytest.mark.parametrize(
    ("call", "action", "resources"),
    [
        (
            "client('dynamodb').update_item(TableName='transactions-dev')",
            "dynamodb:UpdateItem",
            [TABLE],
        ),
        (f"client('dynamodb').update_item(TableName='{TABLE}')", "dynamodb:UpdateItem", [TABLE]),
        ("client('dynamodb').query(TableName='transactions-dev')", "dynamodb:Query", [TABLE]),
        (
            "client('dynamodb').query(TableName='transactions-dev', IndexName='by')",
            "dynamodb:Query",
            [f"{TABLE}/index/by"],
        ),
        (
            "client('dynamodb').batch_write_item(RequestItems={'transactions-dev': []})",
            "dynamodb:BatchWriteItem",
            [TABLE],
        ),
        (
            "resource('dynamodb').Table('transactions-dev').batch_writer()",
            "dynamodb:BatchWriteItem",
            [TABLE],
        ),
        (
            """client('dynamodb').transact_write_items(
                TransactItems=[{'Delete': {'TableName': 'transactions-dev'}}])""",
            "dynamodb:DeleteItem",
            [TABLE],
        ),
        (
            "client('dynamodb', region_name=os.environ['OTHER_REGION']).get_item(TableName='t')",
            "dynamodb:GetItem",
            ["arn:aws:dynamodb:eu-west-1:111122223333:table/t"],
        ),
        (
            "client('dynamodb', region_name=os.environ['AWS_REGION']).get_item(TableName='t')",
            "dynamodb:GetItem",
            [f"arn:aws:dynamodb:{OWN}:table/t"],
        ),
        (
            "client('sqs').send_message_batch(QueueUrl=os.environ['QUEUE'])",
            "sqs:SendMessage",
            [f"arn:aws:sqs:{OWN}:failed-dev"],
        ),
        (
            "client('sns').publish_batch(TopicArn='arn:aws:sns:r:1:t')",
            "sns:Publish",
            ["arn:aws:sns:r:1:t"],
        ),
        ("client('s3').get_object(Bucket='b', Key='k')", "s3:GetObject", ["arn:aws:s3:::b/k"]),
        ("client('s3').head_object(Bucket='b', Key='k')", "s3:GetObject", ["arn:aws:s3:::b/k"]),
        ("client('s3').upload_file('f', 'b', 'k')", "s3:PutObject", ["arn:aws:s3:::b/k"]),
        ("client('s3').list_objects_v2(Bucket='b')", "s3:ListBucket", ["arn:aws:s3:::b"]),
        (
            "client('lambda').invoke(FunctionName='processor-dev', Qualifier='live')",
            "lambda:InvokeFunction",
            [f"arn:aws:lambda:{OWN}:function:processor-dev:live"],
        ),
        (
            "client('kms').decrypt(KeyId='arn:aws:kms:r:1:key/k')",
            "kms:Decrypt",
            ["arn:aws:kms:r:1:key/k"],
        ),
        (
            "client('ssm').get_parameter(Name='/a/b')",
            "ssm:GetParameter",
            [f"arn:aws:ssm:{OWN}:parameter/a/b"],
        ),
        (
            "client('stepfunctions').start_execution(stateMachineArn='arn:aws:states:r:1:stateMachine:m')",
            "states:StartExecution",
            ["arn:aws:states:r:1:stateMachine:m"],
        ),
    ],
)
def test_a_call_needs_its_action_on_exactly_its_resource(case, call, action, resources):
    assert needs(case, f"boto3.{call}") == {(action, resource, "") for resource in resources}


ENTRY = "'Source': 's', 'DetailType': 'd'"
AS_SAID = (
    "ForAllValues:StringEquals(events:detail-type = {}) and "
    "ForAllValues:StringEquals(events:source = s) and "
    "Null(events:detail-type = false) and Null(events:source = false)"
)


@pytest.mark.parametrize(
    ("given", "types", "buses"),
    [
        (f"Entries=[{{'EventBusName': 'bus-dev', {ENTRY}}}]", "d", BUSES[:1]),
        (f"EndpointId='e.x', Entries=[{{'EventBusName': 'bus-dev', {ENTRY}}}]", "d", BUSES),
        (f"Entries=[{{{ENTRY}}}]", "d", [f"arn:aws:events:{OWN}:event-bus/default"]),
        (
            f"Entries=[{{{ENTRY}}}, {{'Source': 's', 'DetailType': 'e'}}]",
            "d, e",
            [f"arn:aws:events:{OWN}:event-bus/default"],
        ),
        (
            f"Entries=[{{{ENTRY}}} if input() else {{'Source': 's', 'DetailType': 'e'}}]",
            "d, e",
            [f"arn:aws:events:{OWN}:event-bus/default"],
        ),
    ],
)
def test_events_are_held_to_what_all_entries_of_a_call_say(case, given, types, buses):
    found = needs(case, f"boto3.client('events').put_events({given})")
    assert found == {("events:PutEvents", bus, AS_SAID.format(types)) for bus in buses}


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("'a/b.json'", "a/b.json"),
        ("f'a/b/{input()}.json'", "a/b/*"),
        ("'a/' + input()", "a/*"),
        ("f'a/b-{input()}'", "a/*"),
        ("f\"{os.environ['OTHER_REGION']}/{input()}\"", "eu-west-1/*"),
    ],
)
def test_an_object_is_named_by_its_key_or_by_the_folder_it_is_in(case, key, resource):
    found = needs(case, f"boto3.client('s3').put_object(Bucket='b', Key={key})")
    assert found == {("s3:PutObject", f"arn:aws:s3:::b/{resource}", "")}


def test_metrics_are_held_to_their_namespace(case):
    assert needs(case, "boto3.client('cloudwatch').put_metric_data(Namespace='N')") == {
        ("cloudwatch:PutMetricData", "*", "StringEquals(cloudwatch:namespace = N)")
    }


def test_asking_who_one_is_needs_nothing(case):
    assert needs(case, "boto3.client('sts').get_caller_identity()") == set()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("client('dynamodb').query(TableName='t', **input())", "CALL_RESOURCE"),
        ("client('dynamodb').batch_get_item(RequestItems=input())", "CALL_RESOURCE"),
        ("client('dynamodb').transact_get_items(TransactItems=input())", "CALL_RESOURCE"),
        ("client('dynamodb').transact_get_items(TransactItems=[input()])", "CALL_RESOURCE"),
        ("client('dynamodb').transact_write_items(TransactItems=[{'Odd': {}}])", "CALL_UNMAPPED"),
        ("client('dynamodb').get_waiter('table_exists').wait(TableName='t')", "CALL_UNMAPPED"),
        (
            f"client('events').put_events(EndpointId='e', Entries=[{{{ENTRY}}}])",
            "CALL_RESOURCE",
        ),
        ("client('events').put_events(Entries=[{'Source': 's'}])", "CALL_RESOURCE"),
        ("client('events').put_events(Entries=[{'DetailType': 'd'}])", "CALL_RESOURCE"),
        (
            f"client('events').put_events(Entries=[{{{ENTRY}}} if input() else {{'Source': 's'}}])",
            "CALL_RESOURCE",
        ),
        ("client('s3').put_object(Bucket='b', Key=f'{input()}/a')", "CALL_RESOURCE"),
        ("client('s3').put_object(Bucket='b', Key=f'a{input()}')", "CALL_RESOURCE"),
        ("client('s3').put_object(Bucket='b', Key=f'*/{input()}')", "CALL_RESOURCE"),
        ("client('s3').put_object(Bucket='b', Key='k', Tagging='x')", "CALL_UNMAPPED"),
        ("client('s3').put_object(Bucket='b', Key='k', **input())", "CALL_RESOURCE"),
        ("client('sqs').send_message(QueueUrl='queue')", "CALL_RESOURCE"),
        ("client('sqs').nonsense(QueueUrl='https://sqs.r.amazonaws.com/1/q')", "CALL_UNMAPPED"),
        ("client('kms').decrypt(KeyId='alias/x')", "CALL_RESOURCE"),
        ("client('kms').decrypt(CiphertextBlob=b'')", "CALL_RESOURCE"),
        ("client('secretsmanager').get_secret_value(SecretId='x')", "CALL_RESOURCE"),
        ("resource('s3').Bucket('b').upload_file('x')", "CALL_UNMAPPED"),
    ],
)
def test_a_call_we_cannot_judge_is_told(case, call, code):
    source = f"import boto3\nboto3.{call}\n"
    case.handlers["trading-processor"]["trading_processor/more.py"] = source
    found = [f for f in case.findings() if "more.py:2" in f.what]
    assert {f.code for f in found} == {f"TAP-IAM-{code.replace('_', '-')}"}


def _of(case, stack: str, logical_id: str) -> tuple[set[str], set[str]]:
    """List needs and complaints of one role's user in the first region."""
    uses = role_uses(case.view())
    permissions = {
        str(need.permission)
        for use in uses
        if isinstance(use, RoleUse) and use.user.resource.logical_id == logical_id
        if use.user.stack.region == "us-east-1"
        for need in use.needs
    }
    complaints = {each.what for each in uses if isinstance(each, Problem)}
    return permissions, complaints


def test_a_function_that_does_not_trace_needs_no_tracing(case):
    del case.properties("processing", "Processor")["TracingConfig"]
    found, _ = _of(case, "processing", "Processor")
    assert not any("xray" in each for each in found)


@pytest.mark.parametrize(
    ("target", "need"),
    [
        ("arn:aws:sns:us-east-1:1:t", "sns:Publish on arn:aws:sns:us-east-1:1:t"),
        (
            "arn:aws:lambda:us-east-1:1:function:f",
            "lambda:InvokeFunction on arn:aws:lambda:us-east-1:1:function:f",
        ),
        (
            "arn:aws:events:us-east-1:1:event-bus/b",
            "events:PutEvents on arn:aws:events:us-east-1:1:event-bus/b",
        ),
    ],
)
def test_a_destination_needs_what_its_kind_takes(case, target, need):
    config = case.properties("processing", "Failures")["DestinationConfig"]
    config["OnFailure"]["Destination"] = target
    assert need in _of(case, "processing", "Processor")[0]


def test_a_destination_of_an_unknown_kind_is_refused(case):
    config = case.properties("processing", "Failures")["DestinationConfig"]
    config["OnFailure"]["Destination"] = "arn:aws:kinesis:us-east-1:1:stream/s"
    assert any("kinesis" in each for each in _of(case, "processing", "Processor")[1])


@pytest.mark.parametrize("by", ["Key", "Alias", "Arn"])
def test_an_encrypted_queue_needs_its_key(case, by):
    case.add("processing", "Key", "AWS::KMS::Key")
    case.add(
        "processing", "Alias", "AWS::KMS::Alias", AliasName="alias/q", TargetKeyId={"Ref": "Key"}
    )
    stated = {"Fn::GetAtt": ["Key", "Arn"]} if by == "Arn" else {"Ref": by}
    case.properties("processing", "Failed")["KmsMasterKeyId"] = stated
    key = f"arn:aws:kms:{OWN}:key/<processing.Key@us-east-1>"
    found, _ = _of(case, "processing", "Processor")
    through = "if StringEquals(kms:ViaService = sqs.us-east-1.amazonaws.com)"
    assert {f"kms:Decrypt on {key} {through}", f"kms:GenerateDataKey on {key} {through}"} <= found


def test_a_queue_encrypted_by_a_key_we_cannot_see_is_refused(case):
    case.properties("processing", "Failed")["KmsMasterKeyId"] = "alias/elsewhere"
    assert any("alias/elsewhere" in each for each in _of(case, "processing", "Processor")[1])
    case.properties("processing", "Failed")["KmsMasterKeyId"] = "alias/aws/sqs"
    assert _of(case, "processing", "Processor")[1] == set()


def test_a_function_with_a_dead_letter_queue_sends_to_it(case):
    dead = {"TargetArn": {"Fn::GetAtt": ["Failed", "Arn"]}}
    del case.templates["processing"]["Resources"]["Failures"]
    case.properties("processing", "Processor")["DeadLetterConfig"] = dead
    assert case.findings() == []


def test_polling_a_queue_needs_three_actions(case):
    case.add(
        "processing",
        "Feed",
        "AWS::Lambda::EventSourceMapping",
        FunctionName={"Ref": "Processor"},
        EventSourceArn={"Fn::GetAtt": ["Failed", "Arn"]},
    )
    found, complaints = _of(case, "processing", "Processor")
    names = {each.partition(" ")[0] for each in found if "failed-dev" in each}
    assert names == {
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    }
    assert complaints == set()
    feed = case.properties("processing", "Feed")
    feed["EventSourceArn"] = "arn:aws:kinesis:us-east-1:1:stream/s"
    feed["FunctionName"] = {"Fn::GetAtt": ["Processor", "Arn"]}
    assert any("polls" in each for each in _of(case, "processing", "Processor")[1])


def test_a_function_in_a_vpc_needs_its_interfaces_and_its_code_must_not_use_them(case):
    case.add("processing", "Subnet", "AWS::EC2::Subnet", VpcId="vpc-1")
    case.properties("processing", "Processor")["VpcConfig"] = {
        "SubnetIds": [{"Ref": "Subnet"}],
        "SecurityGroupIds": ["sg-1"],
    }
    found, complaints = _of(case, "processing", "Processor")
    network = {each for each in found if "ec2:" in each}
    in_vpc = f"if ArnEquals(ec2:Vpc = arn:aws:ec2:{OWN}:vpc/vpc-1)"
    assert complaints == set()
    assert len(network) == 3 + 3 + 2 + 6
    assert (
        f"ec2:DeleteNetworkInterface on arn:aws:ec2:{OWN}:network-interface/* {in_vpc}" in network
    )
    assert sum(each.startswith("Deny") for each in network) == 6
    case.properties("processing", "Processor")["VpcConfig"]["SubnetIds"] = ["subnet-elsewhere"]
    assert any("VPC" in each for each in _of(case, "processing", "Processor")[1])
    subnets = [{"Ref": "Subnet"}, "subnet-elsewhere"]
    case.properties("processing", "Processor")["VpcConfig"]["SubnetIds"] = subnets
    assert any("VPC" in each for each in _of(case, "processing", "Processor")[1])


def test_a_rule_that_delivers_with_a_role_needs_what_its_target_takes(case):
    case.add(
        "bus",
        "Forward",
        "AWS::Events::Rule",
        Name="forward",
        EventBusName={"Ref": "Bus"},
        Targets=[
            {"Arn": BUSES[1], "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}},
            {"Arn": {"Fn::GetAtt": ["Lost", "Arn"]}},
        ],
    )
    (use,) = [
        use
        for use in role_uses(case.view())
        if isinstance(use, RoleUse) and use.user.place == "bus Forward in us-east-1"
    ]
    assert [str(need.permission) for need in use.needs] == [f"events:PutEvents on {BUSES[1]}"]
    assert use.source_arn == f"arn:aws:events:{OWN}:rule/bus-dev/forward"
    forward = case.properties("bus", "Forward")
    forward["Targets"][0]["Arn"] = "arn:aws:batch:us-east-1:1:job-queue/q"
    forward["RoleArn"] = {"Fn::GetAtt": ["Role", "Arn"]}
    complaints = _of(case, "bus", "Forward")[1]
    assert any("batch" in each for each in complaints)
    assert any("all targets" in each for each in complaints)


def test_an_endpoint_that_does_not_replicate_needs_nothing(case):
    case.properties("endpoint", "Endpoint")["ReplicationConfig"] = {"State": "DISABLED"}
    assert _of(case, "endpoint", "Endpoint")[0] == set()
    del case.properties("endpoint", "Endpoint")["RoleArn"]
    assert "ROLE-UNUSED" in case.codes()


def test_code_in_the_template_is_read_too(case):
    source = "import boto3\nboto3.client('dynamodb').put_item(TableName='transactions-dev')"
    case.properties("processing", "Processor")["Code"] = {"ZipFile": source}
    assert case.findings() == []
