"""A proven system to plant faults in: it looks like market-pipeline, one role of each kind.

The network hands its ids on as outputs, one of them a list; the machine calls a function in the
VPC, a queue and a topic; an HTTP API calls the function that puts events on the bus.
"""

from copy import deepcopy
from typing import Any

from unit.iam.building import ACCOUNT, Case, admit, allow, arn, policy, role, trust
from unit.iam.market_code import INGESTION_CODE, KEYS_MODULE, STEP_CODE, TABLE_MODULE
from unit.iam.market_ground import (
    ACCESS,
    ALERTS,
    BUCKET,
    BUS,
    DATA,
    ENCRYPT,
    EXECUTIONS,
    FROM_RULE,
    MACHINE,
    NETWORK,
    OF_MARKET,
    OWN,
    TABLE,
    THROUGH_SNS,
    TOPIC,
    att,
    log_group,
    log_key,
    made,
    ref,
)


def _of_function(name: str) -> list[dict[str, Any]]:
    """Write what every role of a function in the VPC may do."""
    manage = ["ec2:AssignPrivateIpAddresses", "ec2:DeleteNetworkInterface"]
    manage += ["ec2:UnassignPrivateIpAddresses"]
    describe = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    interfaces = arn("ec2", "network-interface/*")
    subnets = [
        {"Fn::Sub": [f"arn:aws:ec2:{OWN}:subnet/${{Id}}", {"Id": {"Fn::Select": [index, IDS]}}]}
        for index in range(3)
    ]
    group = arn("ec2", "security-group/${GroupId}")
    code = {"ArnEquals": {"lambda:SourceFunctionArn": arn("lambda", f"function:{name}")}}
    deny = allow(["ec2:CreateNetworkInterface", *manage, *describe], "*", **code)
    return [
        allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            arn("logs", f"log-group:/aws/lambda/{name}:*"),
        ),
        allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
        allow(["ec2:CreateNetworkInterface"], interfaces, *subnets, group),
        allow(manage, interfaces, ArnEquals={"ec2:Vpc": arn("ec2", "vpc/${VpcId}")}),
        allow(describe, "*", StringEquals={"ec2:Region": ref("AWS::Region")}),
        deny | {"Effect": "Deny"},
    ]


IDS = ref("SubnetIds")
IN_VPC = {
    "VpcId": {"Type": "AWS::EC2::VPC::Id"},
    "SubnetIds": {"Type": "List<AWS::EC2::Subnet::Id>"},
    "GroupId": {"Type": "AWS::EC2::SecurityGroup::Id"},
    "CodeKey": {"Type": "String"},
}


def _function(name: str, **variables: Any) -> dict[str, Any]:
    return made(
        "Lambda::Function",
        FunctionName=name,
        Code={"S3Bucket": "artifacts", "S3Key": ref("CodeKey")},
        Environment={"Variables": variables},
        LoggingConfig={"LogGroup": ref("Log")},
        Role=att("Role"),
        TracingConfig={"Mode": "Active"},
        VpcConfig={"SubnetIds": IDS, "SecurityGroupIds": [ref("GroupId")]},
    )


def _live() -> dict[str, Any]:
    return made("Lambda::Alias", Name="live", FunctionName=ref("Function"))


STEP = "function-market-step-dev"
FUNCTION = {
    "Parameters": IN_VPC | {"KeyArn": {"Type": "String"}},
    "Resources": {
        "LogKey": log_key(f"/aws/lambda/{STEP}"),
        "Log": log_group(f"/aws/lambda/{STEP}"),
        "Function": _function(
            STEP, TABLE_NAME="table-market-dev", BUCKET_NAME={"Fn::Sub": BUCKET}, TOPIC_ARN=TOPIC
        ),
        "Live": _live(),
        "Role": role(
            "step",
            trust("lambda.amazonaws.com"),
            allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], TABLE),
            allow(["dynamodb:Query"], arn("dynamodb", "table/table-market-dev/index/GSI1")),
            allow(["s3:PutObject"], {"Fn::Sub": f"arn:aws:s3:::{BUCKET}/events/*"}),
            allow(["sns:Publish"], TOPIC),
            allow(ENCRYPT, ref("KeyArn"), StringEquals=THROUGH_SNS),
            *_of_function(STEP),
        ),
    },
}


def _task(resource: str, then: str | None, **parameters: Any) -> dict[str, Any]:
    integration = {"Fn::Sub": f"arn:${{AWS::Partition}}:states:::{resource}"}
    goes = {"Next": then} if then else {"End": True}
    return {"Type": "Task", "Resource": integration, "Parameters": parameters, **goes}


def _flow(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state}}


LIVE_ARN = arn("lambda", f"function:{STEP}:live")
PROCESSING = {
    "Parameters": {"KeyArn": {"Type": "String"}},
    "Resources": {
        "Failed": made("SQS::Queue", QueueName="queue-market-failed-dev"),
        "LogKey": log_key(EXECUTIONS),
        "Log": log_group(EXECUTIONS),
        "Machine": made(
            "StepFunctions::StateMachine",
            StateMachineName="machine-market-dev",
            RoleArn=att("Role"),
            LoggingConfiguration={
                "Level": "ALL",
                "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": att("Log")}}],
            },
            TracingConfiguration={"Enabled": True},
            Definition={
                "StartAt": "Both",
                "States": {
                    "Both": {
                        "Type": "Parallel",
                        "Branches": [
                            _flow("Step", _task("lambda:invoke", None, FunctionName=LIVE_ARN)),
                            _flow("Read", _task("dynamodb:getItem", None, TableName="t")),
                        ],
                        "Next": "Each",
                    },
                    "Each": {
                        "Type": "Map",
                        "ItemProcessor": _flow("Tell", _task("sns:publish", None, TopicArn=TOPIC)),
                        "Next": "Put",
                    },
                    "Put": _task(
                        "events:putEvents",
                        "Park",
                        Entries=[
                            {
                                "EventBusName": BUS,
                                "Source": "market.data",
                                "DetailType": "market.event",
                                "Detail.$": "$.detail",
                            }
                        ],
                    ),
                    "Park": _task("sqs:sendMessage", "End", QueueUrl=ref("Failed")),
                    "End": {"Type": "Succeed"},
                },
            },
        ),
        "Role": role(
            "machine",
            trust(
                "states.amazonaws.com",
                StringEquals=ACCOUNT,
                ArnEquals={"aws:SourceArn": MACHINE},
            ),
            allow(["lambda:InvokeFunction"], LIVE_ARN),
            allow(["dynamodb:GetItem"], arn("dynamodb", "table/t")),
            allow(["sns:Publish"], TOPIC),
            allow(ENCRYPT, ref("KeyArn"), StringEquals=THROUGH_SNS),
            allow(["events:PutEvents"], BUS, **OF_MARKET),
            allow(["sqs:SendMessage"], att("Failed")),
            allow(
                [
                    "logs:CreateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:DescribeLogGroups",
                    "logs:DescribeResourcePolicies",
                    "logs:GetLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:UpdateLogDelivery",
                ],
                "*",
            ),
            allow(
                [
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                    "xray:PutTelemetryRecords",
                    "xray:PutTraceSegments",
                ],
                "*",
            ),
        ),
    },
}
EVENTS = {
    "Resources": {
        "Bus": made("Events::EventBus", Name="bus-market-dev"),
        "Undelivered": made("SQS::Queue", QueueName="queue-market-undelivered-dev"),
        "UndeliveredPolicy": policy(
            "AWS::SQS::QueuePolicy",
            "Queues",
            "Undelivered",
            admit("events.amazonaws.com", ["sqs:SendMessage"], att("Undelivered"), **FROM_RULE),
        ),
        "Rule": made(
            "Events::Rule",
            Name="rule-market-dev",
            EventBusName=ref("Bus"),
            Targets=[
                {
                    "Id": "Machine",
                    "Arn": MACHINE,
                    "RoleArn": att("Role"),
                    "DeadLetterConfig": {"Arn": att("Undelivered")},
                }
            ],
        ),
        "Role": role(
            "rule",
            trust("events.amazonaws.com", **FROM_RULE),
            allow(["states:StartExecution"], MACHINE),
        ),
    }
}
INGEST = "function-market-ingestion-dev"
INGESTION = {
    "Parameters": IN_VPC,
    "Resources": {
        "LogKey": log_key(f"/aws/lambda/{INGEST}", ACCESS),
        "Log": log_group(f"/aws/lambda/{INGEST}"),
        "AccessLog": log_group(ACCESS),
        "Function": _function(INGEST, BUS_NAME="bus-market-dev"),
        "Live": _live(),
        "Role": role(
            "ingestion",
            trust("lambda.amazonaws.com"),
            allow(["events:PutEvents"], BUS, **OF_MARKET),
            *_of_function(INGEST),
        ),
        "Api": made("ApiGatewayV2::Api", Name="api-market-dev", ProtocolType="HTTP"),
        "Integration": made(
            "ApiGatewayV2::Integration",
            ApiId=ref("Api"),
            IntegrationType="AWS_PROXY",
            IntegrationUri=ref("Live"),
            PayloadFormatVersion="2.0",
        ),
        "Authorizer": made("ApiGatewayV2::Authorizer", ApiId=ref("Api"), AuthorizerType="JWT"),
        "Route": made(
            "ApiGatewayV2::Route",
            ApiId=ref("Api"),
            RouteKey="POST /ingest",
            AuthorizationType="JWT",
            AuthorizerId=ref("Authorizer"),
            Target={"Fn::Sub": "integrations/${Integration}"},
        ),
        "Stage": made(
            "ApiGatewayV2::Stage",
            ApiId=ref("Api"),
            StageName="$default",
            AccessLogSettings={"DestinationArn": arn("logs", f"log-group:{ACCESS}")},
        ),
        "Permission": made(
            "Lambda::Permission",
            Action="lambda:InvokeFunction",
            FunctionName=ref("Live"),
            Principal="apigateway.amazonaws.com",
            SourceArn=arn("execute-api", "${Api}/*/POST/ingest"),
        ),
    },
}


def market_pipeline() -> Case:
    """Make the system anew."""
    templates = {
        "network": NETWORK,
        "alerts": ALERTS,
        "data": DATA,
        "function": FUNCTION,
        "processing": PROCESSING,
        "events": EVENTS,
        "ingestion": INGESTION,
    }
    shared = {"market_shared/keys.py": KEYS_MODULE, "market_shared/table.py": TABLE_MODULE}
    network = {
        name: {"output": {"stack": "network", "region": "own", "name": name}}
        for name in ("VpcId", "SubnetIds", "GroupId")
    }
    key_arn = {"KeyArn": {"output": {"stack": "alerts", "region": "own", "name": "KeyArn"}}}
    return Case(
        deepcopy(templates),
        {
            "market-step": shared | {"market_step/app.py": STEP_CODE},
            "market-ingestion": shared | {"market_ingestion/app.py": INGESTION_CODE},
        },
        {"data": ("us-west-2",)},
        {
            "function": network | key_arn | {"CodeKey": {"package": "market-step"}},
            "processing": key_arn,
            "ingestion": network | {"CodeKey": {"package": "market-ingestion"}},
        },
    )
