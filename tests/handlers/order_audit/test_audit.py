"""Every event is kept once, as it came."""

import json

import pytest
from handlers.orders_in_memory import refused, timed_out

from order_audit.bucket import Audit
from order_audit.core import record_of
from orders.failures import AwsRefused, BadRequest, TemporaryFailure

EVENT = {
    "id": "0f0e0d0c-0b0a-0908-0706-050403020100",
    "time": "2026-11-20T21:00:03Z",
    "region": "us-east-1",
    "detail-type": "failover completed",
    "detail": {"epoch": 2},
}
KEY = "events/2026/11/20/us-east-2/0f0e0d0c-0b0a-0908-0706-050403020100.json"


class Bucket:
    def __init__(self):
        self.objects = {}
        self.failure = None

    def put_object(self, **request):
        if self.failure:
            raise self.failure
        assert (request["Bucket"], request["IfNoneMatch"]) == ("audit", "*")
        if request["Key"] in self.objects:
            raise refused("PutObject", "PreconditionFailed", 412)
        self.objects[request["Key"]] = request["Body"]
        return {}


def test_an_event_is_kept_once():
    bucket = Bucket()
    audit = Audit(bucket, "audit")
    assert [audit.ensure(record_of(EVENT, "us-east-2")) for _ in range(2)] == [True, False]
    assert {key: json.loads(body) for key, body in bucket.objects.items()} == {KEY: EVENT}


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (timed_out(), TemporaryFailure),
        (refused("PutObject", "ConditionalRequestConflict", 409), TemporaryFailure),
        (refused("PutObject", "AccessDenied", 403), AwsRefused),
    ],
)
def test_a_bucket_that_does_not_take_it_is_a_failure(error, failure):
    bucket = Bucket()
    bucket.failure = error
    with pytest.raises(failure):
        Audit(bucket, "audit").ensure(record_of(EVENT, "us-east-2"))


@pytest.mark.parametrize(
    "change", [{"id": None}, {"id": "../x"}, {"time": "now"}, {"time": None}, {"time": 5}]
)
def test_what_is_no_event_has_no_key(change):
    with pytest.raises(BadRequest):
        record_of(EVENT | change, "us-east-2")
