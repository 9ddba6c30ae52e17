"""The hourly test: each fault is found by its name, and all of them are told."""

from dataclasses import replace

import pytest
from handlers.orders_in_memory import Heard, refused

from aurora_access.standing import Lag, Standing
from order_readiness.configuration import Configuration
from order_readiness.core import Seen, failed, findings
from order_readiness.service import Readiness
from orders.failures import AwsRefused, TemporaryFailure

LAGS = (Lag("us-east-1", -1), Lag("us-east-2", 200))
WANTED = ("queue-url", "table")
WELL = Seen(
    own_api=True,
    other_api=True,
    own_database=Standing.WRITER,
    other_database=Standing.COPY,
    lags=LAGS,
    configured=frozenset({*WANTED, "more"}),
)
NAMES = (
    "own-api",
    "other-api",
    "own-database",
    "other-database",
    "one-writer",
    "replication",
    "configuration",
)


def test_a_pair_that_is_well_passes_everything():
    for seen in (
        WELL,
        replace(WELL, own_database=Standing.COPY, other_database=Standing.WRITER),
        replace(WELL, lags=(Lag("us-east-1", -1), Lag("us-east-2", 5000))),
    ):
        found = findings(seen, wanted=WANTED)
        assert tuple(each.name for each in found) == NAMES
        assert failed(found) == ()
    assert findings(WELL, wanted=WANTED)[5].what == "ms 200"
    assert findings(WELL, wanted=())[6].ok


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"own_api": False}, ("own-api",)),
        ({"other_api": False}, ("other-api",)),
        ({"own_database": None}, ("own-database", "one-writer")),
        ({"other_database": None}, ("other-database", "one-writer")),
        ({"other_database": Standing.WRITER}, ("one-writer",)),
        ({"own_database": Standing.COPY}, ("one-writer",)),
        ({"lags": None}, ("replication",)),
        ({"lags": LAGS[:1]}, ("replication",)),
        ({"lags": (Lag("us-east-1", -1), Lag("us-east-2", 5001))}, ("replication",)),
        ({"configured": None}, ("configuration",)),
        ({"configured": frozenset()}, ("configuration",)),
        ({"configured": frozenset({"table"})}, ("configuration",)),
        ({"own_api": False, "lags": None}, ("own-api", "replication")),
    ],
)
def test_each_fault_is_found_by_its_name(changes, names):
    assert failed(findings(replace(WELL, **changes), wanted=WANTED)) == names


class Cluster:
    """A cluster, as it is found."""

    def __init__(self, standing, lags=LAGS):
        self.found, self.told = standing, lags

    def standing(self):
        return self.found

    def lags(self):
        return self.told


def readiness(heard, *, other_api=True, configured=lambda: frozenset(WANTED)):
    return Readiness(
        own=Cluster(Standing.WRITER),
        other=Cluster(Standing.COPY),
        own_api=lambda: True,
        other_api=lambda: other_api,
        configured=configured,
        wanted=WANTED,
        watch=heard,
    )


class Counting(Heard):
    """Remembers metrics with their amounts."""

    def __init__(self):
        super().__init__()
        self.metrics = {}

    def count(self, name, amount=1):
        self.metrics[name] = amount


def test_all_checks_are_metrics_by_name():
    heard = Counting()
    assert readiness(heard)() == {"ready": list(NAMES), "notReady": []}
    assert heard.metrics == {
        "OwnApiReady": 1,
        "OtherApiReady": 1,
        "OwnDatabaseReady": 1,
        "OtherDatabaseReady": 1,
        "OneWriterReady": 1,
        "ReplicationReady": 1,
        "ConfigurationReady": 1,
        "Ready": 1,
    }


def test_what_is_not_ready_is_counted_and_named():
    heard = Counting()

    def refuses():
        raise AwsRefused("AccessDeniedException")

    answer = readiness(heard, other_api=False, configured=refuses)()
    assert answer["notReady"] == ["other-api", "configuration"]
    assert "own-api" in answer["ready"]
    assert {name for name, amount in heard.metrics.items() if not amount} == {
        "OtherApiReady",
        "ConfigurationReady",
        "Ready",
    }


class Parameters:
    """Pages of parameters."""

    def __init__(self, *pages, error=None):
        self.pages, self.error = pages, error

    def get_parameters_by_path(self, **request):
        if self.error:
            raise self.error
        assert (request["Path"], request["Recursive"]) == ("/trading/test", True)
        number = int(request.get("NextToken", 0))
        more = {"NextToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"Parameters": [{"Name": each} for each in self.pages[number]], **more}


def test_parameters_are_read_page_by_page():
    client = Parameters(["/trading/test/table"], [], ["/trading/test/queue-url"])
    assert Configuration(client, "/trading/test").names() == {"table", "queue-url"}
    assert Configuration(Parameters([]), "/trading/test").names() == frozenset()


@pytest.mark.parametrize(
    ("code", "failure"),
    [("AccessDeniedException", AwsRefused), ("ThrottlingException", TemporaryFailure)],
)
def test_what_ssm_refuses_has_a_name(code, failure):
    error = refused("GetParametersByPath", code)
    with pytest.raises(failure, match=code):
        Configuration(Parameters(error=error), "/trading/test").names()
