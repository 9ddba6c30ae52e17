"""The schema of orders: applied in order, once; and under AWS's own runtime client."""

import json
import site
import ssl
import sys
import time
from pathlib import Path

import pytest
from handlers.loopback import Function, Server, TraceDaemon
from handlers.orders_on_postgres import MIGRATIONS

from schema_migrations.runner import Result, read_migrations
from tap_templates.local.postgres import MASTER
from tap_templates.local.tls import Door, certificate

pytestmark = pytest.mark.postgres

RELEASED = [
    ("v0001_trading", "a3220d3b1951"),
    ("v0002_positions", "b5a1eb32cfc9"),
    ("v0003_application_role", "7739ca6c8a2d"),
]
NAMES = tuple(name for name, _ in RELEASED)
PASSWORD, SIGNATURE = "PasswordCanary", "SignatureCanary"


def test_what_is_released_stays():
    found = read_migrations(MIGRATIONS)
    assert [(each.name, each.digest[:12]) for each in found] == RELEASED


def test_steps_are_applied_once_and_the_fence_begins_at_one(empty):
    assert empty.migrate() == Result(NAMES, 3, is_standby=False)
    assert empty.migrate() == Result((), 3, is_standby=False)
    assert empty.rows("SELECT epoch FROM trading.fence") == [(1,)]
    assert empty.one("SELECT count(*) FROM pg_roles WHERE rolname = 'orders_app'") == 1


def test_moments_are_texts_that_the_journal_takes(empty):
    empty.migrate()
    query = "SELECT trading.moment('2026-01-01 01:02:03+02'::timestamptz)"
    assert empty.one(query) == "2025-12-31T23:02:03.000000Z"


class Secrets(Server):
    def answer(self, path, headers, body):
        login = json.dumps({"username": MASTER, "password": PASSWORD})
        said = {"SecretString": login, "Name": "x", "ARN": "arn"}
        return 200, json.dumps(said).encode(), {"Content-Type": "application/x-amz-json-1.1"}


class Answers(Server):
    """Takes answers by HTTPS."""

    def __init__(self, identity):
        self.answers = []
        super().__init__()
        self._server.RequestHandlerClass.do_PUT = self._server.RequestHandlerClass.do_GET
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*identity)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def answer(self, path, headers, body):
        self.answers.append(json.loads(body))
        return 200, b"", {}


class Patient(Function):
    """A function that has two minutes, where others have seconds."""

    def answer(self, path, headers, body):
        status, said, more = super().answer(path, headers, body)
        if path.endswith("/next"):
            more = {**more, "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 120) * 1000))}
        return status, said, more


def test_a_run_makes_the_schema_and_answers_and_tells_no_secret(empty, order_server, tmp_path):
    identity = certificate(tmp_path)
    daemon = TraceDaemon()
    with (
        Secrets() as secrets,
        Answers(identity) as bucket,
        Door(order_server.port, identity) as secured,
    ):
        environment = {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://{secrets.address}",
            "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(secured.port),
            "DB_NAME": empty.name,
            "DB_SSL": "verify-full",
            "DB_SSL_ROOT_CERT": str(identity.chain),
            "SSL_CERT_FILE": str(identity.chain),
            "SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:orders",
            "POWERTOOLS_SERVICE_NAME": "order-schema",
            "POWERTOOLS_METRICS_NAMESPACE": "TradingOrders",
            "POWERTOOLS_LOGGER_LOG_EVENT": "true",
        }
        event = {
            "RequestType": "Create",
            "ResponseURL": f"https://{bucket.address}/a?X-Amz-Signature={SIGNATURE}",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "SchemaStep",
        }
        folders = [MIGRATIONS.parents[1], *map(Path, site.getsitepackages())]
        handler = "order_schema.app.handler"
        log = tmp_path / "log"
        with Patient(sys.executable, folders, handler, environment, log) as function:
            kind, said = function.invoke(event)
            text = function.log
    assert kind == "response", said
    [answer] = bucket.answers
    assert (answer["Status"], answer["Data"]["Applied"]) == ("SUCCESS", "3")
    assert text.count("schema step applied") == 3
    assert empty.rows("SELECT epoch FROM trading.fence") == [(1,)]
    for canary in (PASSWORD, SIGNATURE):
        assert canary not in text + daemon.documents() + json.dumps(bucket.answers)
    daemon.close()
