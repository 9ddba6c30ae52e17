"""The producer against hand-written regions, and one real request of boto3 that is never sent."""

import json
from itertools import count

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from trading_processor.core import parse
from trading_producer.client import Producer, connect
from trading_producer.core import Circuit, Failed, Published, Route


class Region:
    """An event bus that keeps what it takes. `script` says what the next calls do.

    A set fails the entries with these positions; an exception fails the call; None takes all.
    After the script, `default` goes on.
    """

    def __init__(self, *script, default=None):
        self.script, self.default = list(script), default
        self.calls = []
        self.taken = []

    def put_events(self, **request):
        self.calls.append(request)
        step = self.script.pop(0) if self.script else self.default
        if isinstance(step, Exception):
            raise step
        failing = step or {}
        entries = []
        for position, entry in enumerate(request["Entries"]):
            if position in failing:
                entries.append({"ErrorCode": failing[position], "ErrorMessage": "…"})
            else:
                self.taken.append(json.loads(entry["Detail"])["eventId"])
                entries.append({"EventId": "x"})
        return {"FailedEntryCount": len(failing), "Entries": entries}


class World:
    """A producer with its two ways, its clock, and the pauses it made."""

    def __init__(self, endpoint, secondary, **options):
        self.endpoint, self.secondary = endpoint, secondary
        self.time, self.pauses, ids = 0.0, [], count()
        self.producer = Producer(
            endpoint,
            secondary,
            endpoint_id="abcde.veo",
            bus="trading-events-test",
            circuit=Circuit(threshold=3, cool_down=30),
            now=lambda: self.time,
            sleep=self.sleep,
            chance=lambda: 0.5,
            new_id=lambda: f"00000000-0000-4000-8000-{next(ids):012d}",
            **options,
        )

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.time += seconds

    def publish(self, number=1):
        return self.producer.publish(
            [self.producer.event("TradeExecuted", {"n": str(n)}) for n in range(number)]
        )


DOWN = ReadTimeoutError(endpoint_url="https://example.invalid")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "PutEvents")


def routes(results):
    return [each.route if isinstance(each, Published) else each.reason for each in results]


def test_a_healthy_endpoint_takes_all_and_the_secondary_is_not_called():
    world = World(Region(), Region())
    assert routes(world.publish(12)) == [Route.ENDPOINT] * 12
    assert [len(call["Entries"]) for call in world.endpoint.calls] == [10, 2]
    assert {call["EndpointId"] for call in world.endpoint.calls} == {"abcde.veo"}
    assert world.secondary.calls == []
    assert world.pauses == []


def test_after_three_failures_events_go_past_the_endpoint_under_the_same_ids():
    world = World(Region(default=DOWN), Region())
    results = world.publish(2)
    assert routes(results) == [Route.SECONDARY] * 2
    assert len(world.endpoint.calls) == 3
    asked = [
        [json.loads(e["Detail"])["eventId"] for e in c["Entries"]] for c in world.endpoint.calls
    ]
    assert asked == [world.secondary.taken] * 3
    assert [each.id for each in results] == world.secondary.taken
    assert world.secondary.calls[0].keys() == {"Entries"}
    assert world.pauses == [0.05, 0.1]


def test_while_the_circuit_is_open_the_endpoint_is_left_alone_and_then_probed():
    world = World(Region(DOWN, DOWN, DOWN), Region())
    world.publish()
    assert routes(world.publish()) == [Route.SECONDARY]
    assert len(world.endpoint.calls) == 3
    world.time += 30
    assert routes(world.publish()) == [Route.ENDPOINT]
    assert len(world.endpoint.calls) == 4


def test_a_failed_probe_costs_one_call_and_the_event_still_arrives():
    world = World(Region(default=DOWN), Region())
    world.publish()
    world.time += 30
    assert routes(world.publish()) == [Route.SECONDARY]
    assert len(world.endpoint.calls) == 4
    assert routes(world.publish()) == [Route.SECONDARY]
    assert len(world.endpoint.calls) == 4


def test_only_failed_entries_are_sent_again():
    world = World(Region({1: "InternalFailure", 3: "ThrottlingException"}), Region())
    results = world.publish(5)
    assert routes(results) == [Route.ENDPOINT] * 5
    assert [len(call["Entries"]) for call in world.endpoint.calls] == [5, 2]
    assert sorted(world.endpoint.taken) == [each.id for each in results]


def test_partial_failures_do_not_open_the_circuit():
    world = World(Region(default={1: "InternalFailure"}), Region())
    results = world.publish(2)
    assert world.secondary.calls == []
    # The second entry, alone in its call, is entry 0 and taken.
    assert routes(results) == [Route.ENDPOINT] * 2


def test_a_call_of_which_no_entry_is_taken_is_a_failure_of_the_way():
    world = World(Region(default={0: "InternalFailure"}), Region())
    assert routes(world.publish()) == [Route.SECONDARY]


@pytest.mark.parametrize("code", ["MalformedDetail", "InvalidArgument"])
def test_an_entry_that_is_wrong_in_itself_is_not_sent_again(code):
    world = World(Region({0: code}), Region())
    results = world.publish(2)
    assert routes(results) == [code, Route.ENDPOINT]
    assert len(world.endpoint.calls) == 1
    assert world.secondary.calls == []


def test_an_endpoint_that_refuses_our_credentials_is_passed_too():
    world = World(Region(default=DENIED), Region())
    assert routes(world.publish()) == [Route.SECONDARY]


def test_with_both_ways_down_each_event_is_reported_as_failed():
    world = World(Region(default=DOWN), Region(default=DENIED), attempts=6)
    results = world.publish(2)
    assert [type(each) for each in results] == [Failed, Failed]
    assert routes(results) == ["AccessDeniedException"] * 2
    assert (len(world.endpoint.calls), len(world.secondary.calls)) == (3, 3)
    assert len(world.pauses) == 4  # none between the ways, none after the last
    assert world.pauses == sorted(world.pauses)


def test_one_batch_failing_does_not_take_the_next_with_it():
    world = World(Region(default=DOWN), Region(*[DENIED] * 5), attempts=8)
    results = world.publish(11)
    assert [type(each) for each in results] == [Failed] * 10 + [Published]


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.just(DOWN),
            st.dictionaries(
                st.integers(0, 9), st.sampled_from(["InternalFailure", "MalformedDetail"])
            ),
        ),
        max_size=12,
    ),
    st.integers(0, 25),
)
def test_every_event_has_one_result_and_no_accepted_event_is_called_failed(script, number):
    world = World(Region(*script[::2]), Region(*script[1::2]))
    results = world.publish(number)
    assert len(results) == number
    assert len({each.id for each in results}) == number
    taken = set(world.endpoint.taken) | set(world.secondary.taken)
    assert {each.id for each in results if isinstance(each, Published)} == taken


def test_what_is_published_is_what_the_processor_reads(event):
    world = World(Region(), Region())
    envelope = event("trade-executed")
    world.producer.publish([world.producer.event("TradeExecuted", envelope["detail"])])
    [entry] = world.endpoint.calls[0]["Entries"]
    received = {
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
        "region": "us-east-1",
    }
    assert parse(received) == parse(envelope)


def test_the_request_goes_to_the_endpoint_signed_for_all_regions(aws):
    """Through boto3 and the CRT up to the wire, where it is answered without being sent."""
    pytest.importorskip("awscrt")
    sent = []

    def answer(request, **_):
        sent.append(request)
        body = json.dumps({"FailedEntryCount": 0, "Entries": [{"EventId": "x"}]}).encode()
        response = AWSResponse(request.url, 200, {}, None)
        response._content = body
        return response

    producer = connect(
        endpoint_id="abcde.veo", bus="bus", secondary_region="us-west-2", region="us-east-1"
    )
    for client in producer._clients.values():
        client.meta.events.register("before-send.events.PutEvents", answer)
    assert routes(producer.publish([producer.event("TradeExecuted", {})])) == [Route.ENDPOINT]
    [request] = sent
    assert request.url == "https://abcde.veo.endpoint.events.amazonaws.com/"
    assert b"AWS4-ECDSA-P256-SHA256" in request.headers["Authorization"]
    assert request.headers["X-Amz-Region-Set"] == b"*"
    for client in producer._clients.values():
        client.close()
