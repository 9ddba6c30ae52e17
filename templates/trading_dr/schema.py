"""The schema of the database: a function that CloudFormation runs with each release.

In the primary region alone: the copy gets the schema as it gets everything else. While the roles
are swapped the writer is elsewhere, and the step says so instead of failing.
"""

from datetime import timedelta

from troposphere import GetAtt, Ref

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.custom_resource import SchemaMigration, deploy_step
from tap_templates.blocks.function import Settings, request_function
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import sub
from templates.trading_dr.shared import (
    ALARMS,
    DATABASE_SERVER,
    MASTER,
    SCHEMA,
    SCHEMA_PACKAGE,
    code,
    database_environment,
    in_network,
    own_environment,
)


def build() -> StackTemplate:
    """The function and the step that runs it."""
    stack = StackTemplate("trading-dr: brings the database to the schema of this release")
    for parameter in DATABASE_SERVER:
        stack.parameter(parameter)
    log_key = service_key(
        "Log",
        "order-schema-log",
        "Encrypts the log of the schema function",
        use_by_log_groups(SCHEMA.log_group),
    )
    settings = Settings(
        describes="Brings the database to the schema of this release",
        environment={
            **own_environment(SCHEMA),
            "SECRET_ARN": sub(MASTER.name),
            **database_environment(),
        },
        timeout=timedelta(minutes=5),
        memory_mib=512,
        concurrency=1,
        network=in_network(stack),
    )
    made = request_function(
        "Schema",
        SCHEMA,
        code(stack, "Schema", SCHEMA_PACKAGE),
        settings,
        MASTER.read(),
        log_key=log_key,
    )
    migrations = deploy_step(
        SchemaMigration,
        "Migrations",
        SCHEMA,
        made.alias,
        seconds=360,
        runs_again_with=Ref("SchemaCodeSha256"),
    )
    failed = alarm(
        "SchemaErrors",
        "order-schema-errors",
        SCHEMA.metric("Errors"),
        above=0,
        tell=ALARMS,
        means="Migrations failed; the deployment says why.",
    )
    stack.add(*log_key, *made, migrations, failed)
    stack.output("SchemaVersion", "Version that the database is at", GetAtt(migrations, "Version"))
    return stack
