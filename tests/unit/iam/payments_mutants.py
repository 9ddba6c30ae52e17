"""Mutants of what uses roles, keys and functions: databases, backups, copies, two doors."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from tap_templates.rendered.view import Located, SystemView

OTHER = "999999999999"
Change = tuple[str, dict[str, Any]]


def other_mutants(view: SystemView) -> Iterator[tuple[str, SystemView]]:
    """Iterate over mutants of resources other than policies, each with its name."""
    for kind, changes in _CHANGES.items():
        for located in view.resources(kind):
            for name, changed in changes(located):
                properties = {k: v for k, v in changed.items() if v is not None}
                yield f"{located.place}: {name}", view.with_properties(located, properties)


def _set(located: Located, **changes: Any) -> dict[str, Any]:
    return dict(located.resource.properties) | changes


def _within(located: Located, way: tuple[Any, ...], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change what is deeper in the properties; None takes it out."""
    properties = deepcopy(dict(located.resource.properties))
    found = properties
    for each in way:
        found = found[each]
    found.update(changes)
    for name in [name for name, value in changes.items() if value is None]:
        del found[name]
    return properties


def _url(located: Located) -> Iterator[Change]:
    yield "open", _set(located, AuthType="NONE")
    yield "open by default", _set(located, AuthType=None)
    yield "of the function itself", _set(located, Qualifier=None)
    yield "of another alias", _set(located, Qualifier="other")
    yield "of another function", _set(located, TargetFunctionArn="other")


def _permission(located: Located) -> Iterator[Change]:
    properties = located.resource.properties
    if "FunctionUrlAuthType" in properties:
        yield "of an open address", _set(located, FunctionUrlAuthType="NONE")
        yield "of any address", _set(located, FunctionUrlAuthType=None)
        yield "through an address", _set(located, InvokedViaFunctionUrl=True)
    if "InvokedViaFunctionUrl" in properties:
        yield "in any way", _set(located, InvokedViaFunctionUrl=None)
        yield "in any other way", _set(located, InvokedViaFunctionUrl=False)
        yield "of an organisation", _set(located, PrincipalOrgID="o-x")
        yield "of the address", _set(located, Action="lambda:InvokeFunctionUrl")


def _route(located: Located) -> Iterator[Change]:
    key = located.resource.properties["RouteKey"]
    yield "another path", _set(located, RouteKey=f"{key}/other")
    yield "another variable path", _set(located, RouteKey=f"{key}/{{other}}")
    yield "all paths", _set(located, RouteKey="$default")
    yield "all methods", _set(located, RouteKey=f"ANY {key.partition(' ')[2]}")
    if located.resource.properties["AuthorizationType"] != "NONE":
        yield "open", _set(located, AuthorizationType="NONE")
        yield "open by default", _set(located, AuthorizationType=None)


def _bucket(located: Located) -> Iterator[Change]:
    configuration = located.resource.properties.get("ReplicationConfiguration")
    yield "tells a topic", _set(located, NotificationConfiguration={})
    if configuration is None:
        return
    way = ("ReplicationConfiguration", "Rules", 0)
    yield "no copies", _set(located, ReplicationConfiguration=None)
    yield "no rules", _within(located, way[:1], {"Rules": []})
    yield "another role", _within(located, way[:1], {"Role": f"arn:aws:iam::{OTHER}:role/x"})
    for name, changes in (
        ("off", {"Status": "Disabled"}),
        ("deletions", {"DeleteMarkerReplication": {"Status": "Enabled"}}),
        ("fewer", {"Filter": {"Prefix": "x/"}}),
        ("the older form", {"Filter": None, "Prefix": ""}),
        ("what has a key", {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": _ON}}),
        ("changes of copies", {"SourceSelectionCriteria": {"ReplicaModifications": _ON}}),
        ("to nowhere", {"Destination": {}}),
    ):
        yield name, _within(located, way, changes)
    for name, value in (
        ("Bucket", "arn:aws:s3:::other"),
        ("Account", OTHER),
        ("AccessControlTranslation", {"Owner": "Destination"}),
        ("EncryptionConfiguration", {"ReplicaKmsKeyID": "alias/x"}),
    ):
        yield f"another {name}", _within(located, (*way, "Destination"), {name: value})


_ON = {"Status": "Enabled"}


def _plan(located: Located) -> Iterator[Change]:
    way = ("BackupPlan", "BackupPlanRule", 0)
    yield "no rules", _within(located, way[:1], {"BackupPlanRule": []})
    yield "no copies", _within(located, way, {"CopyActions": None})
    yield "another vault", _within(located, way, {"TargetBackupVault": "other"})
    yield "at any moment", _within(located, way, {"EnableContinuousBackup": True})
    copies = (*way, "CopyActions", 0)
    for vault in (
        f"arn:aws:backup:us-west-2:{OTHER}:backup-vault:x",
        f"arn:aws:backup:{located.stack.region}:111122223333:backup-vault:vault-payments-dev",
    ):
        yield f"copies to {vault}", _within(located, copies, {"DestinationBackupVaultArn": vault})


def _selection(located: Located) -> Iterator[Change]:
    way = ("BackupSelection",)
    for name, changes in (
        ("another role", {"IamRoleArn": f"arn:aws:iam::{OTHER}:role/x"}),
        ("nothing", {"Resources": []}),
        ("everything", {"Resources": ["*"]}),
        ("all clusters", {"Resources": ["arn:aws:rds:*:*:cluster:*"]}),
        ("by tags", {"ListOfTags": [{"ConditionKey": "x"}]}),
        ("all but", {"NotResources": []}),
    ):
        yield name, _within(located, way, changes)
    yield "of another plan", _set(located, BackupPlanId="other")


def _cluster(located: Located) -> Iterator[Change]:
    for name, changes in (
        ("no login by IAM", {"EnableIAMDatabaseAuthentication": False}),
        ("no login by IAM by default", {"EnableIAMDatabaseAuthentication": None}),
        ("AWS's own key", {"KmsKeyId": "alias/aws/rds"}),
        ("AWS's own key by default", {"KmsKeyId": None}),
        ("a key of nobody", {"KmsKeyId": "alias/other"}),
        ("with a role", {"AssociatedRoles": [{"RoleArn": f"arn:aws:iam::{OTHER}:role/x"}]}),
        ("a password of RDS", {"ManageMasterUserPassword": True}),
    ):
        yield name, _set(located, **changes)


def _instance(located: Located) -> Iterator[Change]:
    yield "no monitoring", _set(located, MonitoringRoleArn=None)
    yield "another role", _set(located, MonitoringRoleArn=f"arn:aws:iam::{OTHER}:role/x")
    yield "a key of nobody", _set(located, PerformanceInsightsKMSKeyId="alias/other")


def _vault(located: Located) -> Iterator[Change]:
    yield "AWS's own key", _set(located, EncryptionKeyArn=None)
    yield "a key of nobody", _set(located, EncryptionKeyArn="alias/other")
    yield "tells a topic", _set(located, Notifications={})
    for effect, principal in (("Allow", "*"), ("Allow", {"AWS": OTHER}), ("Deny", "*")):
        given = {"Effect": effect, "Principal": principal}
        statement = given | {"Action": "backup:CopyIntoBackupVault", "Resource": "*"}
        yield f"{effect} {principal}", _set(located, AccessPolicy={"Statement": [statement]})


def _secret(located: Located) -> Iterator[Change]:
    yield "no copy", _set(located, ReplicaRegions=None)
    yield "a copy elsewhere", _set(located, ReplicaRegions=[{"Region": "eu-west-1"}])
    yield "a key of nobody", _set(located, KmsKeyId="alias/other")


def _step(located: Located) -> Iterator[Change]:
    yield "by nobody", _set(located, ServiceToken=None)
    yield "by another", _set(located, ServiceToken=f"arn:aws:lambda:us-east-1:{OTHER}:function:x")
    yield "by a topic", _set(located, ServiceToken=f"arn:aws:sns:us-east-1:{OTHER}:x")


def _function(located: Located) -> Iterator[Change]:
    variables = located.resource.properties["Environment"]["Variables"]
    for name in variables:
        for value in (f"{variables[name]}-other", "*", None):
            changed = _within(located, ("Environment", "Variables"), {name: value})
            yield f"{name} is {value}", changed


_CHANGES = {
    "AWS::ApiGatewayV2::Route": _route,
    "AWS::Backup::BackupPlan": _plan,
    "AWS::Backup::BackupSelection": _selection,
    "AWS::Backup::BackupVault": _vault,
    "AWS::CloudFormation::CustomResource": _step,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Url": _url,
    "AWS::RDS::DBCluster": _cluster,
    "AWS::RDS::DBInstance": _instance,
    "AWS::S3::Bucket": _bucket,
    "AWS::SecretsManager::Secret": _secret,
}
