"""One region's cluster of the global database: `database-primary` and `database-secondary`.

Both have the same instances, since either must carry the whole load. Only the primary has the
master's secret, of which the secondary region holds a copy.
"""

from troposphere import Ref

from tap_templates.blocks.aurora import aurora_primary, aurora_secondary
from tap_templates.blocks.aurora_choices import global_choices
from tap_templates.blocks.aurora_cluster import AuroraCluster, AuroraSettings
from tap_templates.blocks.key import ServiceKey, service_key, use_by_log_groups
from tap_templates.blocks.secret import master_secret
from tap_templates.blocks.stack import StackTemplate
from templates.trading_dr.shared import (
    ALARMS,
    CLUSTER,
    DATABASE,
    DATABASE_GROUP,
    DATABASE_PLACES,
    ISOLATED_SUBNETS,
    MASTER,
    MASTER_USER,
)


def primary() -> StackTemplate:
    """The cluster that is written to, and the global database from it."""
    stack = StackTemplate("trading-dr: the database of the primary region, written to")
    choices, settings = global_choices(stack), _settings(stack)
    secret = master_secret(
        "Master",
        MASTER,
        username=MASTER_USER,
        copied_to=Ref("SecondaryRegion"),
        describes="Master user of the database of orders; migrations log in with it",
    )
    stack.add(secret)
    made = aurora_primary("Orders", CLUSTER, choices, settings, after=[str(secret.title)])
    return _with(stack, made)


def secondary() -> StackTemplate:
    """The cluster that copies the primary's and takes over from it."""
    stack = StackTemplate("trading-dr: the database of the secondary region, a copy")
    choices, settings = global_choices(stack), _settings(stack)
    return _with(stack, aurora_secondary("Orders", CLUSTER, choices, settings))


def _settings(stack: StackTemplate) -> AuroraSettings:
    for parameter in DATABASE_PLACES:
        stack.parameter(parameter)
    log_key = _log_key()
    stack.add(*log_key)
    return AuroraSettings(
        database=DATABASE,
        master=MASTER,
        subnets=[each.ref for each in ISOLATED_SUBNETS],
        security_groups=[DATABASE_GROUP.ref],
        log_key=log_key,
        tell=ALARMS,
    )


def _log_key() -> ServiceKey:
    return service_key(
        "Log",
        "orders-database-log",
        "Encrypts the log of the database",
        use_by_log_groups(CLUSTER.log_group),
    )


def _with(stack: StackTemplate, made: AuroraCluster) -> StackTemplate:
    stack.add(*made)
    stack.output("ClusterIdentifier", "The cluster of this region", Ref(made.cluster))
    stack.output("ClusterResourceId", "What logins are granted by", made.resource_id)
    stack.output("DatabaseHost", "Where it is written to, when it may be", made.host)
    stack.output("ReaderHost", "Where it is read, a copy too", made.reader_host)
    stack.output("DatabasePort", "The port of it", made.port)
    return stack
