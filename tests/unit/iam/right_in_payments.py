"""What looks like a fault in databases, backups, copies and two doors, and is none."""

from typing import Any

from unit.iam.building import EAST, WEST, allow, arn, key
from unit.iam.market_ground import att, made, ref
from unit.iam.payments_ground import ROOT, bucket_arn, through
from unit.iam.planted_in_market import both, put
from unit.iam.planted_in_payments import (
    STACK,
    Edit,
    access,
    destination,
    gone,
    has,
    lacks,
    plan,
    rule,
    statement,
    variable,
)

_CONTEXT = "kms:EncryptionContext:aws:s3:arn"
_OWN = bucket_arn("payments-documents", "${AWS::Region}")
_COPIES = bucket_arn("payments-documents-replica", WEST)


def _encrypted(with_key: Any, *, has_bucket_key: bool) -> dict[str, Any]:
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": with_key}
    first = {"ServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": has_bucket_key}
    return {"ServerSideEncryptionConfiguration": [first]}


def _through_s3(region: str, operator: str, context: Any) -> dict[str, Any]:
    held: dict[str, Any] = {"StringEquals": through(f"s3.{region}")}
    held[operator] = held.get(operator, {}) | {_CONTEXT: context}
    return held


def _keys_of_documents(case: Any, *, has_bucket_key: bool) -> None:
    """Encrypt documents in the primary region, and their copies, with keys of their own.

    The key of the copies is made before what writes them.
    """
    operator, end = ("StringEquals", "") if has_bucket_key else ("StringLike", "/*")
    source, target = ({"Fn::Sub": each["Fn::Sub"] + end} for each in (_OWN, _COPIES))
    reads, writes = _through_s3(EAST, operator, source), _through_s3(WEST, operator, target)
    write = ["kms:Decrypt", "kms:Encrypt"] if has_bucket_key else ["kms:Encrypt"]
    made_first = {
        "Resources": {"Key": key(allow(write, "*", **writes) | ROOT)},
        "Outputs": {"KeyArn": {"Value": att("Key")}},
    }
    case.templates = {"copies-key": made_first} | case.templates
    case.where["copies-key"] = (WEST,)
    _given(case, "CopiesKeyArn", stack="copies-key", region=WEST, name="KeyArn")
    own = key(allow(["kms:Decrypt"], "*", **reads) | ROOT)
    case.templates[STACK]["Resources"]["DocumentsKey"] = own
    for stack, name, each in (
        (STACK, "Documents", att("DocumentsKey")),
        ("recovery", "Copies", "alias/aws/s3"),
    ):
        encryption = _encrypted(each, has_bucket_key=has_bucket_key)
        case.properties(stack, name)["BucketEncryption"] = encryption
    rule(SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}})(case)
    destination(EncryptionConfiguration={"ReplicaKmsKeyID": ref("CopiesKeyArn")})(case)
    case.statements(STACK, "ReplicationRole").extend(
        [
            allow(["kms:Decrypt"], att("DocumentsKey"), **reads),
            allow(write, ref("CopiesKeyArn"), **writes),
        ]
    )


def _given(case: Any, parameter: str, **output: str) -> None:
    """Hand an output of another stack to the primary."""
    case.templates[STACK]["Parameters"][parameter] = {"Type": "String"}
    case.parameters[STACK][parameter] = {"output": output}


def _key_of_secret(case: Any) -> None:
    """Encrypt the secret in the primary region with a key of the system."""
    held = {"StringEquals": through(f"secretsmanager.{EAST}")}
    use = allow(["kms:Decrypt", "kms:GenerateDataKey"], "*", **held) | ROOT
    case.templates["secret"]["Resources"]["Key"] = key(use)
    case.templates["secret"]["Outputs"]["KeyArn"] = {"Value": att("Key")}
    case.properties("secret", "Secret")["KmsKeyId"] = att("Key")
    _given(case, "SecretKeyArn", stack="secret", region=EAST, name="KeyArn")
    case.statements(STACK, "SchemaRole").append(allow(["kms:Decrypt"], ref("SecretKeyArn"), **held))


def _by_arn(case: Any) -> None:
    """Hand the secret's ARN to the function and its role, as the stack of the secret says it."""
    _given(case, "SecretArn", stack="secret", region=EAST, name="SecretArn")
    variable("Schema", "SECRET_ARN", ref("SecretArn"))(case)
    statement("SchemaRole", 0, Resource=ref("SecretArn"))(case)


def _only_invoices(case: Any) -> None:
    rule(Filter={"Prefix": "invoices/"})(case)
    own, copies = (f"{each['Fn::Sub']}/invoices/*" for each in (_OWN, _COPIES))
    statement("ReplicationRole", 1, Resource={"Fn::Sub": own})(case)
    statement("ReplicationRole", 2, Resource={"Fn::Sub": copies})(case)


def _copied_deletions(case: Any) -> None:
    rule(DeleteMarkerReplication={"Status": "Enabled"})(case)
    case.statements(STACK, "ReplicationRole")[2]["Action"].append("s3:ReplicateDelete")


SILENT: dict[str, Edit] = {
    "MISSING: the endpoint for readers takes the same login": variable(
        "Api", "DB_HOST", att("Cluster", "ReadEndpoint.Address")
    ),
    "CALL_RESOURCE: a secret may be named by its name": variable(
        "Schema", "SECRET_ARN", "secret-payments-dev"
    ),
    "CALL_RESOURCE: or by its ARN, wherever it was made": _by_arn,
    "MISSING: only the pattern of the policy": statement(
        "SchemaRole", 0, Resource=arn("secretsmanager", "secret:secret-payments-dev-??????")
    ),
    "UNJUDGED: the key of Secrets Manager": put(
        "secret", "Secret", KmsKeyId="alias/aws/secretsmanager"
    ),
    "UNJUDGED: a secret with a key of the system": _key_of_secret,
    "UNJUDGED: documents with keys, for each object": lambda case: _keys_of_documents(
        case, has_bucket_key=False
    ),
    "UNJUDGED: documents with keys, for the bucket": lambda case: _keys_of_documents(
        case, has_bucket_key=True
    ),
    "BROADER: some documents, by their folder": _only_invoices,
    "UNUSED: deletions are copied": _copied_deletions,
    "UNJUDGED: AWS's own key of insights": has(
        "Instance", PerformanceInsightsKMSKeyId="alias/aws/rds"
    ),
    "UNUSED: no enhanced monitoring": both(
        lacks("Instance", "MonitoringRoleArn"),
        lambda case: case.templates[STACK]["Resources"].pop("MonitoringRole"),
    ),
    "KEY_DELEGATES: without backups by AWS, people still make and restore snapshots": both(
        *(gone(name) for name in ("Plan", "Selection", "BackupRole"))
    ),
    "UNJUDGED: a plan may say when": plan(ScheduleExpression="cron(0 5 * * ? *)"),
    "RESOURCE_DENIES: nobody of ours deletes backups": access(
        "Deny", "*", "backup:DeleteRecoveryPoint"
    ),
    "PRINCIPAL_UNEXPLAINED: the account by its root": has(
        "UrlCall", Principal={"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
    ),
    "SERVICE_BROADER: the one stage, with a variable": has(
        "ReadPermission",
        SourceArn=arn("execute-api", "${Gateway}/$default/GET/payments/*"),
    ),
    "UNJUDGED: a function itself may be called by its address": both(
        lacks("Url", "Qualifier"),
        has("UrlCall", FunctionName=ref("Api")),
        has("UrlInvoke", FunctionName=att("Api")),
    ),
    "UNJUDGED: a custom resource with a type of its own": lambda case: case.templates[STACK][
        "Resources"
    ]["Migrations"].update(Type="Custom::Migrations"),
    "UNJUDGED: name servers, records and the global database take no role": lambda case: (
        case.templates[STACK]["Resources"].update(
            Zone=made("Route53::HostedZone", Name="example.com"),
            Records=made("Route53::RecordSetGroup", HostedZoneId=att("Zone", "Id")),
            Global=made(
                "RDS::GlobalCluster", SourceDBClusterIdentifier=att("Cluster", "DBClusterArn")
            ),
        )
    ),
}
