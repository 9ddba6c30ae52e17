"""The journal in memory decides as a table engine does, with its conditions, indexes and pages.

The engine is moto, in this process; its indexes are never behind.
"""

import itertools

import boto3
import pytest
from handlers.orders_in_memory import Client, Table
from handlers.orders_regions import ORDERS
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from order_api.answers import Refused
from order_api.doors import AskSession, PutSession
from order_api.sessions import Sessions
from orders.journal import Journal
from orders.order import SHARDS
from orders.trust import Mark

REGION = "us-east-1"
MOMENTS = [f"2026-11-20T12:00:0{second}.000000Z" for second in range(5)]
ORDER, MOMENT = st.sampled_from(ORDERS), st.sampled_from(MOMENTS)
EPOCH = st.integers(1, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), ORDER, MOMENT),
        st.tuples(st.just("mark"), ORDER, EPOCH, MOMENT),
        st.tuples(st.just("waiting"), MOMENT),
        st.tuples(st.just("applied"), EPOCH, MOMENT),
    ),
    max_size=12,
)
_tables = itertools.count(1)


@pytest.fixture
def engine(aws):
    with mock_aws():
        made = boto3.client("dynamodb", region_name=REGION)
        yield made
        made.close()


def create(engine, key, indexes=()):
    name = f"table-{next(_tables)}"
    names = {key, *(each for _, *keys in indexes for each in keys)}
    engine.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in names],
        **({"GlobalSecondaryIndexes": [_index(*each) for each in indexes]} if indexes else {}),
    )
    return name


def _index(name, partition, sort):
    keys = [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}


def run(journal, steps):
    seen = []
    for what, *given_values in steps:
        match what, given_values:
            case "add", [order, at]:
                seen.append(journal.add_order(order, at=at, region=REGION))
            case "mark", [order, epoch, at]:
                seen.append(journal.mark_applied(order.id, Mark(epoch, at)))
            case "waiting", [until]:
                read = (journal.pending_ids(shard, until=until) for shard in range(SHARDS))
                seen.append(sorted(itertools.chain.from_iterable(read)))
            case "applied", [epoch, since]:
                read = (journal.applied_ids(epoch, shard, since=since) for shard in range(SHARDS))
                seen.append(sorted(itertools.chain.from_iterable(read)))
    return seen + [journal.find_order(order.id) for order in ORDERS]


def test_the_same_steps_come_to_the_same(engine):
    indexes = [("Pending", "pending", "acceptedAt"), ("Applied", "appliedIn", "appliedAt")]

    @settings(max_examples=min(60, settings().max_examples))  # each takes long
    @given(steps=STEPS)
    def same(steps):
        name = create(engine, "orderId", indexes)
        in_memory = Client(Table("orderId"), REGION, page=2)
        assert run(Journal(engine, name), steps) == run(Journal(in_memory, name), steps)
        engine.delete_table(TableName=name)

    same()


def test_the_canary_is_in_no_index(engine):
    journal = Journal(engine, create(engine, "orderId", [("Pending", "pending", "acceptedAt")]))
    journal.touch(REGION, MOMENTS[0])
    journal.touch(REGION, MOMENTS[1])
    assert list(journal.pending_ids(0, until=MOMENTS[4])) == []


def test_sessions_on_an_engine(engine):
    sessions = Sessions(engine, create(engine, "sessionId"))
    ask = AskSession("111122223333:role/desk", "s" * 16)

    def put(version):
        wanted = PutSession(ask.owner, ask.session_id, version, {"at": str(version)})
        return sessions.write(wanted).body["version"]

    assert [put(0), put(1)] == [1, 2]
    for seen in (0, 1, 3):
        with pytest.raises(Refused) as caught:
            put(seen)
        assert caught.value.more == {"version": 2}
    assert sessions.show(ask).body["data"] == {"at": "1"}
