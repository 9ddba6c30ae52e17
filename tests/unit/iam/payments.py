"""A proven system to plant faults in: it looks like payments-dr, one role of each kind.

Both regions are built by one function; each copies documents and backups to the other.
"""

from copy import deepcopy
from typing import Any

from unit.iam.building import ACCOUNT, EAST, WEST, Case, allow, arn, key, role, trust
from unit.iam.market_ground import att, log_group, log_key, made, ref
from unit.iam.payments_code import API_CODE, SCHEMA_CODE, SETTINGS_MODULE
from unit.iam.payments_ground import (
    FOR_AWS,
    RECOVERY,
    SECRET,
    SUFFIX,
    TABLE,
    bucket,
    bucket_arn,
    left,
    through,
)

API, SCHEMA = f"function-payments-api-{SUFFIX}", f"function-payments-schema-{SUFFIX}"
LIVE = arn("lambda", f"function:{API}:live")
SNAPSHOTS, VAULT = "cluster-snapshot:awsbackup:*", f"backup-vault:vault-payments-{SUFFIX}"
SECRET_ARN = arn("secretsmanager", f"secret:secret-payments-{SUFFIX}")
WHY_OPEN = "Route 53 asks without a signature; the answer is one word"


def _of_function(name: str) -> list[dict[str, Any]]:
    """Write what the role of every function may do."""
    group = arn("logs", f"log-group:/aws/lambda/{name}:*")
    return [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], group),
        allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
    ]


def _function(name: str, title: str, **variables: Any) -> dict[str, Any]:
    return {
        f"{title}Log": log_group(f"/aws/lambda/{name}"),
        f"{title}Live": made("Lambda::Alias", Name="live", FunctionName=ref(title)),
        title: made(
            "Lambda::Function",
            FunctionName=name,
            Code={"S3Bucket": "artifacts", "S3Key": ref(f"{title}CodeKey")},
            Environment={"Variables": variables},
            LoggingConfig={"LogGroup": ref(f"{title}Log")},
            Role=att(f"{title}Role"),
            TracingConfig={"Mode": "Active"},
        ),
    }


def _functions() -> dict[str, Any]:
    host = att("Cluster", "Endpoint.Address")
    user = "dbuser:${Cluster.DBClusterResourceId}/payments_app"
    table = f"table-payments-sessions-{SUFFIX}"
    return {
        "LogKey": log_key(f"/aws/lambda/{API}", f"/aws/lambda/{SCHEMA}"),
        **_function(API, "Api", DB_HOST=host, DB_USER="payments_app", TABLE_NAME=table),
        "ApiRole": role(
            "api",
            trust("lambda.amazonaws.com"),
            allow(["rds-db:connect"], arn("rds-db", user)),
            allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], arn("dynamodb", f"table/{table}")),
            *_of_function(API),
        ),
        **_function(SCHEMA, "Schema", SECRET_ARN=SECRET_ARN),
        "SchemaRole": role(
            "schema",
            trust("lambda.amazonaws.com"),
            allow(
                ["secretsmanager:GetSecretValue"], {"Fn::Sub": f"{SECRET_ARN['Fn::Sub']}-??????"}
            ),
            *_of_function(SCHEMA),
        ),
        "Migrations": made(
            "CloudFormation::CustomResource",
            ServiceToken=arn("lambda", f"function:{SCHEMA}:live"),
            RunsAgainWith="digest",
        ),
    }


def _permission(**properties: Any) -> dict[str, Any]:
    return made("Lambda::Permission", FunctionName=ref("ApiLive"), **properties)


def _doors() -> dict[str, Any]:
    """Make both ways in: the function's own address, and the API."""
    account: Any = ref("AWS::AccountId")
    target = {"Fn::Sub": "integrations/${Integration}"}

    def route(request: str, **properties: Any) -> dict[str, Any]:
        asked = {"AuthorizationType": "AWS_IAM"} | properties
        return made(
            "ApiGatewayV2::Route", ApiId=ref("Gateway"), RouteKey=request, Target=target, **asked
        )

    def invoked(request: str) -> dict[str, Any]:
        return _permission(
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=arn("execute-api", f"${{Gateway}}/*/{request}"),
        )

    return {
        "Url": made(
            "Lambda::Url", AuthType="AWS_IAM", Qualifier="live", TargetFunctionArn=ref("Api")
        ),
        "UrlCall": _permission(
            Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="AWS_IAM", Principal=account
        ),
        "UrlInvoke": _permission(
            Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True, Principal=account
        ),
        "Gateway": made("ApiGatewayV2::Api", Name="api-payments", ProtocolType="HTTP"),
        "Integration": made(
            "ApiGatewayV2::Integration",
            ApiId=ref("Gateway"),
            IntegrationType="AWS_PROXY",
            IntegrationUri=LIVE,
            PayloadFormatVersion="2.0",
        ),
        "Stage": made("ApiGatewayV2::Stage", ApiId=ref("Gateway"), StageName="$default"),
        "Pay": route("POST /payments"),
        "PayPermission": invoked("POST/payments"),
        "Read": route("GET /payments/{paymentId}"),
        "ReadPermission": invoked("GET/payments/*"),
        "Health": route("GET /health", AuthorizationType="NONE")
        | {
            "Metadata": {
                "cfn-lint": {"config": {"ignore_checks": ["E9601"]}},
                "tap.ignore_reasons": {"E9601": WHY_OPEN},
            }
        },
        "HealthPermission": invoked("GET/health"),
        "Certificate": made("CertificateManager::Certificate", DomainName="api.example.com"),
        "Domain": made(
            "ApiGatewayV2::DomainName",
            DomainName="api.example.com",
            DomainNameConfigurations=[{"CertificateArn": ref("Certificate")}],
        ),
        "Mapping": made(
            "ApiGatewayV2::ApiMapping",
            ApiId=ref("Gateway"),
            DomainName=ref("Domain"),
            Stage=ref("Stage"),
        ),
        "Check": made("Route53::HealthCheck", HealthCheckConfig={"Type": "HTTPS"}),
        "Record": made(
            "Route53::RecordSet",
            Name="api.example.com",
            ResourceRecords=[att("Domain", "RegionalDomainName")],
            HealthCheckId=ref("Check"),
        ),
    }


def _database() -> dict[str, Any]:
    return {
        "Key": key(*left(f"rds.{EAST}", f"rds.{WEST}")),
        "Cluster": made(
            "RDS::DBCluster",
            DBClusterIdentifier={"Fn::Sub": f"cluster-payments-{SUFFIX}-${{AWS::Region}}"},
            EnableCloudwatchLogsExports=["postgresql"],
            EnableIAMDatabaseAuthentication=True,
            KmsKeyId=att("Key"),
            MasterUsername=_resolved("username"),
            MasterUserPassword=_resolved("password"),
            StorageEncrypted=True,
        ),
        "Instance": made(
            "RDS::DBInstance",
            DBClusterIdentifier=ref("Cluster"),
            DBInstanceIdentifier=f"instance-payments-1-{SUFFIX}",
            EnablePerformanceInsights=True,
            MonitoringInterval=60,
            MonitoringRoleArn=att("MonitoringRole"),
            PerformanceInsightsKMSKeyId=att("Key"),
        ),
        "MonitoringRole": role(
            "monitoring",
            trust(
                "monitoring.rds.amazonaws.com",
                StringEquals=ACCOUNT,
                ArnEquals={"aws:SourceArn": arn("rds", f"db:instance-payments-1-{SUFFIX}")},
            ),
            allow(
                [
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:GetLogEvents",
                    "logs:PutLogEvents",
                ],
                arn("logs", "log-group:RDSOSMetrics:*"),
            ),
            allow(
                ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
                arn("logs", "log-group:RDSOSMetrics"),
            ),
        ),
    }


def _resolved(name: str) -> str:
    return f"{{{{resolve:secretsmanager:secret-payments-{SUFFIX}:SecretString:{name}}}}}"


def _documents(other: str) -> dict[str, Any]:
    own, copies = "payments-documents", "payments-documents-replica"
    return {
        "Documents": bucket(
            own,
            ReplicationConfiguration={
                "Role": att("ReplicationRole"),
                "Rules": [
                    {
                        "Id": "everything",
                        "Status": "Enabled",
                        "Priority": 1,
                        "Filter": {"Prefix": ""},
                        "DeleteMarkerReplication": {"Status": "Disabled"},
                        "Destination": {
                            "Bucket": bucket_arn(copies, other),
                            "Metrics": {"Status": "Enabled"},
                            "ReplicationTime": {"Status": "Enabled"},
                        },
                    }
                ],
            },
        ),
        "ReplicationRole": role(
            "replication",
            trust("s3.amazonaws.com", StringEquals=ACCOUNT),
            allow(
                ["s3:GetReplicationConfiguration", "s3:ListBucket"],
                bucket_arn(own, "${AWS::Region}"),
            ),
            allow(
                [
                    "s3:GetObjectVersionAcl",
                    "s3:GetObjectVersionForReplication",
                    "s3:GetObjectVersionTagging",
                ],
                bucket_arn(own, "${AWS::Region}", "/*"),
            ),
            allow(["s3:ReplicateObject", "s3:ReplicateTags"], bucket_arn(copies, other, "/*")),
        ),
    }


def _backups(other: str) -> dict[str, Any]:
    both = [arn("rds", SNAPSHOTS), arn("rds", SNAPSHOTS, other)]
    target, cluster = arn("backup", VAULT, other), att("Cluster", "DBClusterArn")
    held = through(f"rds.{EAST}", f"rds.{WEST}")
    keys = (att("Key"), ref("CopyKeyArn"))
    copied = {
        "ForAllValues:StringEquals": {"backup:CopyTargets": [target]},
        "Null": {"backup:CopyTargets": "false"},
    }
    return {
        "Plan": made(
            "Backup::BackupPlan",
            BackupPlan={
                "BackupPlanName": "plan-payments",
                "BackupPlanRule": [
                    {
                        "RuleName": "daily",
                        "TargetBackupVault": f"vault-payments-{SUFFIX}",
                        "CopyActions": [{"DestinationBackupVaultArn": target}],
                    }
                ],
            },
        ),
        "Selection": made(
            "Backup::BackupSelection",
            BackupPlanId=ref("Plan"),
            BackupSelection={
                "SelectionName": "database",
                "IamRoleArn": att("BackupRole"),
                "Resources": [cluster],
            },
        ),
        "BackupRole": role(
            "backup",
            trust("backup.amazonaws.com", StringEquals=ACCOUNT),
            allow(["rds:CreateDBClusterSnapshot"], cluster, both[0]),
            allow(["rds:CopyDBClusterSnapshot"], *both),
            allow(["rds:DescribeDBClusters", "rds:ListTagsForResource"], cluster),
            allow(
                [
                    "rds:AddTagsToResource",
                    "rds:DeleteDBClusterSnapshot",
                    "rds:DescribeDBClusterSnapshots",
                    "rds:ListTagsForResource",
                    "rds:ModifyDBClusterSnapshotAttribute",
                ],
                *both,
            ),
            allow(["tag:GetResources"], "*"),
            allow(["backup:DescribeBackupVault"], arn("backup", VAULT), target),
            allow(["backup:CopyIntoBackupVault"], target),
            allow(["backup:CopyFromBackupVault"], both[0], **copied),
            allow(
                ["backup:TagResource"],
                arn("backup", "recovery-point:*"),
                arn("backup", "recovery-point:*", other),
            ),
            allow(
                ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                *keys,
                StringEquals=held,
            ),
            allow(["kms:CreateGrant"], *keys, Bool=FOR_AWS, StringEquals=held),
        ),
    }


def _region(other: str) -> dict[str, Any]:
    codes = {name: {"Type": "String"} for name in ("ApiCodeKey", "SchemaCodeKey", "CopyKeyArn")}
    parts = (_functions(), _doors(), _database(), _documents(other), _backups(other))
    resources = {name: body for part in parts for name, body in part.items()}
    return {"Parameters": codes, "Resources": resources}


def payments_dr() -> Case:
    """Make the system anew."""

    def given(other: str) -> dict[str, Any]:
        copies = {"stack": "recovery", "region": other, "name": "VaultKeyArn"}
        return {
            "ApiCodeKey": {"package": "payments-api"},
            "SchemaCodeKey": {"package": "payments-schema"},
            "CopyKeyArn": {"output": copies},
        }

    templates = {
        "table": TABLE,
        "secret": SECRET,
        "recovery": RECOVERY,
        "primary": _region(WEST),
        "secondary": _region(EAST),
    }
    shared = {"aurora_access/settings.py": SETTINGS_MODULE}
    return Case(
        deepcopy(templates),
        {
            "payments-api": shared | {"payments_api/app.py": API_CODE},
            "payments-schema": shared | {"payments_schema/app.py": SCHEMA_CODE},
        },
        {"table": (WEST,), "secret": (EAST,), "primary": (EAST,), "secondary": (WEST,)},
        {"primary": given(WEST), "secondary": given(EAST)},
    )
