"""What the stacks of trading-dr call each other by."""

from collections.abc import Mapping
from datetime import timedelta

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.aurora_cluster import Cluster, connect_as
from tap_templates.blocks.bucket import Bucket
from tap_templates.blocks.bus import Bus, Rule
from tap_templates.blocks.configuration import Configuration
from tap_templates.blocks.function import Code, Function, Settings
from tap_templates.blocks.function_role import FunctionNetwork
from tap_templates.blocks.network import Network
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.parameters import code_key, code_sha256, generated_id
from tap_templates.blocks.policy import Grant
from tap_templates.blocks.queue import Queue
from tap_templates.blocks.rest_api import RestApi
from tap_templates.blocks.secret import Secret
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.state_machine import StateMachine
from tap_templates.blocks.table import Index, Table
from tap_templates.blocks.text import Text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.model.names import PRIMARY_REGION
from tap_templates.model.package import Package

METRICS = "TradingOrders"  # the namespace of the functions' own metrics
DATABASE = "orders"
MASTER_USER, APPLICATION_USER = "orders_master", "orders_app"

NETWORK = Network("orders", CidrPlan(primary="10.60.0.0/16", secondary="10.61.0.0/16"))
CLUSTER = Cluster("orders")
MASTER = Secret("orders-master")
JOURNAL = Table("orders-journal")
PENDING = Index(name="Pending", partition="pending", sort="acceptedAt")
APPLIED = Index(name="Applied", partition="appliedIn", sort="appliedAt")
FAILOVER = Table("orders-failover")  # who is active, the latch, what each region says of itself
SESSIONS = Table("orders-sessions")
CONFIG, CONFIG_COPIES = Bucket("orders-config"), Bucket("config-copies")
AUDIT, AUDIT_COPIES = Bucket("orders-audit"), Bucket("audit-copies")
ALARMS = Topic("orders-alarms")
API = RestApi("orders")
BUS = Bus("orders")
EVENT_SOURCE = "trading.orders"  # of the events that machines put on the bus
EVENTS_TO_AUDIT, EVENTS_TO_OTHER = Rule(BUS, "orders-to-audit"), Rule(BUS, "orders-to-other-region")
CONFIGURATION = Configuration("orders")
SETTINGS = (
    ("api-url", "The API of this region, under its own host"),
    ("bus-arn", "The bus of this region"),
    ("cluster", "The database cluster of this region"),
    ("config-bucket", "Where configuration is published in this region"),
    ("failback-machine-arn", "Gives the orders back"),
    ("failover-machine-arn", "Makes this region the active one"),
    ("journal-table", "The journal of orders, in every region"),
    ("order-queue-url", "Queue of orders to apply in this region"),
    ("other-region", "The other region of the pair"),
)
OPERATORS = "orders-operators"
ORDERS, DEAD_ORDERS = Queue("orders"), Queue("orders-dead")
FAILOVER_MACHINE, FAILBACK_MACHINE = (
    StateMachine("orders-failover"),
    StateMachine("orders-failback"),
)

ORDER_API, APPLIER, REPLAYER = (
    Function("order-api"),
    Function("order-applier"),
    Function("order-replayer"),
)
RECOVERY, PROBER, READINESS = (
    Function("order-recovery"),
    Function("order-prober"),
    Function("order-readiness"),
)
SCHEMA, EVENT_AUDIT = Function("order-schema"), Function("order-audit")

NAME = sub("api.${DomainName}")  # what clients call, whichever region answers

_CODE = ("aws_calls", "orders", "telemetry")  # folders under handlers/ that a package has too
_DATABASE_CODE = ("aurora_access", *_CODE)
API_PACKAGE = Package(
    name="order-api", aws_services=("dynamodb", "sqs"), shared=(*_CODE, "json_requests")
)
APPLIER_PACKAGE = Package(
    name="order-applier", aws_services=("dynamodb", "rds"), shared=_DATABASE_CODE
)
REPLAYER_PACKAGE = Package(
    name="order-replayer", aws_services=("dynamodb", "rds", "s3"), shared=_DATABASE_CODE
)
RECOVERY_PACKAGE = Package(
    name="order-recovery", aws_services=("dynamodb", "rds"), shared=_DATABASE_CODE
)
PROBER_PACKAGE = Package(
    name="order-prober",
    aws_services=("dynamodb", "lambda", "rds", "stepfunctions"),
    shared=_DATABASE_CODE,
)
READINESS_PACKAGE = Package(
    name="order-readiness", aws_services=("cloudwatch", "rds", "ssm"), shared=_DATABASE_CODE
)
SCHEMA_PACKAGE = Package(
    name="order-schema",
    aws_services=("secretsmanager",),
    shared=(*_DATABASE_CODE, "schema_migrations"),
)
AUDIT_PACKAGE = Package(name="order-audit", aws_services=("s3",), shared=_CODE)
PACKAGES = (
    API_PACKAGE,
    APPLIER_PACKAGE,
    AUDIT_PACKAGE,
    PROBER_PACKAGE,
    READINESS_PACKAGE,
    RECOVERY_PACKAGE,
    REPLAYER_PACKAGE,
    SCHEMA_PACKAGE,
)

VPC_ID = generated_id("VpcId", "vpc", "VPC of the region")
PRIVATE_SUBNETS = tuple(
    generated_id(f"PrivateSubnet{zone}", "subnet", f"Private subnet of the functions, zone {zone}")
    for zone in "ABC"
)
ISOLATED_SUBNETS = tuple(
    generated_id(f"IsolatedSubnet{zone}", "subnet", f"Isolated subnet of databases, zone {zone}")
    for zone in "ABC"
)
FUNCTION_GROUP = generated_id("FunctionGroupId", "sg", "Security group of the functions")
DATABASE_GROUP = generated_id("DatabaseGroupId", "sg", "Security group of the database")
FUNCTION_PLACES = (VPC_ID, FUNCTION_GROUP, *PRIVATE_SUBNETS)
DATABASE_PLACES = (DATABASE_GROUP, *ISOLATED_SUBNETS)


def own_environment(function: Function) -> dict[str, Text]:
    """Say to a function what all are told: how it is called, and to stay with its region's STS."""
    return {
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "POWERTOOLS_METRICS_NAMESPACE": METRICS,
        "POWERTOOLS_SERVICE_NAME": function.purpose,
    }


def own_metric(function: Function, name: str, statistic: str = "Sum") -> Metric:
    """Measure what a function says of itself."""
    return Metric(
        namespace=METRICS,
        name=name,
        statistic=statistic,
        dimensions={"service": function.purpose},
    )


def in_network(stack: StackTemplate) -> FunctionNetwork:
    """Declare the parameters that say where functions run, all outputs of the network stack."""
    for parameter in FUNCTION_PLACES:
        stack.parameter(parameter)
    return FunctionNetwork(vpc=VPC_ID, subnets=PRIVATE_SUBNETS, security_group=FUNCTION_GROUP)


def code(stack: StackTemplate, title: str, package: Package) -> Code:
    """Declare the parameters that say what a function runs."""
    return Code(
        package=package,
        key=stack.parameter(code_key(f"{title}CodeKey")),
        sha256=stack.parameter(code_sha256(f"{title}CodeSha256")),
    )


def _host(name: str, label: str, output: str, whose: str) -> StackParameter:
    return StackParameter(
        name=name,
        group="Database",
        label=label,
        description=f"Output {output} of {whose} database stack; the deployer fills it in.",
        pattern=r"[a-z0-9.-]{1,253}",
        constraint="a host name",
    )


_OWN, _OTHERS = "this region's", "the other region's"
DATABASE_HOST = _host("DatabaseHost", "Where it is written to", "DatabaseHost", _OWN)
READER_HOST = _host("ReaderHost", "Where it is read", "ReaderHost", _OWN)
OTHER_HOST = _host("OtherDatabaseHost", "Where the other is written to", "DatabaseHost", _OTHERS)
OTHER_READER = _host("OtherReaderHost", "Where the other is read", "ReaderHost", _OTHERS)
DATABASE_PORT = StackParameter(
    name="DatabasePort",
    group="Database",
    label="Port",
    description="Output DatabasePort of this region's database stack; the deployer fills it in.",
    pattern=r"[0-9]{1,5}",
    constraint="a port",
)


def _resource(name: str, whose: str) -> StackParameter:
    return StackParameter(
        name=name,
        group="Database",
        label=f"What logins to {whose} cluster are granted by",
        description=f"Output ClusterResourceId of {whose} database stack; the deployer fills it "
        "in.",
        pattern=r"cluster-[A-Z0-9]{10,40}",
        constraint="the resource id of a cluster",
    )


CLUSTER_RESOURCE = _resource("ClusterResourceId", _OWN)
OTHER_CLUSTER = _resource("OtherClusterResourceId", _OTHERS)
DATABASE_SERVER = (DATABASE_HOST, DATABASE_PORT)
DATABASE_LOGIN = (*DATABASE_SERVER, CLUSTER_RESOURCE)


def database_environment() -> dict[str, Text]:
    """Say to a function where the database of its region is."""
    return {
        "DB_HOST": DATABASE_HOST.ref,
        "DB_NAME": DATABASE,
        "DB_PORT": DATABASE_PORT.ref,
        "DB_SSL": "require",
    }


def login_environment() -> dict[str, Text]:
    """Say to a function how it logs in there as the application."""
    return {**database_environment(), "DB_AUTH": "iam", "DB_USER": APPLICATION_USER}


def role_environment() -> dict[str, Text]:
    """Say to a function where it finds who is active, and who is if nobody has said so."""
    return {"FAILOVER_TABLE": sub(FAILOVER.name), "HOME_REGION": sub(PRIMARY_REGION)}


def database_settings(
    function: Function,
    describes: str,
    *,
    network: FunctionNetwork,
    environment: Mapping[str, Text],
    timeout: timedelta,
    concurrency: Text | int,
    memory_mib: int = 512,
) -> Settings:
    """Run a function beside the database, which it logs in to as the application."""
    return Settings(
        describes=describes,
        environment={**own_environment(function), **login_environment(), **environment},
        timeout=timeout,
        memory_mib=memory_mib,
        concurrency=concurrency,
        network=network,
    )


def log_in() -> Grant:
    """Grant logging in to the cluster of this region as the application."""
    return connect_as(APPLICATION_USER, CLUSTER_RESOURCE.ref)


def _generated(name: str, stack: str, label: str, pattern: str) -> StackParameter:
    return StackParameter(
        name=name,
        group="Other stacks",
        label=label,
        description=f"Output {name} of the {stack} stack; the deployer fills it in.",
        pattern=pattern,
        constraint="what that stack puts out",
    )


_URL = r"https://[a-z0-9.-]{1,200}/[a-z]{1,20}"
API_URL = _generated("ApiUrl", "api", "The API of this region", _URL)
OTHER_API_URL = _generated("OtherApiUrl", "api", "The API of the other region", _URL)
CONSUMER = _generated("ConsumerId", "compute", "The feed of the applier", r"[0-9a-f-]{36}")
ALARM_KEY = _generated(
    "AlarmKeyArn",
    "alerts",
    "Key of the alarm topic",
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}",
)
