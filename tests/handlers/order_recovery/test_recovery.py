"""What the machines are answered: yes, not yet, or not so, each with the names of what is amiss."""

from dataclasses import replace

import pytest

from aurora_access.standing import Lag, Standing
from order_recovery.core import Operation, operation_of, seconds_of
from order_recovery.service import Recovery
from orders.failures import (
    BadRequest,
    DatabaseRefused,
    NotReady,
    NotReturned,
    NotServing,
    NotWritable,
    TemporaryFailure,
)
from orders.reports import Report
from orders.role import Phase, Role

HOME, AWAY = "us-east-1", "us-east-2"
NOW = 1_800_000_000
SERVES = Role(epoch=2, active=AWAY)
RETURNED = Role(epoch=3, active=HOME, since="2027-01-15T07:59:00.000Z")  # a minute before
WELL = Report(at=NOW - 5, api=True, database=True, consumers="Enabled")
LAGS = (Lag(HOME, 120), Lag(AWAY, -1))


class Writer:
    """The database, as it says it is."""

    def __init__(self, standing=Standing.WRITER, fence=2, lags=LAGS, error=None):
        self.said, self.fence, self.found, self.error = standing, fence, lags, error
        self.canaries = []

    def _raise(self):
        if self.error:
            raise self.error

    def prove_writable(self, region):
        self._raise()
        self.canaries.append(region)

    def standing(self):
        self._raise()
        return self.said, self.fence

    def lags(self):
        self._raise()
        return self.found


def recovery(writer=None, *, role=SERVES, report=WELL, healthy=True):
    return Recovery(
        writer or Writer(),
        role=lambda: role,
        report=lambda: report,
        healthy=lambda: healthy,
        region=AWAY,
        other=HOME,
        now=lambda: NOW + 0.5,
    )


def ask(made, operation):
    return made({"operation": operation})


def test_the_canary_is_written():
    writer = Writer()
    assert ask(recovery(writer), "canary") == {"writable": True}
    assert writer.canaries == [AWAY]


def test_a_database_that_takes_no_writes_is_not_writable():
    with pytest.raises(NotWritable):
        ask(recovery(Writer(error=NotWritable("database lost"))), "canary")


def test_a_region_that_serves_is_valid():
    assert ask(recovery(), "validate") == {"serving": True, "epoch": 2}


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"role": replace(SERVES, active=HOME)}, ("role",)),
        ({"role": replace(SERVES, phase=Phase.FAILING_OVER)}, ("role",)),
        ({"healthy": False}, ("api",)),
        ({"writer": Writer(standing=Standing.COPY)}, ("database",)),
        ({"writer": Writer(fence=1)}, ("fence",)),
        ({"writer": Writer(fence=None)}, ("fence",)),
        ({"writer": Writer(error=TemporaryFailure("database lost"))}, ("database", "fence")),
        ({"healthy": False, "role": replace(SERVES, epoch=3)}, ("api", "fence")),
    ],
)
def test_a_region_that_does_not_serve_says_what_is_amiss(changes, missing):
    with pytest.raises(NotServing) as failure:
        ask(recovery(**changes), "validate")
    assert failure.value.findings == missing


def test_what_is_refused_for_good_is_not_taken_for_not_yet():
    with pytest.raises(DatabaseRefused):
        ask(recovery(Writer(error=DatabaseRefused("42501"))), "validate")


def test_a_pair_that_is_well_is_ready_to_return():
    assert ask(recovery(), "ready-to-return") == {"ready": True, "epoch": 2}
    at_the_limit = Writer(lags=(Lag(HOME, 5000), Lag(AWAY, -1)))
    assert ask(recovery(at_the_limit), "ready-to-return")["ready"]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"role": replace(SERVES, phase=Phase.FAILING_BACK)}, ("role",)),
        ({"report": None}, ("report", "api", "database")),
        ({"report": replace(WELL, at=NOW - 121)}, ("report",)),
        ({"report": replace(WELL, api=False)}, ("api",)),
        ({"report": replace(WELL, database=False)}, ("database",)),
        ({"writer": Writer(lags=(Lag(HOME, 5001), Lag(AWAY, -1)))}, ("lag",)),
        ({"writer": Writer(lags=(Lag(AWAY, -1),))}, ("copy",)),
        ({"writer": Writer(lags=(Lag(HOME, -1), Lag(AWAY, 10)))}, ("copy",)),
    ],
)
def test_a_pair_that_is_not_ready_says_why(changes, missing):
    with pytest.raises(NotReady) as failure:
        ask(recovery(**changes), "ready-to-return")
    assert failure.value.findings == missing


def test_a_region_that_has_returned_says_so():
    assert ask(recovery(role=RETURNED), "returned") == {"returned": True, "epoch": 3}


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"role": replace(RETURNED, phase=Phase.FAILING_BACK)}, ("role",)),
        ({"report": replace(WELL, consumers="Disabled")}, ("consumers",)),
        ({"report": replace(WELL, at=NOW - 61)}, ("since",)),
        ({"report": replace(WELL, database=False)}, ("database",)),
        ({"report": None}, ("report", "api", "database", "consumers", "since")),
    ],
)
def test_a_region_that_has_not_returned_says_what_is_amiss(changes, missing):
    with pytest.raises(NotReturned) as failure:
        ask(recovery(**{"role": RETURNED} | changes), "returned")
    assert failure.value.findings == missing


@pytest.mark.parametrize("payload", [{}, {"operation": "x"}, {"operation": 1}, None, "canary"])
def test_another_payload_is_refused(payload):
    with pytest.raises(BadRequest):
        operation_of(payload)


def test_operations_are_those_of_the_machines():
    assert [each.value for each in Operation] == [
        "canary",
        "validate",
        "ready-to-return",
        "returned",
    ]


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [("2027-01-15T08:00:00.000Z", NOW), ("2027-01-15T08:00:00Z", NOW), (None, None), ("x", None)],
)
def test_the_moment_of_a_change_is_read(moment, seconds):
    assert seconds_of(moment) == seconds
