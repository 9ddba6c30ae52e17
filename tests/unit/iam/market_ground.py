"""What the small market-pipeline stands on: network, topic, table; and how parts are spelled."""

from typing import Any

from unit.iam.building import ACCOUNT, admit, allow, arn, key, role, trust

OWN = "${AWS::Region}:${AWS::AccountId}"
CONTEXT = "kms:EncryptionContext:aws:logs:arn"
ENCRYPT_LOG = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
ENCRYPT = ["kms:Decrypt", "kms:GenerateDataKey"]
THROUGH_SNS = {"kms:ViaService": {"Fn::Sub": "sns.${AWS::Region}.amazonaws.com"}}
FLOWS, ACCESS = "/aws/vpc/vpc-market-dev", "/aws/vendedlogs/apis/api-market-dev"
EXECUTIONS = "/aws/vendedlogs/states/machine-market-dev"
SUBNETS = ("SubnetA", "SubnetB", "SubnetC")
MACHINE = arn("states", "stateMachine:machine-market-dev")
RULE = arn("events", "rule/bus-market-dev/rule-market-dev")
BUS, TABLE = arn("events", "event-bus/bus-market-dev"), arn("dynamodb", "table/table-market-dev")
BUCKET = "bucket-market-audit-dev-${AWS::Region}-${AWS::AccountId}"
TOPIC = arn("sns", "topic-market-dev")
OF_MARKET = {
    "ForAllValues:StringEquals": {
        "events:detail-type": ["market.event"],
        "events:source": ["market.data"],
    },
    "Null": {"events:detail-type": "false", "events:source": "false"},
}
FROM_RULE = {"StringEquals": ACCOUNT, "ArnEquals": {"aws:SourceArn": RULE}}


def made(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str = "Arn") -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def _outputs(**values: Any) -> dict[str, Any]:
    return {name: {"Value": value} for name, value in values.items()}


def log_group(name: str) -> dict[str, Any]:
    return made("Logs::LogGroup", LogGroupName=name, KmsKeyId=att("LogKey"))


def log_key(*names: str) -> dict[str, Any]:
    arns = [arn("logs", f"log-group:{name}") for name in names]
    service = {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}
    return key(admit(service, list(ENCRYPT_LOG), "*", ArnEquals={CONTEXT: arns}))


def _endpoint(service: str) -> dict[str, Any]:
    own = allow(["*"], "*", StringEquals={"aws:PrincipalAccount": ref("AWS::AccountId")})
    return made(
        "EC2::VPCEndpoint",
        ServiceName={"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
        VpcId=ref("Vpc"),
        PolicyDocument={"Statement": [own | {"Principal": "*"}]},
    )


NETWORK = {
    "Resources": {
        "Vpc": made("EC2::VPC", CidrBlock="10.0.0.0/16"),
        **{
            name: made(
                "EC2::Subnet",
                VpcId=ref("Vpc"),
                AvailabilityZone={"Fn::Select": [index, {"Fn::GetAZs": ""}]},
                CidrBlock={"Fn::Select": [index, {"Fn::Cidr": [att("Vpc", "CidrBlock"), 3, 8]}]},
            )
            for index, name in enumerate(SUBNETS)
        },
        "Group": made("EC2::SecurityGroup", VpcId=ref("Vpc"), GroupDescription="functions"),
        "Tables": _endpoint("dynamodb"),
        "Topics": _endpoint("sns"),
        "LogKey": log_key(FLOWS),
        "Log": log_group(FLOWS),
        "Flows": made(
            "EC2::FlowLog",
            ResourceId=ref("Vpc"),
            ResourceType="VPC",
            LogGroupName=ref("Log"),
            DeliverLogsPermissionArn=att("Role"),
        ),
        "Role": role(
            "flow-log",
            trust(
                "vpc-flow-logs.amazonaws.com",
                StringEquals=ACCOUNT,
                ArnLike={"aws:SourceArn": arn("ec2", "vpc-flow-log/*")},
            ),
            allow(
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                arn("logs", f"log-group:{FLOWS}:*"),
            ),
        ),
    },
    "Outputs": _outputs(
        VpcId=ref("Vpc"),
        SubnetIds={"Fn::Join": [",", [ref(each) for each in SUBNETS]]},
        GroupId=att("Group", "GroupId"),
    ),
}
ALERTS = {
    "Resources": {
        "Key": key(
            allow(ENCRYPT, "*", StringEquals=THROUGH_SNS)
            | {"Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}}
        ),
        "Topic": made("SNS::Topic", TopicName="topic-market-dev", KmsMasterKeyId=ref("Key")),
    },
    "Outputs": _outputs(KeyArn=att("Key")),
}
DATA = {
    "Resources": {
        "Table": made(
            "DynamoDB::GlobalTable",
            TableName="table-market-dev",
            GlobalSecondaryIndexes=[{"IndexName": "GSI1"}],
            Replicas=[{"Region": "us-east-1"}, {"Region": "us-west-2"}],
        )
    }
}
