"""A small system of two regions made of the blocks for databases, names, copies and backups."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

from troposphere import Ref
from unit.blocks.rendering import parameters_of, rendered_of

from tap_templates.blocks.aurora import aurora_primary, aurora_secondary
from tap_templates.blocks.aurora_choices import database_choices
from tap_templates.blocks.aurora_cluster import AuroraCluster, AuroraSettings, Cluster
from tap_templates.blocks.backup import (
    BackupKeys,
    BackupSettings,
    Vault,
    backup_vault,
    daily_backups,
)
from tap_templates.blocks.bucket import Bucket, private_bucket
from tap_templates.blocks.custom_resource import SchemaMigration, deploy_step
from tap_templates.blocks.dns_failover import (
    CHECKERS,
    DOMAIN,
    THRESHOLD,
    TTL,
    ZONE_ID,
    Answers,
    Watch,
    api_host,
    failover_name,
    hosted_zone,
    zone_id,
)
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
from tap_templates.blocks.http_api import HttpApi, Throttle, open_route, signed_api, signed_route
from tap_templates.blocks.key import ServiceKey, service_key, use_by_alarms, use_by_log_groups
from tap_templates.blocks.network import NatGateways, Network, Vpc, network
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.parameters import code_key, code_sha256, email_parameter
from tap_templates.blocks.policy import Grant
from tap_templates.blocks.replication import Copies, replicated_bucket
from tap_templates.blocks.secret import Secret, master_secret
from tap_templates.blocks.security_group import (
    POSTGRESQL,
    admit,
    group_id,
    https_to_anywhere,
    security_group,
)
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.text import sub
from tap_templates.blocks.topic import Topic, alarm_topic
from tap_templates.compiler.build import build_stack
from tap_templates.compiler.render import RenderedStack, render_stack
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from tap_templates.model.package import Package
from tap_templates.model.system import (
    Objectives,
    OutputOf,
    PackageKey,
    PackageSha256,
    Regions,
    Stack,
    System,
    Where,
)

BOOKS = Cluster("books")
MASTER = Secret("books-master")
VAULT = Vault("books")
DOCUMENTS, COPIES = Bucket("books-docs"), Bucket("books-copies")
ALARMS = Topic("books-alarms")
API = HttpApi("books")
BOOK, SCHEMA = Function("books-api"), Function("books-schema")
BOOK_PACKAGE, SCHEMA_PACKAGE = Package(name="books-api"), Package(name="books-schema")
NETWORK = Network("books", CidrPlan(primary="10.60.0.0/16", secondary="10.61.0.0/16"))
NAME = sub("api.${DomainName}")
A_MONTH = timedelta(days=30)


def _given(name: str, group: str, pattern: str) -> StackParameter:
    return StackParameter(
        name=name, group=group, label=name, description="From another stack.", pattern=pattern,
        constraint="what that stack says",
    )  # fmt: skip


OTHER_VAULT_KEY = _given("OtherVaultKeyArn", "Backup", r"arn:aws[a-z-]*:kms:[a-z0-9:/-]{1,128}")
PRIMARY_API, SECONDARY_HOST, PRIMARY_HOST = (
    _given("PrimaryApiId", "DNS", "[a-z0-9]{1,32}"),
    _given("SecondaryHost", "DNS", "[a-z0-9.-]{1,128}"),
    _given("PrimaryHost", "DNS", "[a-z0-9.-]{1,128}"),
)


def zone() -> StackTemplate:
    stack = StackTemplate("books: the zone")
    made = hosted_zone("Books", stack.parameter(DOMAIN), describes="Books")
    stack.add(made)
    stack.output("HostedZoneId", "Id of the zone", zone_id(made))
    return stack


def recovery() -> StackTemplate:
    stack = StackTemplate("books: what the other region writes into")
    vault = backup_vault(stack, "Books", VAULT)
    stack.add(*vault, *private_bucket("Copies", COPIES, old_versions_kept=A_MONTH))
    stack.output("VaultKeyArn", "Key of the vault", vault.key_arn)
    return stack


class _Region:
    """One region's stack, for either role."""

    def __init__(self, other: str, *, primary: bool) -> None:
        self.other, self.primary = other, primary
        self.stack = StackTemplate("books: a region")
        self.log_key = service_key(
            "Log", "books-log", "Encrypts logs",
            use_by_log_groups(
                API.log_group, BOOK.log_group, BOOKS.log_group,
                *([SCHEMA.log_group] if primary else []),
            ),
        )  # fmt: skip
        self.vpc: Vpc = network(self.stack, "Books", NETWORK, nat_gateways=NatGateways.ONE)
        self.functions = security_group(
            "Function", "books-function", self.vpc.id, describes="Functions"
        )
        self.databases = security_group("Data", "books-data", self.vpc.id, describes="Database")

    def build(self) -> StackTemplate:
        stack = self.stack
        stack.add(*self.log_key, *self.vpc, self.functions, self.databases)
        stack.add(*admit("Data", self.functions, self.databases, port=POSTGRESQL, why="Books"))
        stack.add(https_to_anywhere("Function", self.functions, why="AWS"))
        self._topic()
        database = self._database()
        self._functions(database)
        self._stores(database)
        return stack

    def _topic(self) -> None:
        key: ServiceKey = service_key("Alarms", "books-alarms", "Alarms", use_by_alarms())
        email = self.stack.parameter(email_parameter())
        self.stack.add(*key, *alarm_topic("Alarms", ALARMS, key=key, email=email))

    def _database(self) -> AuroraCluster:
        stack, choices = self.stack, database_choices(self.stack)
        settings = AuroraSettings(
            database="books",
            master=MASTER,
            subnets=self.vpc.isolated.ids,
            security_groups=[group_id(self.databases)],
            log_key=self.log_key,
            tell=ALARMS,
        )
        if self.primary:
            secret = master_secret(
                "Master", MASTER, username="books_master", copied_to=Ref("SecondaryRegion"),
                describes="Master user of books",
            )  # fmt: skip
            stack.add(secret)
            made = aurora_primary("Books", BOOKS, choices, settings, after=[secret.title])
        else:
            made = aurora_secondary("Books", BOOKS, choices, settings)
        stack.add(*made)
        stack.output("ClusterIdentifier", "The cluster", Ref(made.cluster))
        return made

    def _function(self, title: str, function: Function, package: Package, *grants: Grant,
                  environment: dict[str, object]) -> RequestFunction:  # fmt: skip
        code = Code(
            package=package,
            key=self.stack.parameter(code_key(f"{title}CodeKey")),
            sha256=self.stack.parameter(code_sha256(f"{title}CodeSha256")),
        )
        settings = Settings(
            describes=title,
            environment={
                "POWERTOOLS_METRICS_NAMESPACE": "Books",
                "POWERTOOLS_SERVICE_NAME": function.purpose,
                **environment,
            },
            timeout=timedelta(seconds=20),
            memory_mib=512,
            concurrency=10,
            network=FunctionNetwork(
                vpc=self.vpc.vpc,
                subnets=self.vpc.private.subnets,
                security_group=self.functions,
            ),
        )
        made = request_function(title, function, code, settings, *grants, log_key=self.log_key)
        self.stack.add(*made)
        return made

    def _functions(self, database: AuroraCluster) -> None:
        stack = self.stack
        where = {"DB_HOST": database.host, "DB_NAME": "books"}
        book = self._function(
            "Book", BOOK, BOOK_PACKAGE, database.connect_as("books_app"), environment=where
        )
        if self.primary:
            schema = self._function(
                "Schema", SCHEMA, SCHEMA_PACKAGE, MASTER.read(),
                environment={**where, "SECRET_ARN": Ref("MasterSecret")},
            )  # fmt: skip
            after = tuple(each.title for each in database.instances)
            stack.add(
                deploy_step(
                    SchemaMigration, "Migrations", SCHEMA, schema.alias, seconds=300, after=after,
                    runs_again_with=Ref("SchemaCodeSha256"),
                )
            )  # fmt: skip
        url = signed_url("Book", book.function, book.alias)
        api = signed_api(
            "Books", API, function=BOOK, throttle=Throttle(rate=10, burst=5),
            log_key=self.log_key, describes="Books",
        )  # fmt: skip
        api.integration.DependsOn = [book.alias.title]
        doors = (
            signed_route("Post", api, route="POST /books", function=BOOK),
            signed_route("Get", api, route="GET /books/{id}", function=BOOK),
            open_route("Health", api, route="GET /health", function=BOOK, why="Route 53 asks."),
        )
        for door in doors:
            door.permission.DependsOn = [book.alias.title]
            stack.add(*door)
        stack.parameter(DOMAIN)
        domain = api_domain("Books", api, name=NAME, zone=stack.parameter(ZONE_ID))
        stack.add(*url, *api, *domain)
        stack.output("ApiId", "The API", Ref(api.api))
        stack.output("ApiHost", "Where the name leads to", domain.host)
        stack.output("FunctionUrl", "The function", url.address)

    def _stores(self, database: AuroraCluster) -> None:
        documents = replicated_bucket(
            "Documents", DOCUMENTS, to=Copies(bucket=COPIES, region=self.other),
            old_versions_kept=A_MONTH, tell=ALARMS,
        )  # fmt: skip
        backups = daily_backups(
            "Books", VAULT, BOOKS.arn,
            BackupSettings(
                copied_to=self.other, tell=ALARMS,
                keys=BackupKeys(
                    source=database.key.arn, copies=self.stack.parameter(OTHER_VAULT_KEY)
                ),
            ),
        )  # fmt: skip
        self.stack.add(*documents, *backups)


def primary() -> StackTemplate:
    return _Region(SECONDARY_REGION, primary=True).build()


def secondary() -> StackTemplate:
    return _Region(PRIMARY_REGION, primary=False).build()


def dns() -> StackTemplate:
    stack = StackTemplate("books: the name that fails over")
    for each in (CHECKERS, DOMAIN, PRIMARY_API, PRIMARY_HOST, SECONDARY_HOST, THRESHOLD, TTL):
        stack.parameter(each)
    made = failover_name(
        "Books", NAME,
        Answers(primary=PRIMARY_HOST.ref, secondary=SECONDARY_HOST.ref),
        Watch(host=api_host(PRIMARY_API, PRIMARY_REGION), path="/health"),
        zone=stack.parameter(ZONE_ID),
    )  # fmt: skip
    stack.add(*made)
    stack.output("HealthCheckId", "What decides", Ref(made.health_check))
    return stack


_ZONE = OutputOf("zone", "HostedZoneId", Where.SECONDARY)
_DOMAIN = "books.example.com"


def _region(role: Where, build: Callable[[], StackTemplate], *after: str) -> Stack:
    other = Where.SECONDARY if role is Where.PRIMARY else Where.PRIMARY
    schema = {"SchemaCodeKey": PackageKey("books-schema")} if role is Where.PRIMARY else {}
    if schema:
        schema |= {"SchemaCodeSha256": PackageSha256("books-schema")}
    return Stack(
        name=role.value, build=build, where=role, depends_on=("zone", "recovery", *after),
        parameters={
            "AlarmEmail": "books@example.com",
            "BookCodeKey": PackageKey("books-api"),
            "BookCodeSha256": PackageSha256("books-api"),
            "DomainName": _DOMAIN,
            "HostedZoneId": _ZONE,
            "OtherVaultKeyArn": OutputOf("recovery", "VaultKeyArn", other),
            **schema,
        },
    )  # fmt: skip


SYSTEM = System(
    name="books",
    application="Books",
    regions=Regions(primary="us-east-1", secondary="us-west-2"),
    objectives=Objectives(rto=timedelta(seconds=300)),
    packages=(BOOK_PACKAGE, SCHEMA_PACKAGE),
    stacks=(
        Stack(name="zone", build=zone, where=Where.SECONDARY, parameters={"DomainName": _DOMAIN}),
        Stack(name="recovery", build=recovery, where=Where.BOTH),
        _region(Where.PRIMARY, primary),
        _region(Where.SECONDARY, secondary, "primary"),
        Stack(
            name="dns", build=dns, where=Where.SECONDARY, depends_on=("primary", "secondary"),
            parameters={
                "DomainName": _DOMAIN,
                "HealthCheckerRegions": "us-west-1,us-west-2,eu-west-1",
                "HostedZoneId": _ZONE,
                "PrimaryApiId": OutputOf("primary", "ApiId", Where.PRIMARY),
                "PrimaryHost": OutputOf("primary", "ApiHost", Where.PRIMARY),
                "SecondaryHost": OutputOf("secondary", "ApiHost", Where.SECONDARY),
            },
        ),
    ),
)  # fmt: skip


@cache
def rendered() -> dict[str, RenderedStack]:
    return rendered_of(SYSTEM)


def parameters() -> dict[str, dict[str, object]]:
    return parameters_of(rendered())


def built_alone(build: Callable[[], StackTemplate]) -> RenderedStack:
    """Render one stack of the system, built otherwise."""
    stack = replace(SYSTEM.stacks[0], build=build, parameters={})
    return render_stack(build_stack(SYSTEM, stack))
