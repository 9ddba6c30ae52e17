"""Faults in databases, backups, copies and two doors, and what looks like one and is none."""

from collections.abc import Callable
from typing import Any

from unit.iam.building import EAST, WEST, arn
from unit.iam.market_ground import att, ref
from unit.iam.payments_ground import FOR_AWS, bucket_arn, through
from unit.iam.planted_in_market import both, put, without

from tap_templates.iam.codes import Code

Edit = Callable[[Any], object]
OTHER = "999999999999"
STACK = "primary"
ANY_SNAPSHOT = arn("rds", "cluster-snapshot:*")


def statement(role: str, index: int, **changes: Any) -> Edit:
    return lambda case: case.statements(STACK, role)[index].update(changes)


def no_statement(role: str, index: int) -> Edit:
    return lambda case: case.statements(STACK, role).pop(index)


def more(role: str, action: str, resource: Any) -> Edit:
    extra = {"Effect": "Allow", "Action": action, "Resource": resource}
    return lambda case: case.statements(STACK, role).append(extra)


def trusts(role: str, **condition: Any) -> Edit:
    return lambda case: case.trust(STACK, role).update(Condition=condition)


def has(logical_id: str, **changes: Any) -> Edit:
    return put(STACK, logical_id, **changes)


def lacks(logical_id: str, name: str) -> Edit:
    return without(STACK, logical_id, name)


def gone(logical_id: str, stack: str = STACK) -> Edit:
    return lambda case: case.templates[stack]["Resources"].pop(logical_id)


def variable(function: str, name: str, value: Any) -> Edit:
    def plant(case: Any) -> None:
        case.properties(STACK, function)["Environment"]["Variables"][name] = value

    return plant


def rule(**changes: Any) -> Edit:
    """Change the one rule of the replication."""

    def plant(case: Any) -> None:
        case.properties(STACK, "Documents")["ReplicationConfiguration"]["Rules"][0].update(changes)

    return plant


def destination(**changes: Any) -> Edit:
    def plant(case: Any) -> None:
        rules = case.properties(STACK, "Documents")["ReplicationConfiguration"]["Rules"]
        rules[0]["Destination"].update(changes)

    return plant


def plan(**changes: Any) -> Edit:
    """Change the one rule of the backup plan."""

    def plant(case: Any) -> None:
        case.properties(STACK, "Plan")["BackupPlan"]["BackupPlanRule"][0].update(changes)

    return plant


def selection(**changes: Any) -> Edit:
    return lambda case: case.properties(STACK, "Selection")["BackupSelection"].update(changes)


def left(stack: str, logical_id: str, index: int, **changes: Any) -> Edit:
    """Change what a key policy leaves to the account; statement 0 is its administration."""
    return lambda case: case.admitted(stack, logical_id)[index].update(changes)


def not_left(stack: str, logical_id: str, index: int) -> Edit:
    return lambda case: case.admitted(stack, logical_id).pop(index)


def access(effect: str, principal: Any, action: str) -> Edit:
    given = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}
    return put("recovery", "Vault", AccessPolicy={"Statement": [given]})


def code(old: str, new: str, module: str = "aurora_access/settings.py") -> Edit:
    def plant(case: Any) -> None:
        for sources in case.handlers.values():
            sources[module] = sources.get(module, "").replace(old, new)

    return plant


def why(text: Any) -> Edit:
    def plant(case: Any) -> None:
        route = case.templates[STACK]["Resources"]["Health"]
        route["Metadata"]["tap.ignore_reasons"] = text

    return plant


_GATEWAY = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Gateway}"
LOGIN = "dbuser:${Cluster.DBClusterResourceId}/payments_app"
API_MODULE = "payments_api/app.py"
DOCUMENTS = bucket_arn("payments-documents", "${AWS::Region}", "/*")

FAULTS: list[tuple[Code, Edit]] = [
    # A grant too few.
    *((Code.MISSING, no_statement("BackupRole", index)) for index in range(11)),
    *((Code.MISSING, no_statement("ReplicationRole", index)) for index in range(3)),
    *((Code.MISSING, no_statement("MonitoringRole", index)) for index in range(2)),
    *((Code.MISSING, no_statement("ApiRole", index)) for index in range(2)),
    (Code.MISSING, no_statement("SchemaRole", 0)),
    # Logging in.
    (Code.BROADER, statement("ApiRole", 0, Resource=arn("rds-db", "dbuser:*/payments_app"))),
    (Code.BROADER, statement("ApiRole", 0, Resource=arn("rds-db", LOGIN.replace("_app", "_*")))),
    (Code.MISSING, statement("ApiRole", 0, Resource=arn("rds-db", LOGIN, WEST))),
    (Code.MISSING, variable("Api", "DB_USER", "postgres")),
    (Code.CALL_RESOURCE, variable("Api", "DB_USER", "*")),
    (Code.CALL_RESOURCE, variable("Api", "DB_USER", "")),
    (Code.CALL_RESOURCE, variable("Api", "DB_HOST", "cluster.example.com")),
    (Code.CALL_RESOURCE, variable("Api", "DB_HOST", att("Instance", "Endpoint.Address"))),
    (Code.CALL_RESOURCE, has("Cluster", EnableIAMDatabaseAuthentication=False)),
    (Code.CALL_RESOURCE, lacks("Cluster", "EnableIAMDatabaseAuthentication")),
    (Code.CALL_RESOURCE, code('"rds", region_name=_region', f'"rds", "{WEST}"', API_MODULE)),
    (Code.CALL_RESOURCE, code("settings.user", "settings.user, Region='us-west-2'")),
    (Code.CALL_RESOURCE, code('=environment["DB_USER"]', '=environment.get("x", y)')),
    (Code.CALL_UNTRACED, code("import psycopg", "import psycopg9", API_MODULE)),
    # The secret.
    (Code.BROADER, statement("SchemaRole", 0, Resource=arn("secretsmanager", "secret:secret-*"))),
    (Code.BROADER, statement("SchemaRole", 0, Resource=arn("secretsmanager", "secret:*-??????"))),
    (Code.CALL_RESOURCE, variable("Schema", "SECRET_ARN", arn("secretsmanager", "secret:other"))),
    (
        Code.CALL_RESOURCE,  # only policies name a secret like that
        variable(
            "Schema", "SECRET_ARN", arn("secretsmanager", "secret:secret-payments-dev-??????")
        ),
    ),
    (Code.CALL_RESOURCE, put("secret", "Secret", ReplicaRegions=[])),  # the other region reads it
    (
        Code.CALL_UNMAPPED,
        put("secret", "Secret", KmsKeyId="arn:aws:kms:us-east-1:111122223333:key/other"),
    ),
    (Code.UNJUDGED, put("secret", "Secret", KmsKeyId="alias/other")),
    # Copies of documents.
    (Code.MISSING, rule(DeleteMarkerReplication={"Status": "Enabled"})),
    (Code.UNUSED, more("ReplicationRole", "s3:ReplicateDelete", DOCUMENTS)),
    (Code.UNUSED, rule(Status="Disabled")),
    (Code.UNUSED, lacks("Documents", "ReplicationConfiguration")),
    (Code.ROLE_UNUSED, lacks("Documents", "ReplicationConfiguration")),
    (Code.BROADER, rule(Filter={"Prefix": "invoices/"})),
    (Code.BROADER, rule(Filter={"And": {"Prefix": "invoices/", "TagFilters": []}})),
    (Code.BROADER, statement("ReplicationRole", 2, Resource="arn:aws:s3:::*/*")),
    (Code.UNJUDGED, destination(Bucket="arn:aws:s3:::elsewhere")),
    (Code.UNJUDGED, destination(Account=OTHER)),
    (Code.UNJUDGED, destination(AccessControlTranslation={"Owner": "Destination"})),
    (Code.UNJUDGED, destination(EncryptionConfiguration={"ReplicaKmsKeyID": "alias/x"})),
    (
        Code.UNJUDGED,
        rule(SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}}),
    ),
    (Code.UNJUDGED, rule(SourceSelectionCriteria={"ReplicaModifications": {"Status": "Enabled"}})),
    (Code.UNJUDGED, rule(ExistingObjectReplication={"Status": "Enabled"})),
    (
        Code.UNJUDGED,
        lambda case: case.properties(STACK, "Documents")["ReplicationConfiguration"]["Rules"][
            0
        ].pop("Filter"),
    ),
    (Code.UNJUDGED, has("Documents", LoggingConfiguration={"DestinationBucketName": "logs"})),
    (Code.CONFUSED_DEPUTY, trusts("ReplicationRole")),
    (
        Code.CONDITION_DIFFERS,
        trusts("ReplicationRole", ArnLike={"aws:SourceArn": "arn:aws:s3:::x"}),
    ),
    # Backups.
    (Code.UNUSED, more("BackupRole", "rds:CopyDBClusterSnapshot", att("Cluster", "DBClusterArn"))),
    (Code.UNUSED, more("BackupRole", "backup:StartBackupJob", att("Cluster", "DBClusterArn"))),
    (Code.BROADER, statement("BackupRole", 1, Resource=ANY_SNAPSHOT)),
    (Code.BROADER, statement("BackupRole", 6, Resource=arn("backup", "backup-vault:*", WEST))),
    (Code.NO_CONDITION, statement("BackupRole", 7, Condition={})),
    (Code.CONDITION_DIFFERS, statement("BackupRole", 7, Condition={"Null": {"a": "false"}})),
    (Code.NO_CONDITION, statement("BackupRole", 9, Condition={})),
    (Code.CONDITION_DIFFERS, statement("BackupRole", 10, Condition={"Bool": FOR_AWS})),
    (Code.STAR_BUT_RESOURCE_LEVEL, statement("BackupRole", 0, Resource="*")),
    (Code.UNUSED, lambda case: _rule_of_plan(case).pop("CopyActions")),
    (Code.UNUSED, selection(Resources=[])),
    (Code.ROLE_UNUSED, gone("Selection")),
    (Code.UNJUDGED, selection(Resources=["arn:aws:rds:us-east-1:111122223333:cluster:other"])),
    (Code.UNJUDGED, selection(Resources=["*"])),
    (Code.UNJUDGED, selection(ListOfTags=[])),
    (Code.UNJUDGED, has("Selection", BackupPlanId="other")),
    (Code.UNJUDGED, plan(TargetBackupVault="Default")),
    (Code.UNJUDGED, plan(EnableContinuousBackup=True)),
    (Code.UNJUDGED, plan(CopyActions=[{"DestinationBackupVaultArn": "arn:aws:backup:x"}])),
    (Code.UNJUDGED, lacks("Cluster", "KmsKeyId")),  # AWS's own key: no copy in another region
    (Code.UNJUDGED, without("recovery", "Vault", "EncryptionKeyArn")),
    (Code.UNUSED, both(lacks("Cluster", "KmsKeyId"), lacks("Cluster", "StorageEncrypted"))),
    (Code.CONFUSED_DEPUTY, trusts("BackupRole")),
    # Vaults.
    (Code.PRINCIPAL_UNEXPLAINED, access("Allow", "*", "backup:CopyIntoBackupVault")),
    (Code.PRINCIPAL_UNEXPLAINED, access("Allow", {"AWS": OTHER}, "backup:CopyIntoBackupVault")),
    (
        Code.SERVICE_BROADER,
        access("Allow", {"Service": "backup.amazonaws.com"}, "backup:CopyIntoBackupVault"),
    ),
    (Code.RESOURCE_DENIES, access("Deny", "*", "backup:CopyIntoBackupVault")),
    (Code.RESOURCE_DENIES, access("Deny", "*", "backup:*")),
    (Code.UNJUDGED, put("recovery", "Vault", Notifications={"SNSTopicArn": "arn:aws:sns:x"})),
    # Keys of databases and vaults.
    *((Code.KEY_ADMINISTRATION, not_left(STACK, "Key", index)) for index in (1, 2)),
    *((Code.KEY_ADMINISTRATION, not_left("recovery", "VaultKey", index)) for index in (1, 2, 3, 4)),
    (Code.KEY_ADMINISTRATION, left(STACK, "Key", 1, Condition={})),
    (Code.KEY_ADMINISTRATION, left(STACK, "Key", 2, Condition={"Bool": FOR_AWS})),
    (
        Code.KEY_ADMINISTRATION,
        left(STACK, "Key", 2, Condition={"StringEquals": through(f"rds.{EAST}", f"rds.{WEST}")}),
    ),
    (
        Code.KEY_ADMINISTRATION,  # the copy is made from the other region
        left(STACK, "Key", 1, Condition={"StringEquals": through(f"rds.{EAST}")}),
    ),
    (
        Code.KEY_DELEGATES,
        left(
            STACK,
            "Key",
            1,
            Condition={"StringEquals": through(f"rds.{EAST}", f"rds.{WEST}", f"s3.{EAST}")},
        ),
    ),
    (
        Code.KEY_ADMINISTRATION,
        left(STACK, "Key", 1, Condition={"StringLike": through("rds.*", "rds.*")}),
    ),
    (
        Code.KEY_ADMINISTRATION,  # Administer leaves it without a condition already
        lambda case: case.admitted(STACK, "Key")[1]["Action"].append("kms:DescribeKey"),
    ),
    (Code.KEY_DELEGATES, left("recovery", "VaultKey", 1, Action=["kms:Decrypt", "kms:Encrypt"])),
    (
        Code.REPEATED,
        lambda case: case.admitted(STACK, "Key").append(case.admitted(STACK, "Key")[1]),
    ),
    (
        Code.REPEATED,
        lambda case: case.admitted(STACK, "Key").append(
            case.admitted(STACK, "Key")[1] | {"Condition": {"StringEquals": through(f"rds.{EAST}")}}
        ),
    ),
    (Code.KEY_DELEGATES, gone("Vault", "recovery")),
    (Code.UNJUDGED, has("Instance", PerformanceInsightsKMSKeyId="alias/other")),
    # Databases.
    *(
        (Code.UNJUDGED, has("Cluster", **{name: value}))
        for name, value in (
            ("AssociatedRoles", [{"RoleArn": "arn:aws:iam::111122223333:role/x"}]),
            ("ManageMasterUserPassword", True),
            ("MonitoringRoleArn", "arn:aws:iam::111122223333:role/x"),
            ("Domain", "d-1"),
        )
    ),
    (Code.UNJUDGED, has("Instance", CustomIAMInstanceProfile="x")),
    (Code.ROLE_UNUSED, lacks("Instance", "MonitoringRoleArn")),
    (Code.UNUSED, more("MonitoringRole", "logs:DeleteLogGroup", arn("logs", "log-group:x"))),
    (
        Code.CONFUSED_DEPUTY,
        trusts("MonitoringRole", StringEquals={"aws:SourceAccount": ref("AWS::AccountId")}),
    ),
    # The function's own address.
    (Code.PRINCIPAL_UNEXPLAINED, has("Url", AuthType="NONE")),
    (Code.PRINCIPAL_UNEXPLAINED, lacks("Url", "AuthType")),
    (Code.SERVICE_MISSING, gone("UrlCall")),
    (Code.SERVICE_MISSING, gone("UrlInvoke")),
    (Code.PRINCIPAL_UNEXPLAINED, gone("Url")),
    (Code.SERVICE_NO_CONDITION, lacks("UrlCall", "FunctionUrlAuthType")),
    (Code.SERVICE_NO_CONDITION, lacks("UrlInvoke", "InvokedViaFunctionUrl")),
    (Code.SERVICE_CONDITION_DIFFERS, has("UrlCall", FunctionUrlAuthType="NONE")),
    (Code.SERVICE_CONDITION_DIFFERS, has("UrlInvoke", InvokedViaFunctionUrl=False)),
    (Code.SERVICE_CONDITION_DIFFERS, has("UrlInvoke", PrincipalOrgID="o-1")),
    (Code.PRINCIPAL_UNEXPLAINED, has("UrlInvoke", Principal="*")),
    (Code.PRINCIPAL_UNEXPLAINED, has("UrlCall", Principal=OTHER)),
    (Code.SERVICE_UNUSED, has("UrlCall", Action="lambda:GetFunction")),
    (Code.SERVICE_MISSING, has("UrlCall", FunctionName=ref("Api"))),
    (Code.SERVICE_MISSING, lacks("Url", "Qualifier")),
    (Code.UNJUDGED, has("Url", TargetFunctionArn="other")),
    (Code.UNJUDGED, has("Url", Odd=True)),
    # The API.
    (Code.PRINCIPAL_UNEXPLAINED, why({})),
    (Code.PRINCIPAL_UNEXPLAINED, why({"E9601": " "})),
    (Code.PRINCIPAL_UNEXPLAINED, why({"W9999": "of something else"})),
    (Code.PRINCIPAL_UNEXPLAINED, why("all of it")),
    (
        Code.PRINCIPAL_UNEXPLAINED,
        lambda case: case.templates[STACK]["Resources"]["Health"].pop("Metadata"),
    ),
    (Code.PRINCIPAL_UNEXPLAINED, has("Pay", AuthorizationType="NONE")),
    (Code.UNJUDGED, has("Health", RouteKey="$default")),
    (Code.SERVICE_BROADER, has("HealthPermission", SourceArn={"Fn::Sub": f"{_GATEWAY}/*/GET/*"})),
    (
        Code.SERVICE_BROADER,
        has("HealthPermission", SourceArn={"Fn::Sub": f"{_GATEWAY}/*/*/health"}),
    ),
    (
        Code.SERVICE_CONDITION_DIFFERS,
        has("ReadPermission", SourceArn={"Fn::Sub": f"{_GATEWAY}/*/GET/payments"}),
    ),
    (
        Code.SERVICE_CONDITION_DIFFERS,  # as far as is documented, it may be the value that is sent
        has("ReadPermission", SourceArn={"Fn::Sub": f"{_GATEWAY}/*/GET/payments/{{paymentId}}"}),
    ),
    (Code.SERVICE_BROADER, has("ReadPermission", SourceArn={"Fn::Sub": f"{_GATEWAY}/*/GET/pay*"})),
    # Migrations.
    (Code.UNJUDGED, has("Migrations", ServiceToken=arn("lambda", "function:other:live"))),
    (Code.UNJUDGED, has("Migrations", ServiceToken=arn("sns", "topic"))),
    (Code.UNJUDGED, lacks("Migrations", "ServiceToken")),
    (
        Code.UNJUDGED,
        lambda case: case.templates[STACK]["Resources"].update(
            Odd={"Type": "Custom::Odd", "Properties": {"ServiceToken": "arn:aws:lambda:x"}}
        ),
    ),
]


def _rule_of_plan(case: Any) -> dict[str, Any]:
    found: dict[str, Any] = case.properties(STACK, "Plan")["BackupPlan"]["BackupPlanRule"][0]
    return found
