"""Who is active, read from the item; and an item that nobody understands is refused."""

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from orders.failures import AwsRefused, Failure, TemporaryFailure, UnreadableItem
from orders.role import Phase, Role, is_latched, read_latch, read_role, report_id, role_of, watch_id

HOME, AWAY = "us-east-1", "us-east-2"
ITEM = {
    "id": {"S": "role"},
    "epoch": {"N": "3"},
    "active": {"S": AWAY},
    "phase": {"S": "failing-over"},
    "run": {"S": "failover-3"},
    "since": {"S": "2026-11-20T10:00:00.123Z"},
    "cuts": {"M": {"1": {"S": "2026-11-20T09:00:00.000001Z"}}},
}


class Table:
    def __init__(self, item=None, failure=None):
        self.item, self.failure, self.requests = item, failure, []

    def get_item(self, **request):
        self.requests.append(request)
        if self.failure:
            raise self.failure
        return {"Item": self.item} if self.item else {}


def test_without_an_item_the_home_region_serves():
    role = read_role(Table(), "t", home=HOME)
    assert (role, dict(role.cuts)) == (Role(epoch=1, active=HOME), {})
    assert role.serves(HOME)
    assert not role.serves(AWAY)


def test_an_item_is_read_as_it_is_now():
    table = Table(ITEM)
    role = read_role(table, "t", home=HOME)
    assert (role.epoch, role.active, role.phase) == (3, AWAY, Phase.FAILING_OVER)
    assert (role.run, dict(role.cuts)) == ("failover-3", {1: "2026-11-20T09:00:00.000001Z"})
    assert not role.serves(AWAY)  # not yet
    [asked] = table.requests
    assert (asked["Key"], asked["ConsistentRead"]) == ({"id": {"S": "role"}}, True)


@pytest.mark.parametrize("name", ["failover.1", "by+hand@3am", "Umzug-ä", "by hand"])
def test_how_a_person_called_a_run_stops_nobody(name):
    """Step Functions takes such names, and the machine writes them here: all functions read it."""
    assert role_of({**ITEM, "run": {"S": name}}, home="us-east-1").run == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", {"S": "3"}),
        ("epoch", {"N": "0"}),
        ("epoch", {"N": "-1"}),
        ("epoch", {"N": "3.5"}),
        ("active", {"S": "here"}),
        ("active", {"N": "1"}),
        ("phase", {"S": "serving "}),
        ("run", {"N": "1"}),
        ("since", {"N": "1"}),
        ("cuts", {"M": {"1": {"S": "2026-11-20T09:00:00Z"}}}),
        ("cuts", {"M": {"one": {"S": "2026-11-20T09:00:00.000001Z"}}}),
        ("cuts", {"M": {"1": {"N": "1"}}}),
    ],
)
def test_what_is_not_written_by_us_is_refused_by_name(name, value):
    with pytest.raises(UnreadableItem, match=f"role.{name}"):
        role_of(ITEM | {name: value}, home=HOME)


@pytest.mark.parametrize("name", ["epoch", "active", "phase"])
def test_what_is_missing_is_refused(name):
    with pytest.raises(UnreadableItem):
        role_of({key: value for key, value in ITEM.items() if key != name}, home=HOME)


def test_the_latch():
    assert [is_latched(None), is_latched({"latched": {"BOOL": False}})] == [False, False]
    table = Table({"latched": {"BOOL": True}, "epoch": {"N": "2"}})
    assert read_latch(table, "t")
    assert table.requests[0]["ConsistentRead"] is True
    with pytest.raises(UnreadableItem):
        is_latched({"latched": {"BOOL": "true"}})


@pytest.mark.parametrize(
    ("error", "failure", "text"),
    [
        (ReadTimeoutError(endpoint_url="secret"), TemporaryFailure, "ReadTimeoutError"),
        (
            ClientError({"Error": {"Code": "ThrottlingException", "Message": "secret"}}, "GetItem"),
            TemporaryFailure,
            "ThrottlingException",
        ),
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "s"}}, "GetItem"),
            AwsRefused,
            "AccessDeniedException",
        ),
        (
            ClientError({"ResponseMetadata": {"HTTPStatusCode": 503}}, "GetItem"),
            TemporaryFailure,
            "Http503",
        ),
    ],
)
def test_a_table_that_does_not_answer_is_a_failure_that_quotes_nothing(error, failure, text):
    for read in (lambda table: read_role(table, "t", home=HOME), lambda t: read_latch(t, "t")):
        with pytest.raises(failure) as caught:
            read(Table(failure=error))
        assert str(caught.value) == text
        assert isinstance(caught.value, Failure)


def test_keys():
    assert (report_id(HOME), watch_id(AWAY)) == ("report#us-east-1", "watch#us-east-2")
