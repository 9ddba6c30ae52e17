"""The function under AWS's own runtime client, with a real database behind TLS and a login by IAM.

What Lambda would see, log and trace, searched for what must never be there. The table of sessions
and the X-Ray daemon are stand-ins on the loopback; the table's errors quote what it was given.
"""

import json
import site
import sys
from pathlib import Path

import pytest
from handlers.loopback import Function, Server, TraceDaemon
from postgres.clusters import APP, IAM, new_key, paid, requested
from psycopg.sql import SQL, Identifier

import payments_api
from tap_templates.local.postgres import free_port
from tap_templates.local.tls import Door, certificate

pytestmark = pytest.mark.postgres

_ALL = SQL("SELECT t::text FROM {}.{} AS t")
HANDLERS = Path(payments_api.__file__).parents[1]
PANS = ("4111111111111111", "4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005")
SECRETS = {
    "cardToken": "tok_CanaryOfAToken01",
    "sessionId": "CanaryOfASession0001",
    "reference": "Canary of a reference",
    "debtor": "alice",
    "amount": "987.65",
}
JSON = {"Content-Type": "application/x-amz-json-1.0"}


class Sessions(Server):
    """Takes every write and read, after the errors in `failures`."""

    def __init__(self):
        self.failures = []
        self.bodies = []
        super().__init__()

    def answer(self, path, headers, body):
        self.bodies.append(body.decode())
        if self.failures:
            said = {"__type": self.failures.pop(0), "message": f"in {body.decode()}"}
            return 400, json.dumps(said).encode(), JSON
        return 200, b"{}", JSON


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def secured(server, identity):
    with Door(server.port, identity) as running:
        yield running


@pytest.fixture
def sessions():
    with Sessions() as running:
        yield running


@pytest.fixture
def daemon():
    running = TraceDaemon()
    yield running
    running.close()


@pytest.fixture
def start(cluster, secured, sessions, daemon, identity, tmp_path):  # noqa: PLR0917 - fixtures
    def make(**changes):
        environment = {
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://{sessions.address}",
            "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(secured.port),
            "DB_NAME": cluster.name,
            "DB_USER": APP,
            "DB_AUTH": "iam",
            "DB_SSL": "verify-full",
            "DB_SSL_ROOT_CERT": str(identity.chain),
            "TABLE_NAME": "payments-sessions-test",
            "POWERTOOLS_SERVICE_NAME": "payments-api",
            "POWERTOOLS_METRICS_NAMESPACE": "PaymentProcessing",
            "POWERTOOLS_LOGGER_LOG_EVENT": "true",
            "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "true",
            "POWERTOOLS_TRACER_CAPTURE_ERROR": "true",
        }
        folders = [HANDLERS, *map(Path, site.getsitepackages())]
        handler = "payments_api.app.handler"
        return Function(sys.executable, folders, handler, environment | changes, tmp_path / "log")

    return make


def ask(function, key, sent, **changes):
    headers = {"content-type": "application/json", "idempotency-key": key, "authorization": PANS[0]}
    request = requested("POST", "/payments", headers=headers, body=json.dumps(sent))
    kind, answer = function.invoke(request | changes)
    assert kind == "response"
    return answer


def everything(cluster):
    """All rows of all tables, as text."""
    tables = cluster.rows(
        "SELECT table_schema::text, table_name::text FROM information_schema.tables"
        " WHERE table_schema IN ('payments', 'schema_history', 'public')"
    )
    return "\n".join(
        row
        for schema, table in tables
        for (row,) in cluster.rows(_ALL.format(Identifier(schema), Identifier(table)))
    )


def test_a_card_number_is_nowhere_and_secrets_are_in_no_log(
    start, secured, sessions, daemon, cluster
):
    with start() as function:
        answers = []
        for pan in PANS:
            for field in (*paid(), "cardToken", "reference", "sessionId", "surprise"):
                answers += [ask(function, new_key(), paid(**{field: pan}))]
            answers += [
                ask(function, new_key(), paid() | {pan: "x"}),
                ask(function, new_key(), paid(reference=f"card {pan} of mine")),
                ask(function, new_key(), paid() | {"surprise": [{"deep": [int(PANS[0])]}]}),
                ask(function, pan, paid()),
                ask(function, new_key(), paid(), rawPath=f"/payments/{pan}"),
                ask(function, new_key(), paid(), body=f"no json {pan}"),
            ]
        assert {answer["statusCode"] for answer in answers} <= {400, 404, 405}
        assert cluster.counts() == (0, 0, 0)
        sessions.failures = ["ThrottlingException", "ValidationException"]
        booked = ask(function, key := new_key(), paid(**SECRETS))
        assert booked["statusCode"] == 201
        assert ask(function, key, paid(**SECRETS))["statusCode"] == 200
        assert ask(function, key, paid(**SECRETS | {"amount": "1.00"}))["statusCode"] == 409
        assert ask(function, new_key(), paid(**SECRETS | {"debtor": "nobody"}))["statusCode"] == 422
        assert secured.secured == 1  # one connection for all of it
        log, traces = function.log, daemon.documents()
    assert "payment booked" in log
    assert "SessionWriteFailures" in log
    assert "CardNumbersRefused" in log
    assert "UpdateItem" in traces
    assert any(SECRETS["sessionId"] in body for body in sessions.bodies)  # it was there to be told
    told = json.dumps(answers)
    for pan in PANS:
        assert pan not in log + traces + told + everything(cluster)
        assert pan.replace(" ", "").replace("-", "") not in log + traces + told
    for secret in (*SECRETS.values(), IAM["iam"]["userArn"], key):
        assert secret not in log + traces
    assert SECRETS["cardToken"] not in json.dumps(booked)
    assert SECRETS["cardToken"] in everything(cluster)  # tokens are what may be kept
    assert SECRETS["sessionId"] not in everything(cluster)


def test_a_database_that_is_gone_is_a_503_and_the_token_is_not_told(start):
    with start(DB_PORT=str(free_port())) as function:
        answer = ask(function, new_key(), paid())
        kind, health = function.invoke(requested("GET", "/health", authorizer=None))
        log = function.log
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
    assert (kind, health["statusCode"]) == ("response", 503)
    assert json.loads(health["body"]) == {"healthy": False, "failing": ["database"]}
    assert "DatabaseUnavailable" in log
    assert "X-Amz" not in log + json.dumps(answer)


def test_a_defect_is_an_error_for_lambda_and_says_nothing(start, cluster):
    with cluster.master() as connection:
        connection.execute("ALTER TABLE payments.payment RENAME COLUMN reference TO other")
    with start() as function:
        kind, error = function.invoke(
            requested(
                "POST",
                "/payments",
                headers={"content-type": "application/json", "idempotency-key": new_key()},
                body=json.dumps(paid(**SECRETS)),
            )
        )
        log = function.log
    assert kind == "error"
    assert (error["errorType"], error["errorMessage"]) == ("UnexpectedError", "UndefinedColumn")
    assert "UnexpectedErrors" in log
    for secret in SECRETS.values():
        assert secret not in log + json.dumps(error)


@pytest.mark.parametrize(
    "changes", [{"DB_AUTH": "none"}, {"DB_SSL": "disable"}, {"DB_HOST": ""}, {"DB_PORT": "0"}]
)
def test_a_function_that_is_open_does_not_start(start, changes):
    with start(**changes) as function:
        kind, error = function.outcome()
    assert (kind, error["errorType"].rsplit(".", 1)[-1]) == ("error", "ValueError")
