"""Where a database is reached: the first endpoint that answers, and hosts beside one's own."""

import psycopg
import pytest

from aurora_access.connecting import first_of
from aurora_access.settings import Settings

OWN = {
    "DB_HOST": "writer.example",
    "DB_NAME": "orders",
    "DB_PORT": "5433",
    "DB_USER": "orders_app",
    "OTHER_DB_HOST": "other.example",
}


def opening(asked, name, error=None):
    def connect():
        asked.append(name)
        if error is not None:
            raise error
        return name

    return connect


def test_the_first_that_can_be_had_is_taken():
    asked = []
    connect = first_of(opening(asked, "writer"), opening(asked, "reader"))
    assert connect() == "writer"
    assert asked == ["writer"]


def test_a_name_that_leads_nowhere_is_passed_over():
    asked = []
    nowhere = psycopg.OperationalError("could not translate host name")
    connect = first_of(opening(asked, "writer", nowhere), opening(asked, "reader"))
    assert connect() == "reader"
    assert asked == ["writer", "reader"]


def test_with_none_left_the_last_one_says_why():
    asked = []
    first, last = psycopg.OperationalError("first"), psycopg.OperationalError("last")
    connect = first_of(opening(asked, "writer", first), opening(asked, "reader", last))
    with pytest.raises(psycopg.OperationalError, match="last"):
        connect()


def test_another_host_is_logged_in_to_alike():
    other = Settings.of(OWN, "OTHER_")
    assert (other.host, other.port, other.user) == ("other.example", 5433, "orders_app")


def test_another_host_may_have_a_port_of_its_own():
    assert Settings.of({**OWN, "OTHER_DB_PORT": "6000"}, "OTHER_").port == 6000


def test_a_host_that_is_not_told_is_named():
    with pytest.raises(ValueError, match="READER_DB_HOST must be set"):
        Settings.of(OWN, "READER_")
