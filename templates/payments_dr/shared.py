"""What the stacks of payments-dr call each other by."""

from tap_templates.blocks.aurora_cluster import Cluster
from tap_templates.blocks.backup import Vault
from tap_templates.blocks.bucket import Bucket
from tap_templates.blocks.function import Function
from tap_templates.blocks.http_api import HttpApi
from tap_templates.blocks.network import Network
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.secret import Secret
from tap_templates.blocks.table import Table
from tap_templates.blocks.text import sub
from tap_templates.blocks.topic import Topic
from tap_templates.model.package import Package

METRICS = "PaymentProcessing"  # the namespace of the functions' own metrics
LOGS_KEPT_DAYS = 7
DATABASE = "payments"
MASTER_USER, APPLICATION_USER = "payments_master", "payments_app"

NETWORK = Network("payments", CidrPlan(primary="10.50.0.0/16", secondary="10.51.0.0/16"))
CLUSTER = Cluster("payments")
MASTER = Secret("payments-master")
VAULT = Vault("payments")
SESSIONS = Table("payments-sessions")
DOCUMENTS = Bucket("payments-docs")
COPIES = Bucket("payments-copies")  # of the other region's documents
ALARMS = Topic("payments-alarms")
API = HttpApi("payments")
PAYMENTS, SCHEMA = Function("payments-api"), Function("payments-schema")
NAME = sub("api.${DomainName}")  # what clients call, whichever region answers

_DATABASE_CODE = ("aurora_access", "payments_database", "telemetry")  # folders under handlers/
PAYMENTS_PACKAGE = Package(
    name="payments-api",
    aws_services=("dynamodb", "rds"),
    shared=(*_DATABASE_CODE, "json_requests"),
)
SCHEMA_PACKAGE = Package(
    name="payments-schema",
    aws_services=("secretsmanager",),
    shared=(*_DATABASE_CODE, "schema_migrations"),
)
