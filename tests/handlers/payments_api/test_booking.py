"""Payments against a real PostgreSQL: once each, by constraint, with typed answers."""

import json
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from postgres.clusters import Function, SessionTable, failing, new_key, posted, requested

import payments_api
from payments_api.ledger import LedgerRefusedError

pytestmark = pytest.mark.postgres

FOLDERS = [str(Path(payments_api.__file__).parents[1]), str(Path(__file__).parents[2])]


def test_a_payment_is_booked_and_found(function, cluster):
    key = new_key()
    status, body, headers = function.pay(key, reference="Invoice 7", cardToken="tok_abcd1234")
    assert status == 201
    said = json.loads(body)
    assert (
        said.items()
        >= {
            "status": "BOOKED",
            "amount": "12.34",
            "currency": "EUR",
            "debtor": "alice",
            "creditor": "bob",
            "reference": "Invoice 7",
            "region": "us-east-1",
        }.items()
    )
    assert "tok_" not in body
    assert headers["location"] == f"/payments/{said['paymentId']}"
    assert cluster.counts() == (1, 2, 0)
    assert (cluster.balance("alice"), cluster.balance("bob")) == (
        Decimal("999987.66"),
        Decimal("12.34"),
    )
    shown = function(requested("GET", headers["location"]))
    assert (shown["statusCode"], shown["body"]) == (200, body)
    assert "PaymentsBooked" in function.watch.counted


def test_a_retry_gets_the_first_answer_byte_for_byte(function, cluster):
    key = new_key()
    first = function.pay(key, amount="12.3")
    again = function.pay(key, amount="12.30")
    assert (first[0], again[0]) == (201, 200)
    assert again[1] == first[1]
    assert again[2]["idempotent-replay"] == "true"
    assert "idempotent-replay" not in first[2]
    assert cluster.counts() == (1, 2, 0)
    assert function.watch.counted.count("PaymentsReplayed") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "12.35"},
        {"currency": "USD"},
        {"debtor": "carol"},
        {"creditor": "carol"},
        {"reference": "other"},
        {"cardToken": "tok_abcd1234"},
        {"sessionId": "session-0123456789"},
    ],
)
def test_a_key_with_another_body_is_refused_and_the_first_stays(function, cluster, change):
    key = new_key()
    _, body, _ = function.pay(key)
    status, refused, _ = function.pay(key, **change)
    assert (status, json.loads(refused)) == (409, {"error": "IdempotencyKeyReused"})
    assert cluster.counts() == (1, 2, 0)
    assert function.pay(key)[:2] == (200, body)


def test_sixteen_threads_with_one_key_book_once(cluster):
    """Each thread is an environment with a connection of its own; they start together."""
    key, table, start = new_key(), SessionTable(), threading.Barrier(16)

    def call(_):
        with Function(cluster.database(), table=table) as function:
            function.health()  # connected before the start
            start.wait()
            return function.pay(key, sessionId="session-0123456789")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(call, range(16)))
    assert sorted(status for status, _, _ in answers) == [200] * 15 + [201]
    assert len({body for _, body, _ in answers}) == 1
    assert cluster.counts() == (1, 2, 0)
    assert cluster.balance("bob") == Decimal("12.34")
    with Function(cluster.database()) as function:
        assert function.pay(key, amount="1")[0] == 409


_PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from postgres.clusters import Cluster, Function
from types import SimpleNamespace
port, name, *keys = sys.argv[1:]
cluster = Cluster(SimpleNamespace(port=int(port)), name)
def call(_):
    with Function(cluster.database()) as function:
        return [function.pay(key) for key in keys]
with ThreadPoolExecutor(8) as pool:
    for answers in pool.map(call, range(8)):
        for status, body, _ in answers:
            print(status, body)
"""


def test_two_processes_of_eight_threads_book_each_key_once(cluster):
    keys = [new_key() for _ in range(10)]
    command = [sys.executable, "-c", _PROCESS, str(cluster.server.port), cluster.name, *keys]
    running = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": ":".join(FOLDERS)}
        )
        for _ in range(2)
    ]
    lines = [line for each in running for line in each.communicate(timeout=60)[0].splitlines()]
    assert [each.returncode for each in running] == [0, 0]
    assert len(lines) == 2 * 8 * len(keys)
    assert sum(line.startswith("201 ") for line in lines) == len(keys)
    assert len({line.partition(" ")[2] for line in lines}) == len(keys)
    assert cluster.counts() == (len(keys), 2 * len(keys), 0)


def test_crossing_payments_do_not_wait_in_a_circle(cluster):
    """Half go from alice to bob, half back: locks are taken in one order, so nobody is aborted."""
    start = threading.Barrier(8)

    def call(number):
        ends = ("alice", "bob") if number % 2 else ("bob", "alice")
        with Function(cluster.database()) as function:
            function.health()
            start.wait()
            for _ in range(10):
                body = {"debtor": ends[0], "creditor": ends[1], "amount": "1"}
                assert function.pay(new_key(), **body)[0] in (201, 422)  # bob may be empty
            return function.watch.counted

    with ThreadPoolExecutor(8) as pool:
        counted = [name for each in pool.map(call, range(8)) for name in each]
    assert "DatabaseRetries" not in counted
    payments, entries, total = cluster.counts()
    assert (entries, total) == (2 * payments, 0)
    assert cluster.balance("alice") + cluster.balance("bob") == 1000000
    assert cluster.balance("bob") >= 0


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"debtor": "nobody"}, "UnknownAccount", "debtor"),
        ({"creditor": "nobody"}, "UnknownAccount", "creditor"),
        ({"creditor": "dave"}, "CurrencyMismatch", "currency"),
        ({"currency": "USD"}, "CurrencyMismatch", "currency"),
        ({"debtor": "bob", "creditor": "alice"}, "InsufficientFunds", "debtor"),
        ({"debtor": "carol", "amount": "100.01"}, "InsufficientFunds", "debtor"),
    ],
)
def test_what_the_business_refuses_is_typed(function, cluster, changes, error, field):
    key = new_key()
    status, body, _ = function.pay(key, **changes)
    said = json.loads(body)
    assert (status, said["error"]) == (422, error)
    assert [each["field"] for each in said["problems"]] == [field]
    assert cluster.counts() == (0, 0, 0)
    assert function.pay(new_key())[0] == 201  # the connection is as good as before
    assert function.pay(key)[0] == 201  # a refusal takes no key


def test_the_last_cent_can_be_paid(function, cluster):
    assert function.pay(new_key(), debtor="carol", amount="100.00")[0] == 201
    assert cluster.balance("carol") == 0


def test_a_payment_that_is_not_there_is_not_found(function):
    answer = function(requested("GET", f"/payments/{uuid.uuid4()}"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        404,
        {"error": "PaymentNotFound"},
    )


def test_a_constraint_that_no_request_can_violate_is_a_defect(function, cluster):
    with cluster.master() as connection:
        connection.execute(
            "ALTER TABLE payments.entry ADD CONSTRAINT surprise CHECK (amount < 12) NOT VALID"
        )
    with pytest.raises(LedgerRefusedError, match=r"^surprise$"):
        function.pay(new_key())
    assert cluster.counts() == (0, 0, 0)


# What the database holds, whoever writes.

_PAYMENT = """
INSERT INTO payments.payment VALUES (
    gen_random_uuid(), 'key-0123456789abcdef', repeat('a', 64), 'alice', 'bob', 'EUR', 5,
    NULL, NULL, '{}', now(), 'r', 'q'
)
"""
_ENTRY = """
INSERT INTO payments.entry
SELECT payment_id, 'DEBIT', 'alice', 'EUR', {debit} FROM payments.payment
UNION ALL SELECT payment_id, 'CREDIT', '{creditor}', 'EUR', {credit} FROM payments.payment
"""


def write(cluster, statements):
    """Write as the application, in one transaction."""
    with closing(psycopg.connect(**cluster.settings().parameters())) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("statements", "constraint"),
    [
        ([_PAYMENT], "payment_is_balanced"),
        ([_PAYMENT, _ENTRY.format(debit=-5, credit=4, creditor="bob")], "payment_is_balanced"),
        ([_PAYMENT, _ENTRY.format(debit=-4, credit=4, creditor="bob")], "payment_is_balanced"),
        ([_PAYMENT, _ENTRY.format(debit=-5, credit=5, creditor="carol")], "payment_is_balanced"),
        ([_PAYMENT, _ENTRY.format(debit=5, credit=5, creditor="bob")], "entry_sign_of_side"),
        ([_PAYMENT.replace("'bob'", "'alice'")], "payment_between_two"),
        ([_PAYMENT.replace(", 5,", ", 0,")], "payment_amount_above_zero"),
        ([_PAYMENT.replace("NULL, NULL", "'4111111111111111', NULL")], "payment_card_is_a_token"),
    ],
)
def test_the_database_refuses_what_is_not_double_entry(cluster, statements, constraint):
    with pytest.raises(psycopg.IntegrityError) as caught:
        write(cluster, statements)
    assert caught.value.diag.constraint_name == constraint
    assert cluster.counts() == (0, 0, 0)


def test_the_database_takes_what_is_double_entry(cluster):
    write(cluster, [_PAYMENT, _ENTRY.format(debit=-5, credit=5, creditor="bob")])
    assert cluster.counts() == (1, 2, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments.payment SET amount = 1",
        "DELETE FROM payments.entry",
        "TRUNCATE payments.entry",
        "UPDATE payments.account SET balance = 1",
        "INSERT INTO payments.account VALUES ('mallory', 'EUR', 1, 0)",
        "CREATE TABLE payments.other ()",
        "SELECT * FROM schema_history.applied",
    ],
)
def test_the_application_may_not(cluster, function, statement):
    function.pay(new_key())
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        psycopg.connect(**cluster.settings().parameters()) as connection,
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments.payment SET amount = 1",
        "UPDATE payments.entry SET amount = 1",
        "DELETE FROM payments.payment",
        "DELETE FROM payments.entry",
        "TRUNCATE payments.payment, payments.entry",
    ],
)
def test_not_even_the_master_changes_what_is_booked(cluster, function, statement):
    function.pay(new_key())
    with cluster.master() as connection, pytest.raises(psycopg.errors.CheckViolation) as caught:
        connection.execute(statement)
    assert caught.value.diag.constraint_name == "booked_stays"
    assert cluster.counts() == (1, 2, 0)


# Sessions are beside the payment.


def test_a_session_knows_its_last_payment(function):
    _, body, _ = function.pay(new_key(), sessionId="session-0123456789")
    item = function.table.items["session-0123456789"]
    assert item["lastPaymentId"]["S"] == json.loads(body)["paymentId"]
    assert int(item["expiresAt"]["N"]) > 0


def test_a_replay_does_not_put_an_older_payment_into_a_session(function):
    first = new_key()
    function.pay(first, sessionId="session-0123456789")
    _, body, _ = function.pay(new_key(), sessionId="session-0123456789")
    latest = json.loads(body)["paymentId"]
    assert function.pay(first, sessionId="session-0123456789")[0] == 200
    assert function.table.items["session-0123456789"]["lastPaymentId"]["S"] == latest
    assert "SessionWriteFailures" not in function.watch.counted


def test_a_session_that_cannot_be_written_does_not_fail_the_payment(function, cluster):
    function.table.failure = failing("ThrottlingException")
    key = new_key()
    status, body, _ = function.pay(key, sessionId="session-0123456789")
    assert status == 201
    assert cluster.counts() == (1, 2, 0)
    assert "SessionWriteFailures" in function.watch.counted
    function.table.failure = None
    assert function.pay(key, sessionId="session-0123456789")[:2] == (200, body)
    assert "session-0123456789" in function.table.items


def test_an_unauthorized_request_reaches_no_database(cluster):
    with Function(cluster.database()) as function:
        request = posted(new_key())
        del request["requestContext"]["authorizer"]
        assert function(request)["statusCode"] == 401
        assert function.database.age_seconds is None
