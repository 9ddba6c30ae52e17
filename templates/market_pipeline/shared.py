"""What the stacks of market-pipeline call each other by."""

from tap_templates.blocks.bucket import Bucket
from tap_templates.blocks.bus import Bus, Rule
from tap_templates.blocks.function import Code, Function
from tap_templates.blocks.function_role import FunctionNetwork
from tap_templates.blocks.http_api import HttpApi
from tap_templates.blocks.parameters import code_key, code_sha256, generated_id
from tap_templates.blocks.queue import Queue
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.state_machine import StateMachine
from tap_templates.blocks.table import Index, Table
from tap_templates.blocks.topic import Topic
from tap_templates.model.package import Package

SOURCE = "market.data"  # what ingestion puts into an event's `source`
DETAIL_TYPE = "market.event"
EVENT_TYPES = ("trade", "quote")
METRICS = "MarketPipeline"  # the namespace of the functions' own metrics
AUDIT_FOLDER = "events/"

EVENTS = Table("market-events")
GSI1 = Index(name="GSI1", partition="GSI1PK", sort="GSI1SK")
TIME_SERIES = Index(name="TimeSeriesIndex", partition="TS_PK", sort="TS_SK")
ALARMS = Topic("market-alarms")
AUDIT = Bucket("market-audit")
BUS = Bus("market-events")
EVENTS_TO_PIPELINE = Rule(BUS, "market-events-to-pipeline")
UNDELIVERED = Queue("market-undelivered")  # EventBridge could not start the machine
FAILED = Queue("market-failed")  # the machine gave up on the event
PIPELINE = StateMachine("market-pipeline")
API = HttpApi("market-ingestion")

INGESTION = Function("market-ingestion")
VALIDATION = Function("market-validation")
ENRICHMENT = Function("market-enrichment")
STORAGE = Function("market-storage")
COMPENSATION = Function("market-compensation")


def _package(name: str, *services: str, shared: tuple[str, ...]) -> Package:
    return Package(name=name, aws_services=services, shared=shared)


_EVENTS = ("aws_calls", "market_events", "telemetry")  # folders under handlers/
_TABLE = (*_EVENTS, "market_table")
INGESTION_PACKAGE = _package("market-ingestion", "events", shared=(*_EVENTS, "json_requests"))
VALIDATION_PACKAGE = _package("market-validation", "dynamodb", shared=_TABLE)
ENRICHMENT_PACKAGE = _package("market-enrichment", "dynamodb", shared=_TABLE)
STORAGE_PACKAGE = _package("market-storage", "dynamodb", "s3", shared=_TABLE)
COMPENSATION_PACKAGE = _package("market-compensation", "dynamodb", "sns", shared=_TABLE)
PROCESSING_PACKAGES = (
    VALIDATION_PACKAGE,
    ENRICHMENT_PACKAGE,
    STORAGE_PACKAGE,
    COMPENSATION_PACKAGE,
)

VPC_ID = generated_id("VpcId", "vpc", "VPC of the functions")
SUBNETS = tuple(
    generated_id(f"PrivateSubnet{zone}", "subnet", f"Private subnet of the functions, zone {zone}")
    for zone in "ABC"
)
SECURITY_GROUP = generated_id("FunctionGroupId", "sg", "Security group of the functions")
NETWORK_OUTPUTS = (VPC_ID.name, SECURITY_GROUP.name, *(subnet.name for subnet in SUBNETS))


def in_network(stack: StackTemplate) -> FunctionNetwork:
    """Declare the parameters that say where functions run, all outputs of the network stack."""
    for parameter in (VPC_ID, SECURITY_GROUP, *SUBNETS):
        stack.parameter(parameter)
    return FunctionNetwork(vpc=VPC_ID, subnets=SUBNETS, security_group=SECURITY_GROUP)


def code(stack: StackTemplate, title: str, package: Package) -> Code:
    """Declare the parameters that say what a function runs."""
    return Code(
        package=package,
        key=stack.parameter(code_key(f"{title}CodeKey")),
        sha256=stack.parameter(code_sha256(f"{title}CodeSha256")),
    )
