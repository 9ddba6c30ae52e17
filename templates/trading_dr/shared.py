"""What the stacks of trading-dr call each other by."""

from tap_templates.blocks.aurora_cluster import Cluster
from tap_templates.blocks.bucket import Bucket
from tap_templates.blocks.bus import Bus
from tap_templates.blocks.function import Code, Function
from tap_templates.blocks.function_role import FunctionNetwork
from tap_templates.blocks.network import Network
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.parameters import code_key, code_sha256, generated_id
from tap_templates.blocks.queue import Queue
from tap_templates.blocks.secret import Secret
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.state_machine import StateMachine
from tap_templates.blocks.table import Index, Table
from tap_templates.blocks.text import sub
from tap_templates.blocks.topic import Topic
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
BUS = Bus("orders")
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

_CODE = ("orders",)  # folders under handlers/ that a package has too
_DATABASE_CODE = ("aurora_access", "orders")
API_PACKAGE = Package(name="order-api", aws_services=("dynamodb", "sqs"), shared=_CODE)
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
