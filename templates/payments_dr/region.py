"""One region of payments-dr: `primary` and `secondary` are built by the same code.

A section of the system each, in the order they need each other. What differs between the roles is
that the primary's database is written to and has the master's secret; the secondary's copies it.
"""

from datetime import timedelta
from typing import Any

from troposphere import Equals, GetAtt, Ref

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.aurora import aurora_primary, aurora_secondary
from tap_templates.blocks.aurora_choices import DATABASE_MODE, INDEPENDENT, database_choices
from tap_templates.blocks.aurora_cluster import AuroraCluster, AuroraSettings
from tap_templates.blocks.backup import BackupKeys, BackupSettings, daily_backups
from tap_templates.blocks.custom_resource import SchemaMigration, deploy_step, way_out
from tap_templates.blocks.dns_failover import DOMAIN, ZONE_ID
from tap_templates.blocks.dns_failover_domain import api_domain
from tap_templates.blocks.function import (
    Code,
    Function,
    RequestFunction,
    Settings,
    request_function,
)
from tap_templates.blocks.function_role import FunctionNetwork
from tap_templates.blocks.function_url import signed_url
from tap_templates.blocks.http_api import SignedApi, Throttle, open_route, signed_api, signed_route
from tap_templates.blocks.key import service_key, use_by_alarms, use_by_log_groups
from tap_templates.blocks.network import NatGateways, Vpc, network
from tap_templates.blocks.network_endpoints import gateway_endpoints
from tap_templates.blocks.parameters import code_key, code_sha256, email_parameter
from tap_templates.blocks.policy import Grant
from tap_templates.blocks.replication import Copies, replicated_bucket
from tap_templates.blocks.secret import master_secret
from tap_templates.blocks.security_group import (
    POSTGRESQL,
    admit,
    group_id,
    https_to_anywhere,
    security_group,
)
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import Text, sub
from tap_templates.blocks.topic import alarm_topic
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from tap_templates.model.package import Package
from templates.payments_dr import parameters as asked
from templates.payments_dr.shared import (
    ALARMS,
    API,
    APPLICATION_USER,
    CLUSTER,
    COPIES,
    DATABASE,
    DOCUMENTS,
    LOGS_KEPT_DAYS,
    MASTER,
    MASTER_USER,
    METRICS,
    NAME,
    NETWORK,
    PAYMENTS,
    PAYMENTS_PACKAGE,
    SCHEMA,
    SCHEMA_PACKAGE,
    SESSIONS,
    VAULT,
)

OLD_VERSIONS = timedelta(days=30)
_HEALTH_IS_OPEN = (
    "Route 53 checks health without a signature; the answer names at most the check that failed, "
    "and comes from what the function already has open"
)


def primary() -> StackTemplate:
    """The region that is active."""
    return _Region(is_primary=True).build()


def secondary() -> StackTemplate:
    """The region that stands by."""
    return _Region(is_primary=False).build()


class _Region:
    """The stack of one region while it is built."""

    def __init__(self, *, is_primary: bool) -> None:
        self.is_primary = is_primary
        self.role, self.other = (
            ("primary", SECONDARY_REGION) if is_primary else ("secondary", PRIMARY_REGION)
        )
        self.stack = StackTemplate(f"payments-dr: the {self.role} region")
        self.log_key = service_key(
            "Log",
            "payments-log",
            "Encrypts the logs of this region",
            use_by_log_groups(
                API.log_group, CLUSTER.log_group, PAYMENTS.log_group, SCHEMA.log_group
            ),
        )

    def build(self) -> StackTemplate:
        self.stack.add(*self.log_key)
        self._alerts()
        vpc = self._vpc()
        database = self._aurora(vpc)
        payments = self._functions(vpc, database)
        self._api(payments)
        self._sessions()
        self._documents()
        self._backups(database)
        self._alarms()
        return self.stack

    # --- SNS ----------------------------------------------------------------------------------

    def _alerts(self) -> None:
        key = service_key(
            "Alarms", "payments-alarms", "Encrypts what alarms publish", use_by_alarms()
        )
        topic = alarm_topic(
            "Alarms", ALARMS, key=key, email=self.stack.parameter(email_parameter())
        )
        self.stack.add(*key, *topic)
        self.stack.output("AlarmTopicArn", "Topic of all alarms of this region", Ref(topic.topic))

    # --- VPC ----------------------------------------------------------------------------------

    def _vpc(self) -> Vpc:
        stack = self.stack
        vpc = network(
            stack,
            "Payments",
            NETWORK,
            nat_gateways=NatGateways.ONE_PER_AZ,
            flow_log_kept_days=LOGS_KEPT_DAYS,
        )
        self.functions = security_group(
            "Functions", "payments-functions", vpc.id, describes="Functions of the payment API"
        )
        self.databases = security_group(
            "Database", "payments-database", vpc.id, describes="The payments database"
        )
        stack.add(*vpc, self.functions, self.databases)
        admitted = (
            *admit("Database", self.functions, self.databases, port=POSTGRESQL, why="Payments"),
            https_to_anywhere("Functions", self.functions, why="DynamoDB, and what answers go to"),
            *gateway_endpoints("Payments", NETWORK, vpc, deploy_steps=True),
        )
        stack.add(*admitted)
        self.way_out = way_out(vpc, *admitted)
        stack.output("VpcId", "The VPC", vpc.id)
        stack.output("VpcCidr", "Its range", vpc.cidr)
        return vpc

    # --- Aurora -------------------------------------------------------------------------------

    def _aurora(self, vpc: Vpc) -> AuroraCluster:
        stack, choices = self.stack, database_choices(self.stack)
        settings = AuroraSettings(
            database=DATABASE,
            master=MASTER,
            subnets=vpc.isolated.ids,
            security_groups=[group_id(self.databases)],
            log_key=self.log_key,
            log_kept_days=LOGS_KEPT_DAYS,
            tell=ALARMS,
        )
        if self.is_primary:
            secret = master_secret(
                "Master",
                MASTER,
                username=MASTER_USER,
                copied_to=Ref("SecondaryRegion"),
                describes="Master user of the payments database; migrations log in with it",
            )
            stack.add(secret)
            made = aurora_primary("Payments", CLUSTER, choices, settings, after=[str(secret.title)])
        else:
            made = aurora_secondary("Payments", CLUSTER, choices, settings)
        stack.add(*made)
        stack.output("ClusterIdentifier", "The cluster of this region", Ref(made.cluster))
        stack.output("ClusterEndpoint", "Where it is written to, when it may be", made.host)
        return made

    # --- Lambda -------------------------------------------------------------------------------

    def _functions(self, vpc: Vpc, database: AuroraCluster) -> RequestFunction:
        where = {
            "DB_HOST": database.host,
            "DB_NAME": DATABASE,
            "DB_PORT": database.port,
            "DB_SSL": "require",
        }
        self.where = FunctionNetwork(
            vpc=vpc.vpc, subnets=vpc.private.subnets, security_group=self.functions
        )
        payments = self._function(
            "Payments",
            PAYMENTS,
            PAYMENTS_PACKAGE,
            database.connect_as(APPLICATION_USER),
            SESSIONS.get_items(),
            SESSIONS.update_items(),
            describes="Books payments, once for each idempotency key",
            environment={
                **where,
                "DB_AUTH": "iam",
                "DB_USER": APPLICATION_USER,
                "TABLE_NAME": sub(SESSIONS.name),
            },
            timeout=timedelta(seconds=20),
            concurrency=self.stack.parameter(asked.CONCURRENCY),
        )
        schema = self._function(
            "Schema",
            SCHEMA,
            SCHEMA_PACKAGE,
            MASTER.read(),
            describes="Brings the database to the schema of this release",
            environment={**where, "SECRET_ARN": sub(MASTER.name)},
            timeout=timedelta(minutes=5),
            concurrency=1,
        )
        # A copy's endpoint for writes leads nowhere, and there is nothing to do.
        alone = Equals(DATABASE_MODE.ref, INDEPENDENT)
        wanted = None if self.is_primary else self.stack.condition("MigratesItself", alone)
        migrations = deploy_step(
            SchemaMigration,
            "Migrations",
            SCHEMA,
            schema.alias,
            seconds=360,
            after=(*(str(each.title) for each in database.instances), *self.way_out),
            runs_again_with=Ref("SchemaCodeSha256"),
            if_wanted=wanted,
        )
        url = signed_url("Payments", payments.function, payments.alias)
        self.stack.add(migrations, *url)
        self.stack.output("FunctionUrl", "The function, for callers that sign", url.address)
        self.stack.output("PaymentsRoleArn", "What it runs with", GetAtt(payments.role, "Arn"))
        return payments

    def _function(
        self,
        title: str,
        function: Function,
        package: Package,
        *grants: Grant,
        describes: str,
        environment: dict[str, Text],
        timeout: timedelta,
        concurrency: Any,
    ) -> RequestFunction:
        code = Code(
            package=package,
            key=self.stack.parameter(code_key(f"{title}CodeKey")),
            sha256=self.stack.parameter(code_sha256(f"{title}CodeSha256")),
        )
        settings = Settings(
            describes=describes,
            environment={
                "POWERTOOLS_METRICS_NAMESPACE": METRICS,
                "POWERTOOLS_SERVICE_NAME": function.purpose,
                **environment,
            },
            timeout=timeout,
            memory_mib=512,
            concurrency=concurrency,
            network=self.where,
            log_kept_days=LOGS_KEPT_DAYS,
        )
        made = request_function(title, function, code, settings, *grants, log_key=self.log_key)
        self.stack.add(*made)
        return made

    def _api(self, payments: RequestFunction) -> None:
        stack = self.stack
        api = signed_api(
            "Payments",
            API,
            function=PAYMENTS,
            throttle=Throttle(rate=stack.parameter(asked.RATE), burst=stack.parameter(asked.BURST)),
            log_key=self.log_key,
            log_kept_days=LOGS_KEPT_DAYS,
            describes="Books payments",
        )
        api.integration.DependsOn = [payments.alias.title]  # named by its ARN, so no edge is seen
        for door in self._doors(api):
            door.permission.DependsOn = [payments.alias.title]
            stack.add(*door)
        stack.parameter(DOMAIN)
        domain = api_domain("Payments", api, name=NAME, zone=stack.parameter(ZONE_ID))
        stack.add(*api, *domain)
        stack.output("ApiId", "The API of this region", Ref(api.api))
        stack.output("ApiUrl", "The API of this region, under its own name", api.url)
        stack.output("ApiHost", "Where the name leads to in this region", domain.host)

    @staticmethod
    def _doors(api: SignedApi) -> tuple[Any, ...]:
        return (
            signed_route("Post", api, route="POST /payments", function=PAYMENTS),
            signed_route("Get", api, route="GET /payments/{paymentId}", function=PAYMENTS),
            open_route("Health", api, route="GET /health", function=PAYMENTS, why=_HEALTH_IS_OPEN),
        )

    # --- DynamoDB -----------------------------------------------------------------------------

    def _sessions(self) -> None:
        """The table is a stack of its own, since one region makes it for both."""
        for operation in ("GetItem", "UpdateItem"):
            self.stack.add(
                alarm(
                    f"Sessions{operation}Throttled",
                    f"payments-sessions-{operation.lower()}-throttled",
                    SESSIONS.metric("ThrottledRequests", operation=operation),
                    above=0,
                    periods=3,
                    tell=ALARMS,
                    means="The table of sessions has been throttled for three minutes.",
                )
            )

    # --- S3 -----------------------------------------------------------------------------------

    def _documents(self) -> None:
        documents = replicated_bucket(
            "Documents",
            DOCUMENTS,
            to=Copies(bucket=COPIES, region=self.other),
            old_versions_kept=OLD_VERSIONS,
            tell=ALARMS,
        )
        self.stack.add(*documents)
        bucket = documents.made.bucket
        self.stack.output("DocumentsBucketName", "Documents of this region", Ref(bucket))
        self.stack.output("DocumentsBucketArn", "ARN of that bucket", GetAtt(bucket, "Arn"))

    # --- Backup -------------------------------------------------------------------------------

    def _backups(self, database: AuroraCluster) -> None:
        wanted = None
        if not self.is_primary:
            # The secondary copies the primary's data, so its own backups repeat them.
            also = self.stack.parameter(asked.BACK_UP_SECONDARY)
            wanted = self.stack.condition("BacksUp", Equals(also, asked.YES))
        backups = daily_backups(
            "Payments",
            VAULT,
            CLUSTER.arn,
            BackupSettings(
                copied_to=self.other,
                keys=BackupKeys(
                    source=database.key.arn,
                    copies=self.stack.parameter(asked.OTHER_VAULT_KEY),
                ),
                tell=ALARMS,
                if_wanted=wanted,
            ),
        )
        self.stack.add(*backups)

    # --- CloudWatch ---------------------------------------------------------------------------

    def _alarms(self) -> None:
        """What no block brings along: the functions'."""
        for title, function, means in (
            ("Payments", PAYMENTS, "The payment function broke on a request: a client saw 500."),
            ("Schema", SCHEMA, "Migrations failed; the deployment says why."),
        ):
            self.stack.add(
                alarm(
                    f"{title}Errors",
                    f"{function.purpose}-errors",
                    function.metric("Errors"),
                    above=0,
                    tell=ALARMS,
                    means=means,
                )
            )
        self.stack.add(
            alarm(
                "PaymentsThrottled",
                "payments-api-throttled",
                PAYMENTS.metric("Throttles"),
                above=0,
                periods=5,
                tell=ALARMS,
                means="The payment function has been at its concurrency bound for five minutes.",
            )
        )
