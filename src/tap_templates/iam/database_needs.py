"""What RDS does with roles, and which permission it takes to log in to a cluster by IAM.

Its logs RDS writes with a role of its own, linked to the service; only the processes of an
instance are told with a role of ours, into one log group for all instances.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Monitoring.OS.Enabling.html
"""

from collections.abc import Iterator

from tap_templates.iam.arguments import Call, CallError
from tap_templates.iam.codes import Code
from tap_templates.iam.needs import Condition, RoleUse, UseOfRole, allow, not_written_down
from tap_templates.iam.patterns import is_pattern
from tap_templates.rendered.tokens import attribute_token
from tap_templates.rendered.view import Located, SystemView

_CLUSTER = "AWS::RDS::DBCluster"
# Where a cluster is reached: each of its own endpoints takes the same permission.
_ENDPOINTS = ("Endpoint.Address", "ReadEndpoint.Address")
_STREAMS = (
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)
_GROUP = ("logs:CreateLogGroup", "logs:PutRetentionPolicy")
# Properties that let RDS act with roles or keys, or make secrets, of which nothing is derived.
_UNREAD_OF_CLUSTER = (
    "AssociatedRoles",
    "Domain",
    "ManageMasterUserPassword",
    "MasterUserSecret",
    "MonitoringRoleArn",
)
_UNREAD_OF_INSTANCE = (
    "AssociatedRoles",
    "CustomIAMInstanceProfile",
    "Domain",
    "DomainIAMRoleName",
    "ManageMasterUserPassword",
    "MasterUserSecret",
    "TdeCredentialArn",
)
_WHERE = "iam/database_needs.py"


class UnknownGlobalClusterError(Exception):
    """No stack of the system makes this global database. Caught where a problem is made."""


def arns_of_global_cluster(view: SystemView, name: str) -> tuple[str, tuple[str, ...]]:
    """Find the ARN of a global database and those of its clusters, in whichever regions."""
    for whole in view.resources("AWS::RDS::GlobalCluster"):
        if whole.resource.name != name:
            continue
        source = str(whole.resource.properties.get("SourceDBClusterIdentifier"))
        members = {
            str(each.resource.arn)
            for each in view.resources(_CLUSTER)
            if each.resource.properties.get("GlobalClusterIdentifier") == name
            or source in (each.resource.ref, each.resource.arn, each.resource.name)
        }
        return str(whole.resource.arn), tuple(sorted(members))
    raise UnknownGlobalClusterError(name)


def cluster_uses(_view: SystemView, cluster: Located) -> Iterator[UseOfRole]:
    """Refuse what a cluster may do with roles: none of it is written down."""
    yield from _unread(cluster, _UNREAD_OF_CLUSTER)


def instance_uses(view: SystemView, instance: Located) -> Iterator[UseOfRole]:
    """Judge what an instance does with a role: enhanced monitoring."""
    yield from _unread(instance, _UNREAD_OF_INSTANCE)
    role = instance.resource.properties.get("MonitoringRoleArn")
    if role is None:
        return
    path = "/Properties/MonitoringRoleArn"
    why = f"{instance.place} {path}"
    own = f"{instance.stack.region}:{view.account}"
    group = f"arn:{view.partition}:logs:{own}:log-group:RDSOSMetrics"
    yield RoleUse(
        role_arn=str(role),
        user=instance,
        path=path,
        principal="monitoring.rds.amazonaws.com",
        source_arn=instance.resource.arn,
        needs=(
            *(allow(action, f"{group}:*", why) for action in _STREAMS),
            *(allow(action, group, why) for action in _GROUP),
        ),
    )


def _unread(located: Located, names: tuple[str, ...]) -> Iterator[UseOfRole]:
    for name in names:
        if located.resource.properties.get(name) not in (None, False, "false"):
            path = f"/Properties/{name}"
            yield not_written_down(located, path, f"sets {name}", _WHERE)


def connect(call: Call) -> Iterator[tuple[str, str, Condition]]:
    """Read whom a token is for: making one calls nothing, logging in with it is the permission.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
    """
    region = call.region
    if call.has("Region"):
        (region, *others) = call.named("Region")
        if others:
            raise CallError(Code.CALL_RESOURCE, "is for one of several regions")
    for host in call.named("DBHostname", "0"):
        cluster = _cluster_at(call.runner.view, host)
        if cluster.stack.region != region:
            what = f"is for {region}, but the cluster is in {cluster.stack.region}"
            raise CallError(Code.CALL_RESOURCE, what)
        for user in call.named("DBUsername", "2"):
            if is_pattern(user) or not user:
                raise CallError(Code.CALL_RESOURCE, f"is for the user {user!r}")
            yield "rds-db:connect", f"{_users_of(call, cluster)}/{user}", ()


def _cluster_at(view: SystemView, host: str) -> Located:
    for cluster in view.resources(_CLUSTER):
        if host in {_attribute(cluster, each) for each in _ENDPOINTS}:
            enabled = cluster.resource.properties.get("EnableIAMDatabaseAuthentication")
            if enabled not in (True, "true"):
                what = f"is for {cluster.place}, which takes no login by IAM"
                raise CallError(Code.CALL_RESOURCE, what)
            return cluster
    what = f"is for {host}, which is no endpoint of a cluster of this system"
    raise CallError(Code.CALL_RESOURCE, what)


def _users_of(call: Call, cluster: Located) -> str:
    resource = f"dbuser:{_attribute(cluster, 'DBClusterResourceId')}"
    return call.runner.arn("rds-db", cluster.stack.region, resource)


def _attribute(cluster: Located, name: str) -> str:
    stack, logical_id = cluster.stack, cluster.resource.logical_id
    return attribute_token(stack.stack, logical_id, name, stack.region)
