"""The API from request to answer: what is taken, what is refused, and who sees what."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from handlers.orders_in_memory import Client, Heard, Queue, Table, refused, timed_out
from hypothesis import given
from hypothesis import strategies as st

from order_api.acceptance import Acceptance, Patience
from order_api.health import Health
from order_api.service import OrderApi
from order_api.sessions import KEPT, Sessions, session_key
from orders.journal import Journal
from orders.order import order_id
from orders.role import read_latch
from orders.trust import Mark

REGION = "us-east-2"
DESK = "arn:aws:sts::111122223333:assumed-role/desk/alice"
OTHER_DESK = "arn:aws:sts::111122223333:assumed-role/other/alice"
OWNER = "111122223333:role/desk"
ORDER = {
    "clientOrderId": "c-1",
    "symbol": "AMZN",
    "side": "buy",
    "quantity": "10",
    "price": "181.50",
}
ID = order_id(OWNER, "c-1")


class Api:
    """One execution environment, on tables in memory, with a clock that only tests move."""

    def __init__(self):
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.seconds = 0.0
        self.pauses = []
        self.table, self.failover, self.kept = Table("orderId"), Table("id"), Table("sessionId")
        self.journal = Client(self.table, REGION)
        self.health_journal = Client(self.table, REGION)
        self.latch = Client(self.failover, REGION)
        self.sessions = Client(self.kept, REGION)
        self.queue, self.watch = Queue(), Heard()
        journal = Journal(self.journal, "journal")
        self._api = OrderApi(
            Acceptance(
                journal,
                self.queue,
                "url",
                region=REGION,
                patience=Patience(
                    stopwatch=lambda: self.seconds, sleep=self._sleep, chance=lambda: 0.5
                ),
                now=lambda: self.now,
                count=self.watch.count,
            ),
            journal,
            Sessions(self.sessions, "sessions", now=lambda: self.now),
            Health(
                Journal(self.health_journal, "journal"),
                lambda: read_latch(self.latch, "failover"),
                region=REGION,
                count=self.watch.count,
                now=lambda: self.now,
                stopwatch=lambda: self.seconds,
            ),
            self.watch,
        )

    def _sleep(self, seconds):
        self.pauses.append(seconds)
        self.seconds += seconds

    def __call__(self, method, path, body=None, *, caller=DESK, **more):
        request = {
            "path": path,
            "httpMethod": method,
            "headers": {"Content-Type": "application/json"},
            "requestContext": {"identity": {"userArn": caller}, "stage": "live"},
            "body": body if isinstance(body, str | None) else json.dumps(body),
            "isBase64Encoded": False,
            **more,
        }
        answer = self._api(request)
        assert answer["headers"]["content-type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    def post(self, body=None, **changes):
        return self("POST", "/orders", {**ORDER, **(body or {})}, **changes)


@pytest.fixture
def api():
    return Api()


# Orders.


def test_an_order_is_acknowledged_once_it_is_in_the_journal(api):
    status, said, headers = api.post()
    assert (status, said) == (202, {"orderId": ID, "status": "accepted"})
    assert headers["location"] == f"/orders/{ID}"
    item = {name: value["S"] for name, value in api.table.items[ID].items()}
    assert item == {
        "orderId": ID,
        "owner": OWNER,
        "clientOrderId": "c-1",
        "symbol": "AMZN",
        "side": "buy",
        "quantity": "10",
        "price": "181.5",
        "digest": item["digest"],
        "acceptedAt": "2026-11-20T12:00:00.000000Z",
        "acceptedIn": REGION,
        "pending": f"p{int(ID[2], 16) % 8}",
    }
    assert api.queue.bodies == [json.dumps({"orderId": ID})]


def test_the_same_again_is_the_same_order(api):
    first = api.post()
    api.now += timedelta(minutes=1)
    assert api.post({"price": "181.5"}) == first  # another spelling of one number
    assert api.table.items[ID]["acceptedAt"]["S"] == "2026-11-20T12:00:00.000000Z"
    assert len(api.queue.bodies) == 2  # the first hint may have been lost
    Journal(api.journal, "t").mark_applied(ID, Mark(1, "2026-11-20T12:00:01.000000Z"))
    assert api.post() == first
    assert len(api.queue.bodies) == 2
    assert api.watch.counted["OrdersRepeated"] == 2


def test_another_order_under_the_same_id_is_refused_and_the_first_stays(api):
    api.post()
    before = dict(api.table.items[ID])
    assert api.post({"quantity": "11"})[:2] == (409, {"error": "ClientOrderIdReused"})
    assert api.table.items[ID] == before
    assert api.post({"quantity": "11"}, caller=OTHER_DESK)[0] == 202  # another owner's id


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_without_answer_is_looked_for_and_done(api, when):
    api.journal.faults = [("put_item", when, timed_out())]
    assert api.post()[0] == 202
    assert len(api.table.items) == 1
    operations = [operation for operation, _ in api.journal.requests]
    assert operations == ["put_item", "get_item"] + ["put_item"] * (when == "before")


def test_a_conflict_with_the_other_region_is_tried_again(api):
    conflict = refused("PutItem", "ReplicatedWriteConflictException")
    api.journal.faults = [("put_item", "before", conflict)] * 2
    assert api.post()[0] == 202
    assert api.pauses == pytest.approx([0.0375, 0.075])  # doubling, with jitter


def test_a_journal_that_does_not_answer_is_503_within_a_bound(api):
    api.journal.faults = [("put_item", "before", timed_out())] * 20
    status, said, headers = api.post()
    assert (status, said, headers["retry-after"]) == (503, {"error": "JournalUnavailable"}, "2")
    assert api.table.items == {}
    assert api.queue.bodies == []
    assert sum(operation == "put_item" for operation, _ in api.journal.requests) == 6
    assert api.watch.counted["OrdersNotTaken"] == 1
    api.journal.faults = []
    assert api.post()[0] == 202  # the same again


def test_the_last_write_may_have_arrived(api):
    api.journal.faults = [
        *[("put_item", "before", timed_out())] * 5,
        ("put_item", "after", timed_out()),
    ]
    assert api.post()[0] == 202


def test_time_ends_the_attempts(api):
    api.journal.faults = [("put_item", "before", timed_out())] * 20
    slow = api.journal.put_item
    api.journal.put_item = lambda **request: (
        setattr(api, "seconds", api.seconds + 4),
        slow(**request),
    )
    assert api.post()[0] == 503
    assert sum(operation == "put_item" for operation, _ in api.journal.requests) == 2


def test_what_aws_refuses_is_a_defect_of_ours(api):
    api.journal.faults = [("put_item", "before", refused("PutItem", "AccessDeniedException"))]
    with pytest.raises(Exception, match="AccessDeniedException"):
        api.post()


def test_a_hint_that_is_not_sent_changes_nothing_for_the_caller(api):
    api.queue.failures = [timed_out()]
    assert api.post()[0] == 202
    assert api.watch.counted["HintsNotSent"] == 1


def test_an_order_is_shown_to_its_owner_alone(api):
    api.post()
    status, said, _ = api("GET", f"/orders/{ID}")
    assert (status, said) == (
        200,
        {
            "orderId": ID,
            **ORDER,
            "price": "181.5",
            "acceptedAt": "2026-11-20T12:00:00.000000Z",
            "status": "accepted",
        },
    )
    Journal(api.journal, "t").mark_applied(ID, Mark(1, "2026-11-20T12:00:01.000000Z"))
    _, said, _ = api("GET", f"/orders/{ID}")
    assert (said["status"], said["appliedAt"]) == ("applied", "2026-11-20T12:00:01.000000Z")
    nobodys = api("GET", "/orders/o-" + "0" * 32)
    assert api("GET", f"/orders/{ID}", caller=OTHER_DESK) == nobodys
    assert nobodys[:2] == (404, {"error": "OrderNotFound"})


@pytest.mark.parametrize(
    ("caller", "owner"),
    [
        (DESK, OWNER),
        ("arn:aws:iam::111122223333:user/team/bob", "111122223333:user/bob"),
        ("arn:aws-us-gov:sts::111122223333:assumed-role/desk/x1", OWNER),
    ],
)
def test_owners(api, caller, owner):
    assert api.post(caller=caller)[1]["orderId"] == order_id(owner, "c-1")


@pytest.mark.parametrize(
    "caller",
    [
        None,
        "",
        "arn:aws:iam::111122223333:root",
        DESK + "/x",
        "arn:aws:sts::1:assumed-role/a/bc",
        5,
    ],
)
def test_who_is_nobody_is_told_nothing(api, caller):
    for method, path in (("POST", "/orders"), ("GET", f"/orders/{ID}"), ("GET", "/sessions/a")):
        assert api(method, path, ORDER, caller=caller)[:2] == (401, {"error": "Unauthorized"})


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"clientOrderId": ""}, ["clientOrderId"]),
        ({"clientOrderId": "a" * 65}, ["clientOrderId"]),
        ({"clientOrderId": "a\0b"}, ["clientOrderId"]),
        ({"symbol": "amzn"}, ["symbol"]),
        ({"symbol": None}, ["symbol"]),
        ({"side": "BUY"}, ["side"]),
        ({"side": "buysell"}, ["side"]),
        ({"quantity": "0"}, ["quantity"]),
        ({"quantity": "0.0"}, ["quantity"]),
        ({"quantity": "-1"}, ["quantity"]),
        ({"quantity": "1e3"}, ["quantity"]),
        ({"quantity": "01"}, ["quantity"]),
        ({"quantity": "1" * 13}, ["quantity"]),
        ({"quantity": "٣"}, ["quantity"]),
        ({"price": "1.123456789"}, ["price"]),
        ({"price": "NaN"}, ["price"]),
        ({"quantity": 10}, ["quantity"]),
        ({"price": True}, ["price"]),
        ({"note": "x"}, ["body"]),
        ({"note": "x", "side": "hold", "price": ""}, ["body", "price", "side"]),
    ],
)
def test_what_is_no_order_is_refused_by_the_names_of_fields(api, change, fields):
    status, said, _ = api.post(change)
    assert (status, said["error"]) == (400, "InvalidOrder")
    assert [each["field"] for each in said["problems"]] == fields
    assert api.table.items == {}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "EmptyBody"),
        ("{", "NotJson"),
        ('{"price": 1.5}', "NumberRefused"),
        ('{"price": NaN}', "NumberRefused"),
        ('{"price": ' + "1" * 5000 + "}", "NumberRefused"),
        ('{"side": "buy", "side": "sell"}', "DuplicateName"),
        ("[" * 5000, "TooDeep"),
        ("[1]", "InvalidOrder"),
        ('"\ud800"', "NotUtf8"),
    ],
)
def test_what_is_no_json_object(api, body, error):
    status, said, _ = api("POST", "/orders", body)
    assert (status, said["error"]) == (400, error)


def test_sizes_types_and_encodings(api):
    assert api("POST", "/orders", "x" * 16385)[:2] == (413, {"error": "BodyTooLarge"})
    encoded = base64.b64encode(json.dumps(ORDER).encode()).decode()
    assert api("POST", "/orders", encoded, isBase64Encoded=True)[0] == 202
    assert api("POST", "/orders", "%", isBase64Encoded=True)[0] == 400
    assert api("POST", "/orders", ORDER, headers={"content-type": "text/plain"})[0] == 415
    assert api("POST", "/orders", ORDER, headers=None)[0] == 415
    twice = {"content-type": "application/json", "Content-Type": "application/json"}
    assert api("POST", "/orders", ORDER, headers=twice)[1] == {"error": "AmbiguousHeaders"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/orders", 405),
        ("DELETE", f"/orders/{ID}", 405),
        ("POST", "/health", 405),
        ("POST", "/sessions/" + "s" * 16, 405),
        ("GET", "/orders/o-1", 404),
        ("GET", "/orders/" + "../" + ID, 404),
        ("GET", "/", 404),
        ("GET", "/admin", 404),
        ("GET", "/sessions", 404),
        ("GET", ["/orders"], 404),
        ("GET", None, 404),
    ],
)
def test_other_ways(api, method, path, status):
    assert api(method, path)[0] == status


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=8,
    )
)
def test_whatever_is_sent_gets_an_answer(given_request):
    api = Api()
    for body in (given_request, {**ORDER, "symbol": given_request}):
        assert api("POST", "/orders", json.dumps(body))[0] in (202, 400)
    assert api._api(given_request)["statusCode"] == 404


def test_nothing_of_an_order_is_said(api):
    api.post({"symbol": "CANARY.X"})
    api.post({"symbol": "canary"})
    api.post({"symbol": "CANARY.Y"})
    assert "anary" not in json.dumps(api.watch.lines, default=str).lower()
    assert api.watch.lines[0][1]["order_id"] == ID


# Sessions.

PATH = "/sessions/" + "s" * 16


def test_a_session_is_written_read_and_guarded_by_its_version(api):
    assert api("GET", PATH)[:2] == (404, {"error": "SessionNotFound"})
    status, said, _ = api("PUT", PATH, {"version": 0, "data": {"view": "tape"}})
    expires = int((api.now + KEPT).timestamp())
    assert (status, said) == (200, {"version": 1, "expiresAt": expires})
    assert api("GET", PATH)[1] == {"version": 1, "data": {"view": "tape"}, "expiresAt": expires}
    assert api("PUT", PATH, {"version": 1, "data": {}})[1]["version"] == 2
    for seen in (0, 1, 3):
        conflict = api("PUT", PATH, {"version": seen, "data": {"lost": "update"}})
        assert conflict[:2] == (409, {"error": "VersionConflict", "version": 2})
    assert api("GET", PATH)[1]["data"] == {}
    item = api.kept.items[session_key(OWNER, "s" * 16)]
    assert item["expiresAt"] == {"N": str(expires)}


def test_an_expired_session_is_gone_before_dynamodb_deletes_it(api):
    api("PUT", PATH, {"version": 0, "data": {}})
    api.now += KEPT
    assert api("GET", PATH)[0] == 404
    assert api("PUT", PATH, {"version": 1, "data": {}})[1]["version"] == 0
    assert api("PUT", PATH, {"version": 0, "data": {}})[1]["version"] == 1


def test_owners_of_one_session_id_never_meet(api):
    api("PUT", PATH, {"version": 0, "data": {"mine": "yes"}})
    assert api("GET", PATH, caller=OTHER_DESK)[0] == 404
    assert api("PUT", PATH, {"version": 0, "data": {}}, caller=OTHER_DESK)[0] == 200
    assert api("GET", PATH)[1]["data"] == {"mine": "yes"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": 0},
        {"version": 0, "data": {}, "more": 1},
        {"version": -1, "data": {}},
        {"version": True, "data": {}},
        {"version": "0", "data": {}},
        {"version": 10**9, "data": {}},
        {"version": 0, "data": []},
        {"version": 0, "data": {"a": 1}},
        {"version": 0, "data": {"a b": "x"}},
        {"version": 0, "data": {"a": "x" * 1001}},
        {"version": 0, "data": {f"a{number}": "" for number in range(51)}},
    ],
)
def test_what_is_no_session_is_refused(api, body):
    assert api("PUT", PATH, body)[0] == 400
    assert api.kept.items == {}


def test_sessions_that_do_not_answer_are_503(api):
    api.sessions.faults = [("put_item", "before", timed_out()), ("get_item", "before", timed_out())]
    for method in ("PUT", "GET"):
        status, said, headers = api(method, PATH, {"version": 0, "data": {}})
        assert (status, said) == (503, {"error": "TemporarilyUnavailable"})
        assert headers["retry-after"]


# Health.


def test_shallow_health_asks_nobody(api):
    assert api("GET", "/health", caller=None)[:2] == (200, {"status": "up", "region": REGION})
    assert api.journal.requests == api.health_journal.requests == []


def test_deep_health_writes_to_the_journal_and_keeps_the_answer_for_two_seconds(api):
    healthy = (200, {"status": "healthy", "region": REGION})
    for _ in range(5):
        assert api("GET", "/health/deep", caller=None)[:2] == healthy
    assert len(api.health_journal.requests) == 1
    assert api.table.items == {
        f"canary#{REGION}": {
            "orderId": {"S": f"canary#{REGION}"},
            "at": {"S": "2026-11-20T12:00:00.000000Z"},
        }
    }
    api.health_journal.faults = [("put_item", "before", timed_out())]
    api.seconds = 1.9
    assert api("GET", "/health/deep", caller=None)[0] == 200
    api.seconds = 2.0
    assert api("GET", "/health/deep", caller=None)[:2] == (
        503,
        {"status": "unhealthy", "region": REGION, "failing": ["journal"]},
    )
    api.seconds = 4.0
    assert api("GET", "/health/deep", caller=None)[:2] == healthy


def test_the_flag_is_the_latch_as_it_is_now(api):
    assert api("GET", "/dr-flag", caller=None)[:2] == (200, {"flag": "clear"})
    api.failover.put({"id": {"S": "latch"}, "latched": {"BOOL": True}, "epoch": {"N": "2"}})
    api.seconds = 2.0
    assert api("GET", "/dr-flag", caller=None)[:2] == (200, {"flag": "latched"})
    assert api.latch.requests[0][1]["ConsistentRead"] is True
    api.latch.faults = [("get_item", "before", timed_out())]
    api.seconds = 4.0
    status, said, _ = api("GET", "/dr-flag", caller=None)
    assert status == 503
    assert "latched" not in json.dumps(said)
