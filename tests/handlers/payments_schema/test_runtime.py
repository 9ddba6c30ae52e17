"""The function under AWS's own runtime client: secret, database and answer all behind TLS."""

import json
import site
import ssl
import sys
import time
from pathlib import Path

import pytest
from handlers.loopback import Function, Server, TraceDaemon

import payments_schema
from tap_templates.local.postgres import MASTER, free_port
from tap_templates.local.tls import Door, certificate

pytestmark = pytest.mark.postgres

HANDLERS = Path(payments_schema.__file__).parents[1]
PASSWORD = "PasswordCanary-4111"
SIGNATURE = "SignatureCanary"


class Secrets(Server):
    def answer(self, path, headers, body):
        login = json.dumps({"username": MASTER, "password": PASSWORD})
        said = {"SecretString": login, "Name": "x", "ARN": "arn"}
        return 200, json.dumps(said).encode(), {"Content-Type": "application/x-amz-json-1.1"}


class Bucket(Server):
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


@pytest.fixture
def run(empty, server, tmp_path):
    identity = certificate(tmp_path)
    daemon = TraceDaemon()

    def invoke(**changes):
        with (
            Secrets() as secrets,
            Bucket(identity) as bucket,
            Door(server.port, identity) as secured,
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
                "SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:payments",
                "POWERTOOLS_SERVICE_NAME": "payments-schema",
                "POWERTOOLS_METRICS_NAMESPACE": "PaymentProcessing",
                "POWERTOOLS_LOGGER_LOG_EVENT": "true",
                **changes,
            }
            event = {
                "RequestType": "Create",
                "ResponseURL": f"https://{bucket.address}/a?X-Amz-Signature={SIGNATURE}",
                "StackId": "stack",
                "RequestId": "request",
                "LogicalResourceId": "SchemaStep",
            }
            folders = [HANDLERS, *map(Path, site.getsitepackages())]
            handler = "payments_schema.app.handler"
            log = tmp_path / "log"
            with Patient(sys.executable, folders, handler, environment, log) as function:
                kind, said = function.invoke(event)
                text = function.log
        assert kind == "response", said
        for canary in (PASSWORD, SIGNATURE):
            assert canary not in text + daemon.documents() + json.dumps(bucket.answers)
        return bucket.answers, text

    yield invoke
    daemon.close()


def test_a_run_makes_the_schema_and_answers(run, empty):
    [answer], log = run()
    assert (answer["Status"], answer["Data"]["Applied"]) == ("SUCCESS", "3")
    assert empty.counts() == (0, 0, 0)
    assert log.count("schema step applied") == 3
    assert '"version":"v0003_application_role"' in log.replace(": ", ":")


def test_a_database_that_is_gone_is_a_failure_that_is_answered(run):
    [answer], log = run(DB_PORT=str(free_port()))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "MigrationFailedError: login failed with LOST"
    assert "schema not changed" in log


def test_a_database_without_tls_is_refused(run):
    [answer], _ = run(DB_SSL="disable")
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "unexpected ValueError")
