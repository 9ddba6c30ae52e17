"""Databases of payments on a real server, and functions that talk to them.

A `Function` is what Lambda keeps in one execution environment: its own connection, the region's
table of sessions (in memory here), and everything it says.
"""

import json
import threading
import uuid
from pathlib import Path

from botocore.exceptions import ClientError
from postgres import databases

import payments_schema
from aurora_access.persisting import Persistence
from payments_api.health import Health
from payments_api.ledger import Ledger
from payments_api.service import Payments
from payments_api.sessions import Sessions
from tap_templates.local.postgres import Server

MIGRATIONS = Path(payments_schema.__file__).parent / "migrations"
APP = "payments_app"
# account → currency, balance, lowest balance
ACCOUNTS = {
    "alice": ("EUR", "1000000", None),
    "bob": ("EUR", "0", "0"),
    "carol": ("EUR", "100", "0"),
    "dave": ("USD", "100", "0"),
}


class Cluster(databases.Cluster):
    """One database of payments."""

    app = APP
    migrations = MIGRATIONS

    def ready(self):
        self.migrate()
        self.open_accounts()

    def counts(self):
        """Payments, entries, and what all entries add up to."""
        [row] = self.rows(
            "SELECT (SELECT count(*) FROM payments.payment), count(*), coalesce(sum(amount), 0)"
            " FROM payments.entry"
        )
        return row

    def balance(self, account):
        return self.one("SELECT balance FROM payments.account WHERE account_id = %s", account)

    def open_accounts(self):
        with self.master() as connection:
            for account, (currency, balance, lowest) in ACCOUNTS.items():
                connection.execute(
                    "INSERT INTO payments.account VALUES (%s, %s, %s, %s)",
                    (account, currency, balance, lowest),
                )


def started(settings=None):
    """A server of one's own, with a database of payments in it, for what kills it."""
    server = Server.create(settings).start()
    cluster = Cluster.new(server)
    cluster.ready()
    return cluster


class SessionTable:
    """UpdateItem and GetItem of DynamoDB, as far as sessions use them; fails with `failure`."""

    def __init__(self):
        self.items = {}
        self.failure = None
        self._lock = threading.Lock()

    def update_item(self, **request):
        if self.failure:
            raise self.failure
        assert request["ConditionExpression"] == (
            "attribute_not_exists(updatedAt) OR updatedAt <= :updated"
        )
        values = request["ExpressionAttributeValues"]
        key = request["Key"]["sessionId"]["S"]
        with self._lock:
            known = self.items.get(key)
            if known and known["updatedAt"]["S"] > values[":updated"]["S"]:
                raise failing("ConditionalCheckFailedException")
            self.items[key] = {
                "sessionId": request["Key"]["sessionId"],
                "lastPaymentId": values[":payment"],
                "updatedAt": values[":updated"],
                "expiresAt": values[":expires"],
            }
        return {}

    def get_item(self, **request):
        if self.failure:
            raise self.failure
        item = self.items.get(request["Key"]["sessionId"]["S"])
        return {"Item": item} if item else {}


def failing(code):
    """An error of DynamoDB, with a message that quotes what it should not."""
    return ClientError({"Error": {"Code": code, "Message": "card 4111111111111111"}}, "UpdateItem")


class Heard:
    """Stands for the watch; keeps what it hears."""

    def __init__(self):
        self.lines = []
        self.counted = []
        self._lock = threading.Lock()

    def say(self, message, **values):
        with self._lock:
            self.lines.append((message, values))

    def count(self, name, amount=1):
        with self._lock:
            self.counted.append(name)

    def time(self, name, took_ms):
        assert took_ms >= 0

    def annotate(self, payment_id):
        uuid.UUID(payment_id)


class Function:
    """One execution environment of payments-api. Close it at the end."""

    def __init__(self, database, *, region="us-east-1", table=None, watch=None, **persistence):
        self.database = database
        self.table = table or SessionTable()
        self.watch = watch or Heard()
        sessions = Sessions(self.table, self.table, "sessions-test")
        self._payments = Payments(
            Ledger(database, Persistence(**persistence), count=self.watch.count),
            sessions,
            Health(database, sessions),
            self.watch,
            region=region,
        )

    def __call__(self, request):
        return self._payments(request, str(uuid.uuid4()))

    def pay(self, key, **changes):
        """Post a payment; give status, body as it was written, and headers."""
        answer = self(posted(key, **changes))
        return answer["statusCode"], answer["body"], answer["headers"]

    def health(self):
        answer = self(requested("GET", "/health", authorizer=None))
        return answer["statusCode"], json.loads(answer["body"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.drop()


IAM = {"iam": {"accountId": "111122223333", "userArn": "arn:aws:iam::111122223333:role/shop"}}


def requested(method, path, *, authorizer=IAM, **more):
    """A request as an HTTP API and a Function URL hand it over."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {"host": "payments.example"},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "stage": "$default",
            **({"authorizer": authorizer} if authorizer else {}),
        },
        "isBase64Encoded": False,
        **more,
    }


def paid(**changes):
    body = {"amount": "12.34", "currency": "EUR", "debtor": "alice", "creditor": "bob"} | changes
    return {name: value for name, value in body.items() if value is not None}


def posted(key, **changes):
    headers = {"content-type": "application/json", "idempotency-key": key}
    return requested("POST", "/payments", headers=headers, body=json.dumps(paid(**changes)))


def new_key():
    return str(uuid.uuid4())
