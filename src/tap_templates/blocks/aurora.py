"""Block: an Aurora PostgreSQL pair, the primary and the secondary of a global database.

The database is made in the primary region and declared global from there: cluster and instances,
then the global cluster with that cluster as its source. The other form, an empty global cluster
that both join, is not used: CloudFormation's handler then takes some cluster of the region. The
secondary joins by name, copies everything, credentials too, and is encrypted with its own key
(https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database.html).

While the roles are swapped, no stack update may touch RDS: switch back first.
"""

from collections.abc import Sequence
from dataclasses import replace

from troposphere import GetAtt, If, NoValue, Ref, rds

from tap_templates.blocks.aurora_alarms import copy_stopped_alarm, lag_alarm, load_alarms
from tap_templates.blocks.aurora_choices import DatabaseChoices
from tap_templates.blocks.aurora_cluster import (
    AuroraCluster,
    AuroraSettings,
    Cluster,
    ClusterMaking,
)
from tap_templates.blocks.text import Text, sub


def aurora_primary(
    title: str,
    reference: Cluster,
    choices: DatabaseChoices,
    settings: AuroraSettings,
    *,
    after: Sequence[str],
) -> AuroraCluster:
    """Declare the cluster that is written to, and the global database from it.

    The password is read from the secret when the cluster is made: `after` names the secret's
    logical id, where it is in the same stack.
    """
    making = ClusterMaking(title, reference, choices, settings)
    role = {
        "MasterUsername": settings.master.username,
        "MasterUserPassword": settings.master.password,
        "DatabaseName": settings.database,
    }
    made = making.make(role, after=after)
    joined = rds.GlobalCluster(
        f"{title}GlobalCluster",
        DependsOn=[each.title for each in made.instances],  # its source must be available
        GlobalClusterIdentifier=sub(reference.global_name),
        SourceDBClusterIdentifier=GetAtt(made.cluster, "DBClusterArn"),
    )
    if choices.is_global is not None:
        joined.Condition = choices.is_global
    watched = making.watched
    lag = lag_alarm(watched, is_global=choices.is_global)
    return replace(made, global_cluster=joined, alarms=(*load_alarms(watched), lag))


def aurora_secondary(
    title: str, reference: Cluster, choices: DatabaseChoices, settings: AuroraSettings
) -> AuroraCluster:
    """Declare the cluster that copies the primary's, with instances to take over with.

    In a global database it has no credentials of its own, it copies them. As an independent
    cluster it reads those of the secret's replica, which the stack of the secret has made.
    """
    joined: dict[str, Text] = {
        "GlobalClusterIdentifier": sub(reference.global_name),
        "SourceRegion": Ref("PrimaryRegion"),  # as an encrypted member needs it
    }
    alone: dict[str, Text] = {
        "MasterUsername": settings.master.username,
        "MasterUserPassword": settings.master.password,
        "DatabaseName": settings.database,
    }
    mode = choices.is_global
    role = (
        joined
        if mode is None
        else {name: If(mode, value, NoValue) for name, value in joined.items()}
        | {name: If(mode, NoValue, value) for name, value in alone.items()}
    )
    making = ClusterMaking(title, reference, choices, settings)
    watched = making.watched
    alarms = (
        *load_alarms(watched),
        lag_alarm(watched, is_global=choices.is_global),
        copy_stopped_alarm(watched, is_global=choices.is_global),
    )
    return replace(making.make(role), alarms=alarms)
