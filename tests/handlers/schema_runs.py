"""A schema function under AWS's own runtime client: secret, database, and answer behind TLS."""

import json
import site
import ssl
import sys
import time
from pathlib import Path

from handlers.loopback import Function, Server, TraceDaemon

import schema_migrations
from tap_templates.local.postgres import MASTER
from tap_templates.local.tls import Door, certificate

HANDLERS = Path(schema_migrations.__file__).parents[1]
PASSWORD, SIGNATURE = "PasswordCanary-4111", "SignatureCanary"


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


def schema_run(package, cluster, folder, **changes):
    """Create the schema of a cluster; give the one answer, and the log, which tell no secret."""
    identity = certificate(folder)
    daemon = TraceDaemon()
    with (
        Secrets() as secrets,
        Bucket(identity) as bucket,
        Door(cluster.server.port, identity) as secured,
    ):
        environment = {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://{secrets.address}",
            "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(secured.port),
            "DB_NAME": cluster.name,
            "DB_SSL": "verify-full",
            "DB_SSL_ROOT_CERT": str(identity.chain),
            "SSL_CERT_FILE": str(identity.chain),
            "SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:master",
            "POWERTOOLS_SERVICE_NAME": package.replace("_", "-"),
            "POWERTOOLS_METRICS_NAMESPACE": "Tests",
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
        log = folder / "log"
        with Patient(
            sys.executable, folders, f"{package}.app.handler", environment, log
        ) as function:
            kind, said = function.invoke(event)
            text = function.log
    documents = daemon.documents()
    daemon.close()
    assert kind == "response", said
    for canary in (PASSWORD, SIGNATURE):
        assert canary not in text + documents + json.dumps(bucket.answers)
    [answer] = bucket.answers
    return answer, text
