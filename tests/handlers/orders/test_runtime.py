"""The functions under AWS's own runtime client, with a real database behind TLS and a login by IAM.

An order goes from the API to the books and is restored after a failover. What Lambda would see, log
and trace is searched for what must never be there. Tables, queue, bucket and X-Ray daemon are
stand-ins on the loopback; the table's errors quote what it was given.
"""

import hashlib
import json
import site
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from handlers.loopback import Function, Server, TraceDaemon
from handlers.orders_in_memory import Client, Table
from handlers.orders_on_postgres import APP

import orders
from orders.order import order_id
from tap_templates.local.tls import Door, certificate

pytestmark = pytest.mark.postgres

HANDLERS = Path(orders.__file__).parents[1]
REGION = "us-east-1"
JSON = {"Content-Type": "application/x-amz-json-1.0"}
CALLER = "arn:aws:sts::111122223333:assumed-role/CanaryDesk/CanaryName"
ID = order_id("111122223333:role/CanaryDesk", "CanaryId")
ORDER = {
    "clientOrderId": "CanaryId",
    "symbol": "CANARY.X",
    "side": "buy",
    "quantity": "48151.62342",
    "price": "31415.92653",
}
CANARIES = ("Canary", "CANARY", "48151.62342", "31415.92653", "X-Amz-Signature")


class Aws(Server):
    """DynamoDB, SQS and S3, as far as orders use them; fails as told in `failures` first."""

    def __init__(self):
        keys = {"journal": "orderId", "failover": "id", "sessions": "sessionId"}
        self.tables = {name: Client(Table(key), REGION) for name, key in keys.items()}
        self.failures = []
        self.messages = []
        self.objects = {}
        self._lock = threading.Lock()
        super().__init__()
        self._server.RequestHandlerClass.do_PUT = self._server.RequestHandlerClass.do_GET

    def answer(self, path, headers, body):
        with self._lock:
            target = headers.get("X-Amz-Target", "")
            if not target:
                self.objects[path] = body
                return 200, b"", {}
            request = json.loads(body)
            if target == "AmazonSQS.SendMessage":
                self.messages.append(request["MessageBody"])
                digest = hashlib.md5(request["MessageBody"].encode()).hexdigest()  # noqa: S324 - SQS answers it
                said = {"MessageId": "m", "MD5OfMessageBody": digest}
                return 200, json.dumps(said).encode(), JSON
            return self._table(target.partition(".")[2], request)

    def _table(self, operation, request):
        if self.failures:
            said = {"__type": self.failures.pop(0), "message": f"in {request}"}
            return 400, json.dumps(said).encode(), JSON
        client = self.tables[request.pop("TableName")]
        name = {"GetItem": "get_item", "PutItem": "put_item"}.get(
            operation, {"UpdateItem": "update_item", "Query": "query"}.get(operation)
        )
        try:
            said, status = getattr(client, name)(**request), 200
        except ClientError as error:
            code = error.response["Error"]["Code"]
            said, status = {"__type": code, "message": f"in {request}"}, 400
            said |= {"Item": error.response["Item"]} if "Item" in error.response else {}
        return status, json.dumps(said).encode(), JSON


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def aws():
    with Aws() as running:
        yield running


@pytest.fixture
def daemon():
    running = TraceDaemon()
    yield running
    running.close()


class Patient(Function):
    """A function that has a minute."""

    def answer(self, path, headers, body):
        status, said, more = super().answer(path, headers, body)
        if path.endswith("/next"):
            more = {**more, "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 60) * 1000))}
        return status, said, more


@pytest.fixture
def start(cluster, server, aws, daemon, identity, tmp_path):  # noqa: PLR0917 - fixtures
    """Start a function; at the end, look for canaries in what it has said."""

    @contextmanager
    def make(name, **changes):
        with Door(server.port, identity) as secured:
            environment = {
                "AWS_ENDPOINT_URL": f"http://{aws.address}",
                "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
                "JOURNAL_TABLE": "journal",
                "FAILOVER_TABLE": "failover",
                "SESSIONS_TABLE": "sessions",
                "QUEUE_URL": f"http://{aws.address}/111122223333/orders",
                "AUDIT_BUCKET": "audit",
                "HOME_REGION": REGION,
                "DB_HOST": "127.0.0.1",
                "DB_PORT": str(secured.port),
                "DB_NAME": cluster.name,
                "DB_USER": APP,
                "DB_AUTH": "iam",
                "DB_SSL": "verify-full",
                "DB_SSL_ROOT_CERT": str(identity.chain),
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": "TradingOrders",
                "POWERTOOLS_LOGGER_LOG_EVENT": "true",
                "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "true",
                "POWERTOOLS_TRACER_CAPTURE_ERROR": "true",
            }
            folders = [HANDLERS, *map(Path, site.getsitepackages())]
            log = tmp_path / name
            with Patient(
                sys.executable, folders, f"{name}.app.handler", environment | changes, log
            ) as function:
                yield function
                said = function.log + daemon.documents()
            for canary in CANARIES:
                assert canary not in said, name

    return make


def requested(method, path, body=None):
    return {
        "path": path,
        "httpMethod": method,
        "headers": {"content-type": "application/json", "authorization": "CanaryToken"},
        "requestContext": {"identity": {"userArn": CALLER}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def test_an_order_goes_all_the_way_and_is_restored_and_nothing_of_it_is_told(start, aws, cluster):
    with start("order_api") as api:
        aws.failures = ["ReplicatedWriteConflictException", "ThrottlingException"]
        kind, answer = api.invoke(requested("POST", "/orders", ORDER))
        assert (kind, answer["statusCode"]) == ("response", 202), answer
        assert json.loads(answer["body"])["orderId"] == ID
        assert (
            api.invoke(requested("POST", "/orders", ORDER | {"price": "0"}))[1]["statusCode"] == 400
        )
        changed = ORDER | {"side": "sell"}
        assert api.invoke(requested("POST", "/orders", changed))[1]["statusCode"] == 409
        for path in ("/health", "/health/deep", "/dr-flag", f"/orders/{ID}"):
            assert api.invoke(requested("GET", path))[1]["statusCode"] == 200
        body = {"version": 0, "data": {"CanaryName": "CanaryValue"}}
        path = "/sessions/CanarySession0001"
        assert api.invoke(requested("PUT", path, body))[1]["statusCode"] == 200
        _, shown = api.invoke(requested("GET", path))
        assert json.loads(shown["body"])["data"] == body["data"]
        assert "OrdersAccepted" in api.log
    assert aws.messages == [json.dumps({"orderId": ID})]

    with start("order_applier") as applier:
        batch = {"Records": [{"messageId": "m1", "body": aws.messages[0]}]}
        aws.failures = ["AccessDeniedException"]
        assert applier.invoke(batch)[1] == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
        assert applier.invoke(batch)[1] == {"batchItemFailures": []}
        assert "OrdersApplied" in applier.log
    assert cluster.count() == 1
    assert cluster.is_whole()

    with cluster.master() as connection:  # a failover, and its database has lost the order
        connection.execute("ALTER TABLE trading.orders DISABLE TRIGGER USER")
        connection.execute("DELETE FROM trading.orders")
        connection.execute("DELETE FROM trading.positions")
        connection.execute("ALTER TABLE trading.orders ENABLE TRIGGER USER")
    role = {
        "id": {"S": "role"},
        "epoch": {"N": "2"},
        "active": {"S": REGION},
        "phase": {"S": "failing-over"},
        "run": {"S": "failover-2"},
    }
    aws.tables["failover"].table.put(role)
    with start("order_replayer") as replayer:
        kind, prepared = replayer.invoke({"operation": "prepare", "epoch": 2})
        assert kind == "response", prepared
        aws.tables["failover"].table.put(role | {"cuts": {"M": prepared["cuts"]}})
        said = replayer.invoke({"operation": "replay", "epoch": 2})[1]
        assert said == {"done": True, "applied": 0, "restored": 1}
        reconcile = {"operation": "reconcile", "epoch": 2, "run": "failover-2"}
        assert replayer.invoke(reconcile)[1]["missing"] == 0
        kind, stale = replayer.invoke({"operation": "prepare", "epoch": 3})
        assert (kind, stale["errorType"].rsplit(".", 1)[-1]) == ("error", "StaleEpoch")
        assert replayer.invoke({"operation": "sweep"})[1] == {"skipped": "failing-over"}
        kind, refused = replayer.invoke({"operation": "drop CanaryTable"})
        assert (kind, refused["errorMessage"]) == ("error", "operation")
    assert list(aws.objects) == ["/audit/reconciliation/2/failover-2.json"]
    assert cluster.count() == 1
    assert cluster.is_whole()


def test_a_defect_says_nothing(start, aws, cluster):
    with start("order_api") as api:
        api.invoke(requested("POST", "/orders", ORDER))
    with cluster.master() as connection:
        connection.execute("ALTER TABLE trading.orders RENAME COLUMN symbol TO other")
    with start("order_applier") as applier:
        batch = {"Records": [{"messageId": "m1", "body": aws.messages[0]}]}
        kind, error = applier.invoke(batch)
        assert kind == "error"
        assert error["errorType"].rsplit(".", 1)[-1] == "UnexpectedError"
        assert error["errorMessage"] == "UndefinedColumn"
        assert "UnexpectedErrors" in applier.log


@pytest.mark.parametrize("name", ["order_applier", "order_replayer"])
@pytest.mark.parametrize("changes", [{"DB_AUTH": "none"}, {"DB_SSL": "disable"}])
def test_a_function_that_is_open_does_not_start(start, name, changes):
    with start(name, **changes) as function:
        kind, error = function.outcome()
    assert (kind, error["errorType"].rsplit(".", 1)[-1]) == ("error", "ValueError")
