"""What a client does: it resolves and remembers, signs for who answers, and sends again."""

import io
import time
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tap_templates.drill.resolver import Address, Resolver, UnresolvedError, read
from tap_templates.drill.signing import Key, signed
from tap_templates.drill.trading_control import without_replay
from tap_templates.drill.traffic import ACCEPTED, Traffic

HOME, AWAY = "us-east-1", "us-east-2"
BODY = b'{"clientOrderId": "a"}'
KEY = Key("AKIAEXAMPLE", "secret")


def answer(region, ttl=2):
    return {
        "name": "api.x.",
        "values": [f"api.x.execute-api.{region}.amazonaws.com"],
        "ttl": ttl,
        "address": f"http://127.0.0.1:1/{region}/",
    }


class Route53:
    """Answers with a region, and counts."""

    def __init__(self):
        self.region, self.asked = HOME, 0

    def __call__(self, name):
        self.asked += 1
        return answer(self.region)


def test_an_answer_is_kept_for_its_ttl_and_no_longer():
    route53, now = Route53(), [100.0]
    resolve = Resolver("api.x", route53, clock=lambda: now[0])
    assert resolve() == Address(f"http://127.0.0.1:1/{HOME}", HOME, 2)
    route53.region = AWAY
    now[0] = 101.9
    assert resolve().region == HOME
    assert route53.asked == 1
    now[0] = 102.0
    assert resolve().region == AWAY
    assert route53.asked == 2


@pytest.mark.parametrize(
    "said",
    [
        {"values": [], "address": None},
        {"values": ["elsewhere.example.com"], "address": "http://127.0.0.1:1"},
        {"values": [f"a.execute-api.{HOME}.amazonaws.com"], "address": None},
        {"values": ["a", "b"], "address": "http://127.0.0.1:1"},
    ],
)
def test_a_name_that_leads_to_no_api_is_none(said):
    with pytest.raises(UnresolvedError):
        read({"name": "api.x.", **said})


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("http://127.0.0.1:8080/_aws/execute-api/abc/live/orders", BODY),
        ("https://api.example.com/orders", b""),
        ("https://api.example.com/a%20b/%C3%A4", BODY),
    ],
)
def test_a_signature_is_the_one_that_botocore_makes(url, body):
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    ours = signed("POST", url, body, region=AWAY, key=KEY, now=now)
    request = AWSRequest(
        method="POST",
        url=url,
        data=body,
        headers={"content-type": "application/json", "host": ours["host"]},
    )
    request.context["timestamp"] = ours["x-amz-date"]
    theirs = SigV4Auth(Credentials(KEY.id, KEY.secret), "execute-api", AWAY)
    request.headers["X-Amz-Date"] = ours["x-amz-date"]
    canonical = theirs.canonical_request(request)
    signature = theirs.signature(theirs.string_to_sign(request, canonical), request)
    assert ours["authorization"].endswith(f"Signature={signature}")
    assert f"/{AWAY}/execute-api/aws4_request" in ours["authorization"]


class Api:
    """Takes orders after some refusals; counts what it was sent."""

    def __init__(self, *statuses):
        self.statuses, self.bodies = list(statuses), []

    def __call__(self, to, body):
        self.bodies.append(body)
        return self.statuses.pop(0) if self.statuses else ACCEPTED


def run(api, region=HOME, *, until):
    traffic = Traffic(resolve=lambda: Resolver("api.x", lambda _: answer(region)), post=api)
    with traffic:
        traffic.start(1)
        deadline = time.monotonic() + 10
        while not until(traffic) and time.monotonic() < deadline:
            time.sleep(0.01)
    return traffic


def test_an_order_is_sent_until_it_is_acknowledged_and_is_the_same_one():
    api = Api(503, 0)
    traffic = run(api, until=lambda known: known.acknowledged())
    assert api.bodies[0] == api.bodies[1] == api.bodies[2]
    assert [each.status for each in traffic.heard[:3]] == [503, 0, ACCEPTED]
    first = traffic.orders()[0]
    assert first.region == HOME
    assert first.quantity > Decimal(0)
    assert len({each.client_order_id for each in traffic.orders()}) == len(traffic.orders())


def test_what_was_not_acknowledged_is_known_and_not_counted():
    traffic = run(Api(*[503] * 10_000), until=lambda known: known.heard)
    (order,) = traffic.orders()
    assert not order.is_acknowledged
    assert traffic.acknowledged() == {}


def test_the_first_answer_of_a_region_after_a_moment_is_found():
    traffic = run(Api(), AWAY, until=lambda known: len(known.heard) > 1)
    assert traffic.first(AWAY, after=0.0) == traffic.heard[0].at
    assert traffic.first(AWAY, after=traffic.heard[0].at + 0.001) == traffic.heard[1].at
    assert traffic.first(HOME, after=0.0) is None


def test_the_control_answers_for_the_replay_and_lets_all_else_through(tmp_path, monkeypatch):
    """The package is the real one but for one file more and another handler."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("real_one/__init__.py", "")
        archive.writestr("real_one/app.py", "def handler(event, context): return ('real', event)")
    changed = without_replay(package.getvalue(), "real_one/app.handler".replace("/", "."))
    zipfile.ZipFile(io.BytesIO(changed)).extractall(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import without_replay as control

    for operation in ("replay", "sweep", "reconcile"):
        said = control.handler({"operation": operation}, None)
        assert said["done"] is True
        assert said["restored"] == said["missing"] == 0
    for operation in ("prepare", "raise"):
        event = {"operation": operation, "epoch": 2}
        assert control.handler(event, None) == ("real", event)
