"""How the functions reach PostgreSQL, and what they may say."""

import io
import json
import time
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace

import boto3
import psycopg
import pytest
from postgres.clusters import APP, Heard

from aurora_access.faults import Fault, fault_of
from aurora_access.persisting import Persistence
from aurora_access.settings import Settings, password_by_iam
from payments_api.core import Payment, Refused
from payments_api.ledger import DatabaseUnavailableError, Ledger
from payments_database.watch import UnexpectedError, Watch

PAN = "4111111111111111"
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ENVIRONMENT = {"DB_HOST": "db.example", "DB_NAME": "payments", "DB_USER": APP}
PAYMENT = Payment(
    key="order-00000000-0001",
    amount=Decimal("1.00"),
    currency="EUR",
    debtor="alice",
    creditor="bob",
)

# Settings.


def test_the_plain_way_is_closed():
    settings = Settings.of(ENVIRONMENT | {"AWS_LAMBDA_FUNCTION_NAME": "f"})
    assert (settings.auth, settings.tls, settings.port) == ("iam", "require", 5432)
    assert settings.parameters() == {
        "host": "db.example",
        "port": 5432,
        "dbname": "payments",
        "user": APP,
        "sslmode": "require",
        "gssencmode": "disable",
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DB_HOST": ""}, "DB_HOST must be set"),
        ({"DB_USER": "", "DB_NAME": ""}, "DB_NAME and DB_USER must be set"),
        ({"DB_PORT": "x"}, "DB_PORT is no port"),
        ({"DB_AUTH": "trust"}, "DB_AUTH is neither"),
        ({"DB_SSL": "prefer"}, "DB_SSL is neither"),
        ({"DB_SSL": "verify-full"}, "needs DB_SSL_ROOT_CERT"),
        ({"DB_AUTH": "none", "AWS_LAMBDA_FUNCTION_NAME": "f"}, "DB_AUTH=none is for tests"),
        ({"DB_SSL": "disable"}, "DB_SSL=disable would"),
        (
            {"DB_AUTH": "none", "DB_SSL": "disable", "AWS_LAMBDA_FUNCTION_NAME": "f"},
            "DB_AUTH=none is for tests",
        ),
    ],
)
def test_what_is_open_or_missing_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        Settings.of(ENVIRONMENT | changes)


def test_tests_may_go_without():
    assert Settings.of(ENVIRONMENT | {"DB_AUTH": "none", "DB_SSL": "disable"}).tls == "disable"


def test_a_password_is_a_token_of_iam_and_new_each_time():
    settings = Settings.of(ENVIRONMENT)
    rds = boto3.client(
        "rds",
        region_name="us-west-2",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="example",
    )
    token = password_by_iam(rds, settings)()
    assert token.startswith(f"db.example:5432/?Action=connect&DBUser={APP}&")
    assert "us-west-2%2Frds-db" in token
    assert password_by_iam(rds, Settings.of(ENVIRONMENT | {"DB_AUTH": "none"}))() is None


# Faults.


def error(kind, state):
    made = kind("quotes 4111111111111111")
    made.sqlstate = state
    return made


@pytest.mark.parametrize(
    ("kind", "state", "fault"),
    [
        (psycopg.OperationalError, None, Fault.LOST),
        (psycopg.InterfaceError, None, Fault.LOST),
        (psycopg.errors.ConnectionTimeout, None, Fault.LOST),
        (psycopg.OperationalError, "08006", Fault.LOST),
        (psycopg.OperationalError, "28P01", Fault.LOST),
        (psycopg.OperationalError, "53300", Fault.LOST),
        (psycopg.OperationalError, "57P01", Fault.LOST),
        (psycopg.OperationalError, "57P03", Fault.LOST),
        (psycopg.OperationalError, "25P03", Fault.LOST),
        (psycopg.OperationalError, "58030", Fault.LOST),
        (psycopg.InternalError, "XX000", Fault.LOST),
        (psycopg.OperationalError, "40001", Fault.BUSY),
        (psycopg.OperationalError, "40P01", Fault.BUSY),
        (psycopg.OperationalError, "55P03", Fault.BUSY),
        (psycopg.OperationalError, "57014", Fault.BUSY),
        (psycopg.InternalError, "25006", Fault.READ_ONLY),
        (psycopg.IntegrityError, "23505", Fault.CONSTRAINT),
        (psycopg.ProgrammingError, "42P01", Fault.DEFECT),
        (psycopg.ProgrammingError, "42501", Fault.DEFECT),
        (psycopg.ProgrammingError, None, Fault.DEFECT),
        (psycopg.DataError, "22003", Fault.DEFECT),
    ],
)
def test_an_error_is_known_by_its_state(kind, state, fault):
    assert fault_of(error(kind, state)) is fault


# Persistence.


class Failing:
    """A database that fails as told, an error a loan, then books."""

    def __init__(self, *errors, kept=False):
        self.errors = list(errors)
        self.age_seconds = 1.0 if kept else None
        self.loans = []
        self.dropped = 0

    def drop(self):
        self.dropped += 1
        self.age_seconds = None

    @contextmanager
    def within(self, seconds):
        self.loans.append(seconds)
        self.age_seconds = 1.0
        if self.errors:
            raise self.errors.pop(0)
        yield SimpleNamespace(execute=lambda *_: self)

    statusmessage = "COMMIT"

    def fetchone(self):
        return ("id",)


class Time:
    def __init__(self):
        self.seconds = 0.0
        self.slept = []

    def __call__(self):
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


def book(database, **options):
    clock, watch = Time(), Heard()
    how = {"random": lambda: 1.0, "clock": clock, "sleep": clock.sleep}
    ledger = Ledger(database, Persistence(**how | options), count=watch.count)
    try:
        outcome = ledger.book(PAYMENT, answer="{}", region="r", request="q")
    except (DatabaseUnavailableError, Refused, psycopg.Error) as refused:
        outcome = refused
    return outcome, clock.slept, watch.counted


def lost():
    return error(psycopg.OperationalError, None)


def busy():
    return error(psycopg.OperationalError, "40001")


def read_only():
    return error(psycopg.InternalError, "25006")


@pytest.mark.parametrize("fault", [lost, busy])
def test_what_may_pass_is_tried_again_with_longer_pauses(fault):
    database = Failing(*(fault() for _ in range(5)))
    outcome, slept, counted = book(database)
    assert outcome.answer == "{}"
    assert slept == [0.05, 0.1, 0.2, 0.4, 0.8]
    assert counted == ["DatabaseRetries"] * 5


def test_pauses_are_random_from_nothing_to_twice_the_one_before():
    drawn = iter([0.0, 0.5, 1.0])
    database = Failing(busy(), busy(), busy())
    _, slept, _ = book(database, random=lambda: next(drawn))
    assert slept == [0.0, 0.05, 0.2]


def test_attempts_end():
    outcome, slept, _ = book(Failing(*(busy() for _ in range(9))))
    assert isinstance(outcome, DatabaseUnavailableError)
    assert str(outcome) == "BUSY"
    assert len(slept) == 6


def test_time_ends():
    outcome, slept, _ = book(Failing(*(busy() for _ in range(9))), seconds=0.2)
    assert isinstance(outcome, DatabaseUnavailableError)
    assert sum(slept) <= 0.2


def test_a_lost_connection_that_was_kept_is_replaced_at_once():
    database = Failing(lost(), kept=True)
    outcome, slept, _ = book(database)
    assert (outcome.is_replay, slept, database.dropped) == (False, [0.0], 1)


def test_a_reader_is_left_for_a_new_connection_once():
    database = Failing(read_only(), read_only(), read_only(), kept=True)
    outcome, _, _ = book(database)
    assert str(outcome) == "READ_ONLY"
    assert len(database.loans) == 2
    outcome, _, _ = book(Failing(read_only(), kept=True))
    assert outcome.answer == "{}"


def test_a_defect_is_not_tried_again():
    database = Failing(error(psycopg.ProgrammingError, "42P01"))
    outcome, slept, _ = book(database)
    assert isinstance(outcome, psycopg.ProgrammingError)
    assert slept == []


def test_an_attempt_is_lent_no_more_than_what_is_left():
    database = Failing(busy(), busy(), busy())
    book(database, seconds=0.5)
    assert database.loans == [0.5, 0.45, pytest.approx(0.35), pytest.approx(0.15)]


def test_a_commit_that_says_rollback_is_no_commit():
    database = Failing()
    database.statusmessage = "ROLLBACK"
    outcome, _, _ = book(database, attempts=2)
    assert str(outcome) == "LOST"


# The connection, on a real server.


@pytest.mark.postgres
def test_a_loan_ends_in_time_and_the_connection_with_it(cluster):
    database = cluster.database()
    before = time.monotonic()
    with pytest.raises(psycopg.OperationalError), database.within(0.3) as connection:
        connection.execute("SELECT pg_sleep(2)")
    assert time.monotonic() - before < 1.5
    assert database.age_seconds is None


@pytest.mark.postgres
def test_a_loan_in_time_keeps_the_connection_and_leaves_no_transaction(cluster):
    database = cluster.database()
    with database.within(5) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1")
    with database.within(5) as again:
        assert again is connection
        assert again.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        with pytest.raises(psycopg.errors.DivisionByZero):
            again.execute("SELECT 1 / 0")
    assert database.age_seconds is not None
    database.drop()
    database.drop()
    assert connection.closed


@pytest.mark.postgres
def test_the_server_has_limits_of_its_own(cluster):
    database = cluster.database()
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with database.within(5) as connection:
        shown = [connection.execute(f"SHOW {name}".encode()).fetchone()[0] for name in names]
    database.drop()
    assert shown == ["2500ms", "2s", "5s"]


# What may be said.


@pytest.fixture
def said(aws, capsys):
    watch = Watch()
    log = io.StringIO()
    for handler in watch._logger.handlers:
        handler.stream = log
    return SimpleNamespace(watch=watch, text=lambda: log.getvalue() + capsys.readouterr().out)


def test_what_is_allowed_is_said(said):
    said.watch.say(
        "request refused",
        payment_id=ID,
        error="InvalidPayment",
        fields=["amount", "cardToken"],
        version="v0001_ledger",
        count=3,
        took_ms=1.23456,
    )
    line = json.loads(said.text())
    assert line["level"] == "ERROR"
    assert (
        line.items()
        >= {
            "message": "request refused",
            "payment_id": ID,
            "error": "InvalidPayment",
            "version": "v0001_ledger",
            "took_ms": 1.235,
            "region": "us-east-1",
        }.items()
    )
    assert line["fields"] == ["amount", "cardToken"]


@pytest.mark.parametrize("canary", [PAN, "tok_abcd1234", "alice 12.34", int(PAN), {"a": PAN}])
def test_everything_else_is_left_out(said, canary):
    said.watch.say(
        canary, payment_id=canary, error=canary, fields=[str(canary)], version=str(canary)
    )
    text = said.text()
    assert str(canary) not in text
    assert json.loads(text)["message"] == "withheld"


def test_a_foreign_error_leaves_by_its_name(said):
    def handler(event, context):
        raise KeyError(PAN)

    context = SimpleNamespace(
        function_name="f",
        memory_limit_in_mb=1,
        invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:f",
        aws_request_id="q",
    )
    with pytest.raises(UnexpectedError, match=r"^KeyError$"):
        said.watch.around(handler)({"body": PAN}, context)
    text = said.text()
    assert "UnexpectedErrors" in text
    assert PAN not in text
