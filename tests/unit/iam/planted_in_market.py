"""Faults in a machine, a network and an API, and what looks like one and is none."""

import json
from collections.abc import Callable
from typing import Any

from unit.iam.building import arn

from tap_templates.iam.codes import Code

Edit = Callable[[Any], object]
OTHER = "999999999999"
ROOT = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}


def put(stack: str, logical_id: str, **changes: Any) -> Edit:
    return lambda case: case.properties(stack, logical_id).update(changes)


def without(stack: str, logical_id: str, name: str) -> Edit:
    return lambda case: case.properties(stack, logical_id).pop(name)


def state(path: str, **changes: Any) -> Edit:
    """Change a state of the machine, given as the way to it: `Both/Branches/0/Step`."""

    def plant(case: Any) -> None:
        found = case.properties("processing", "Machine")["Definition"]["States"]
        *way, last = path.split("/")
        for each in way:
            found = found[int(each)]["States"] if each.isdecimal() else found[each]
        found[last].update(changes)

    return plant


def given(path: str, **changes: Any) -> Edit:
    """Give a task other parameters."""
    return state(path, Parameters=changes)


def calls(path: str, integration: str) -> Edit:
    return state(path, Resource=f"arn:aws:states:::{integration}")


def statement(stack: str, index: int, **changes: Any) -> Edit:
    return lambda case: case.statements(stack)[index].update(changes)


def no_statement(stack: str, index: int) -> Edit:
    return lambda case: case.statements(stack).pop(index)


def more(stack: str, action: str, resource: Any) -> Edit:
    extra = {"Effect": "Allow", "Action": action, "Resource": resource}
    return lambda case: case.statements(stack).append(extra)


def trusts(stack: str, **condition: Any) -> Edit:
    return lambda case: case.trust(stack).update(Condition=condition)


def through(index: int = 0, endpoint: str = "Tables", **changes: Any) -> Edit:
    """Change what an endpoint lets through."""
    return lambda case: case.admitted("network", endpoint)[index].update(changes)


def network(**changes: Any) -> Edit:
    return lambda case: case.properties("function", "Function")["VpcConfig"].update(changes)


def source(text: Any) -> Edit:
    return put("ingestion", "Permission", SourceArn=text)


def both(*edits: Edit) -> Edit:
    def plant(case: Any) -> None:
        for edit in edits:
            edit(case)

    return plant


def code(package: str, module: str, old: str, new: str) -> Edit:
    def plant(case: Any) -> None:
        sources = case.handlers[package]
        assert old in sources[module]
        sources[module] = sources[module].replace(old, new)

    return plant


STEP, READ = "Both/Branches/0/Step", "Both/Branches/1/Read"
TELL = "Each/ItemProcessor/States/Tell"
FROM_ANY = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
KEY_CODE = ("market-step", "market_shared/keys.py", 'f"events/{day}.json"')
ENTRY = ("market-ingestion", "market_ingestion/app.py")
_API = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}"

FAULTS: list[tuple[Code, Edit]] = [
    # The machine: a grant too few, one too many, a task that changed.
    *((Code.MISSING, no_statement("processing", index)) for index in range(8)),
    (Code.UNUSED, more("processing", "lambda:InvokeFunction", arn("lambda", "function:x:live"))),
    (Code.UNUSED, more("processing", "sqs:DeleteMessage", {"Fn::GetAtt": ["Failed", "Arn"]})),
    (Code.BROADER, statement("processing", 0, Resource=arn("lambda", "function:*"))),
    (Code.NO_CONDITION, statement("processing", 4, Condition={})),
    (Code.NO_CONDITION, statement("processing", 3, Condition={})),
    (Code.CONDITION_DIFFERS, statement("processing", 3, Condition={"Null": {"kms:ViaService": 1}})),
    (Code.UNUSED, put("processing", "Machine", LoggingConfiguration={"Level": "OFF"})),
    (Code.UNUSED, put("processing", "Machine", TracingConfiguration={"Enabled": False})),
    (Code.MISSING, given(STEP, FunctionName=arn("lambda", "function:other:live"))),
    (Code.MISSING, given(STEP, FunctionName="function-market-step-dev", Qualifier="other")),
    (Code.MISSING, given(READ, TableName="t", IndexName="GSI1")),
    (Code.MISSING, calls(READ, "dynamodb:deleteItem")),
    (Code.MISSING, state(STEP, Resource=arn("lambda", "function:direct:live"))),
    # What only an execution knows.
    (Code.CALL_RESOURCE, given(STEP, **{"FunctionName.$": "$.function"})),
    (Code.CALL_RESOURCE, given(STEP, FunctionName="{% $states.input.function %}")),
    (Code.CALL_RESOURCE, given(TELL, PhoneNumber="+1")),
    (Code.CALL_RESOURCE, given("Park", QueueUrl="queue")),
    (Code.CALL_RESOURCE, given("Put", **{"Entries.$": "$.entries"})),
    (Code.CALL_RESOURCE, given("Put", Entries=["{% $states.input %}"])),
    (Code.CALL_RESOURCE, given("Put", Entries=[{"Source.$": "$.source", "DetailType": "x"}])),
    # What nobody wrote down.
    (Code.UNJUDGED, calls(STEP, "lambda:invoke.sync")),
    (Code.UNJUDGED, calls(READ, "dynamodb:getItem.waitForTaskToken")),
    (Code.UNJUDGED, calls(READ, "aws-sdk:dynamodb:describeTable")),
    (Code.UNJUDGED, calls(READ, "states:startExecution.sync:2")),
    (Code.UNJUDGED, state(READ, Resource=arn("states", "activity:people"))),
    (Code.UNJUDGED, given(STEP, FunctionName="111122223333:function:x")),
    (Code.UNJUDGED, given("Put", EndpointId="e", Entries=[{"Source": "x", "DetailType": "x"}])),
    (Code.UNJUDGED, state(STEP, Credentials={"RoleArn": "arn:aws:iam::1:role/x"})),
    (Code.UNJUDGED, state(STEP, Type="Odd")),
    (Code.UNJUDGED, state("Each", ItemReader={})),
    (Code.UNJUDGED, state("Each", ItemProcessor="odd")),
    (Code.UNJUDGED, state("Each/ItemProcessor", ProcessorConfig={"Mode": "DISTRIBUTED"})),
    (Code.UNJUDGED, put("processing", "Machine", EncryptionConfiguration={})),
    (
        Code.UNJUDGED,
        put("processing", "Machine", EncryptionConfiguration={"Type": "CUSTOMER_MANAGED_KMS_KEY"}),
    ),
    (Code.UNJUDGED, put("processing", "Machine", DefinitionSubstitutions={"a": "b"})),
    (Code.UNJUDGED, put("processing", "Machine", LoggingConfiguration={"Level": "SOME"})),
    (Code.UNJUDGED, put("processing", "Machine", TracingConfiguration={"Enabled": "perhaps"})),
    (Code.UNJUDGED, put("processing", "Machine", Definition=None, DefinitionString="{")),
    (
        Code.NO_LOG_GROUP,
        put(
            "processing",
            "Machine",
            LoggingConfiguration={
                "Level": "ERROR",
                "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:aws:logs:x"}}],
            },
        ),
    ),
    # Who may take the roles.
    (Code.CONFUSED_DEPUTY, trusts("processing", StringEquals=FROM_ANY)),
    (Code.CONFUSED_DEPUTY, trusts("processing", ArnLike={"aws:SourceArn": "arn:aws:states:*"})),
    (Code.CONFUSED_DEPUTY, trusts("events", StringEquals=FROM_ANY)),
    (Code.CONFUSED_DEPUTY, trusts("network", StringEquals=FROM_ANY)),
    (
        Code.CONFUSED_DEPUTY,
        trusts(
            "network",
            StringEquals=FROM_ANY | {"aws:SourceArn": arn("ec2", "vpc-flow-log/*")},
        ),
    ),
    (Code.MISSING, no_statement("events", 0)),
    (Code.BROADER, statement("events", 0, Resource=arn("states", "stateMachine:*"))),
    # The network.
    *((Code.MISSING, no_statement("function", index)) for index in range(5, 11)),
    (Code.MISSING, network(SecurityGroupIds=["sg-other"])),
    (Code.UNJUDGED, network(SubnetIds=["subnet-elsewhere"])),
    (Code.UNJUDGED, network(Ipv6AllowedForDualStack=True)),
    (
        Code.UNJUDGED,  # a text that is split may be split anywhere
        both(
            lambda case: case.templates["function"]["Parameters"].update(SubnetIds={}),
            network(SubnetIds={"Fn::Split": [",", {"Ref": "SubnetIds"}]}),
            lambda case: case.statements("function").pop(7),
        ),
    ),
    (Code.UNUSED, without("function", "Function", "VpcConfig")),
    (Code.BROADER, statement("function", 7, Resource=arn("ec2", "*"))),
    (Code.NO_CONDITION, statement("function", 8, Condition={})),
    (
        Code.UNUSED,
        statement("function", 10, Condition={}, Effect="Allow", Action="ec2:RunInstances"),
    ),
    (Code.MISSING, no_statement("network", 0)),
    (Code.UNUSED, more("network", "logs:CreateLogGroup", arn("logs", "log-group:x"))),
    (Code.NO_LOG_GROUP, put("network", "Flows", LogGroupName="elsewhere")),
    (Code.UNJUDGED, put("network", "Flows", LogDestinationType="s3")),
    # What leaves the VPC.
    (Code.ENDPOINT_OPEN, without("network", "Tables", "PolicyDocument")),
    (Code.ENDPOINT_OPEN, through(Condition={})),
    (Code.ENDPOINT_OPEN, through(Condition={"StringEquals": {"aws:PrincipalAccount": OTHER}})),
    (Code.ENDPOINT_OPEN, through(Condition={"StringLike": {"aws:PrincipalAccount": "*"}})),
    (Code.ENDPOINT_OPEN, through(Principal={"AWS": OTHER}, Condition={})),
    (Code.ENDPOINT_OPEN, through(Principal={"AWS": "arn:aws:iam::*:root"}, Condition={})),
    (Code.PRINCIPAL_UNEXPLAINED, through(Principal={"Service": "x.amazonaws.com"})),
    (Code.ENDPOINT_REFUSES, through(Action=["dynamodb:GetItem", "dynamodb:PutItem"])),
    (Code.ENDPOINT_REFUSES, through(Resource=arn("dynamodb", "table/other"))),
    (Code.ENDPOINT_REFUSES, through(Principal={"AWS": "arn:aws:iam::111122223333:role/other"})),
    (Code.ENDPOINT_REFUSES, through(endpoint="Topics", Action="sqs:*")),
    (
        Code.ENDPOINT_REFUSES,
        lambda case: case.admitted("network", "Tables")[0]["Condition"].update(
            Bool={"aws:SecureTransport": True}
        ),
    ),
    (Code.RESOURCE_DENIES, through(Effect="Deny")),
    (Code.UNJUDGED, put("network", "Tables", ServiceName="com.amazonaws.vpce.us-east-1.x")),
    (Code.MALFORMED, put("network", "Tables", PolicyDocument={})),
    # The API.
    (Code.SERVICE_MISSING, lambda case: case.templates["ingestion"]["Resources"].pop("Permission")),
    *(
        (Code.SERVICE_BROADER, source({"Fn::Sub": f"{_API}/{rest}"}))
        for rest in ("*", "*/*", "*/POST/*", "*/*/ingest", "*/POST/ing*", "$default/*/ingest")
    ),
    (Code.SERVICE_CONDITION_DIFFERS, source({"Fn::Sub": f"{_API}/*/GET/ingest"})),
    (Code.SERVICE_BROADER, source(arn("execute-api", "*/*/POST/ingest"))),
    (Code.SERVICE_CONDITION_DIFFERS, put("ingestion", "Permission", SourceAccount=OTHER)),
    (Code.SERVICE_NO_CONDITION, without("ingestion", "Permission", "SourceArn")),
    (Code.SERVICE_UNUSED, lambda case: case.templates["ingestion"]["Resources"].pop("Route")),
    (Code.SERVICE_UNUSED, lambda case: case.templates["ingestion"]["Resources"].pop("Stage")),
    (Code.PRINCIPAL_UNEXPLAINED, put("ingestion", "Route", AuthorizationType="NONE")),
    (Code.PRINCIPAL_UNEXPLAINED, without("ingestion", "Route", "AuthorizationType")),
    *(
        (Code.UNJUDGED, put("ingestion", "Route", RouteKey=each))
        for each in ("$default", "ANY /ingest", "POST /ingest/{id", "POST /ingest/*")
    ),
    (Code.SERVICE_MISSING, put("ingestion", "Route", RouteKey="POST /ingest/{id}")),
    (Code.UNJUDGED, put("ingestion", "Route", ApiId="other")),
    (Code.UNJUDGED, put("ingestion", "Route", Target="integrations/other")),
    (
        Code.UNJUDGED,
        put("ingestion", "Integration", IntegrationUri="arn:aws:lambda:r:1:function:x"),
    ),
    (Code.UNJUDGED, put("ingestion", "Integration", IntegrationSubtype="SQS-SendMessage")),
    (Code.UNJUDGED, put("ingestion", "Integration", IntegrationType="HTTP_PROXY")),
    (Code.UNJUDGED, put("ingestion", "Authorizer", AuthorizerType="REQUEST")),
    (Code.UNJUDGED, put("ingestion", "Api", ProtocolType="WEBSOCKET")),
    (Code.UNJUDGED, put("ingestion", "Api", Body={})),
    (Code.UNJUDGED, put("ingestion", "Stage", AccessLogSettings={"DestinationArn": "arn:x"})),
    # The topic's key.
    (Code.MISSING, no_statement("function", 4)),
    (Code.NO_CONDITION, statement("function", 4, Condition={})),
    (Code.UNUSED, without("alerts", "Topic", "KmsMasterKeyId")),
    (Code.KEY_ADMINISTRATION, lambda case: case.admitted("alerts", "Key").pop()),
    (Code.KEY_ADMINISTRATION, lambda case: case.admitted("alerts", "Key")[1].pop("Condition")),
    (
        Code.KEY_ADMINISTRATION,
        lambda case: case.admitted("alerts", "Key")[0]["Action"].append("kms:Decrypt"),
    ),
    # The code.
    (Code.CALL_RESOURCE, code(*KEY_CODE, 'f"{day}/events.json"')),
    (Code.CALL_RESOURCE, code(*KEY_CODE, 'f"events-{day}"')),
    (Code.CALL_RESOURCE, code(*KEY_CODE, "day")),
    (Code.MISSING, code(*KEY_CODE, 'f"other/{day}.json"')),
    (Code.BROADER, code(*KEY_CODE, '"events/one.json"')),
    (Code.CALL_UNMAPPED, code("market-step", "market_step/app.py", "IfNoneMatch", "IfMatch")),
    (Code.CALL_UNMAPPED, code("market-step", "market_step/app.py", "IfNoneMatch", "ACL")),
    (Code.MISSING, code("market-step", "market_step/app.py", "_table.undo", "_table.forget")),
    (Code.CONDITION_DIFFERS, code(*ENTRY, '"market.data"', '"market.other"')),
    (Code.CALL_RESOURCE, code(*ENTRY, '"Source": SOURCE', '"Source": event["source"]')),
    (Code.CALL_RESOURCE, code(*ENTRY, '        "Source": SOURCE,\n', "")),
]


def _as_text(case: Any) -> None:
    """Write the definition as a text of JSON."""
    machine = case.properties("processing", "Machine")
    definition = {"StartAt": "E", "States": {"E": {"Type": "Succeed"}}}
    machine["DefinitionString"] = json.dumps(definition)
    del machine["Definition"]
    del case.statements("processing")[:6]


def _start(case: Any) -> None:
    """Let the machine start another, and not wait for it."""
    other = arn("states", "stateMachine:other")
    state(READ, Resource="arn:aws:states:::states:startExecution")(case)
    given(READ, StateMachineArn=other)(case)
    statement("processing", 1, Action="states:StartExecution", Resource=other)(case)


def _states(case: Any) -> dict[str, Any]:
    found: dict[str, Any] = case.properties("processing", "Machine")["Definition"]["States"]
    return found


def _rename_processor(case: Any) -> None:
    each = _states(case)["Each"]
    each["Iterator"] = each.pop("ItemProcessor")


def _move(case: Any, index: int, region: str) -> None:
    """Grant a statement's resource in another region."""
    granted = case.statements("function")[index]["Resource"][0]
    granted["Fn::Sub"] = granted["Fn::Sub"].replace("${AWS::Region}", region)


def _narrow(case: Any) -> None:
    granted = case.statements("function")[2]["Resource"][0]
    granted["Fn::Sub"] = granted["Fn::Sub"].replace("events/*", "events/new/*")


# Whom it looks like, and what is right all the same.
SILENT: dict[str, Edit] = {
    "UNJUDGED: a key of Step Functions' own": put(
        "processing", "Machine", EncryptionConfiguration={"Type": "AWS_OWNED_KEY"}
    ),
    "UNJUDGED: a definition may be a text": _as_text,
    "UNJUDGED: to wait for a token takes nothing more": calls(
        STEP, "lambda:invoke.waitForTaskToken"
    ),
    "UNJUDGED: the SDK's way to call the same": calls(READ, "aws-sdk:dynamodb:getItem"),
    "UNJUDGED: the older spelling of a Map": _rename_processor,
    "UNJUDGED: a machine may start a machine": _start,
    "UNJUDGED: JSONata states what it does not compute": both(
        state(READ, Arguments={"TableName": "t", "Key": "{% $states.input.key %}"}),
        lambda case: _states(case)["Both"]["Branches"][1]["States"]["Read"].pop("Parameters"),
    ),
    "MISSING: a function by its name and alias": given(
        STEP, FunctionName="function-market-step-dev", Qualifier="live"
    ),
    "UNJUDGED: a flow log may name its group by ARN": both(
        put("network", "Flows", LogDestination={"Fn::GetAtt": ["Log", "Arn"]}),
        without("network", "Flows", "LogGroupName"),
    ),
    "ENDPOINT_OPEN: the account by its root": through(Principal={"AWS": ROOT}, Condition={}),
    "ENDPOINT_OPEN: held to the account's resources, too": through(
        Condition={
            "StringEquals": {
                "aws:PrincipalAccount": "111122223333",
                "aws:ResourceAccount": "111122223333",
            }
        }
    ),
    "ENDPOINT_REFUSES: what is not called may be refused": through(Action="dynamodb:*"),
    "ENDPOINT_REFUSES: another region is reached another way": both(
        code("market-step", "market_step/app.py", '"dynamodb")', '"dynamodb", "us-west-2")'),
        lambda case: [_move(case, index, "us-west-2") for index in (0, 1)],
        through(Resource=arn("dynamodb", "table/table-market-dev*")),
    ),
    "SERVICE_BROADER: the one stage by its name": source(
        {"Fn::Sub": f"{_API}/$default/POST/ingest"}
    ),
    "UNJUDGED: a function by the URI of its invocation": put(
        "ingestion",
        "Integration",
        IntegrationUri={
            "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
            "${Live}/invocations"
        },
    ),
    "PRINCIPAL_UNEXPLAINED: callers sign with IAM": both(
        put("ingestion", "Route", AuthorizationType="AWS_IAM"),
        without("ingestion", "Route", "AuthorizerId"),
    ),
    "CALL_RESOURCE: a key in a deeper folder": both(
        code(*KEY_CODE, 'f"events/new/{day}/x.json"'),
        _narrow,
    ),
    "MISSING: code of the shared folder that nobody reaches": code(
        "market-ingestion",
        "market_shared/table.py",
        "class Table:",
        "import boto3\ndef idle():\n    boto3.client('sqs').get_queue_url()\nclass Table:",
    ),
}
