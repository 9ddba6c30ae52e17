"""The table in memory decides as a table engine does; so do what is tested on it, and the fake.

The engine is moto, in this process and in one thread: its conditions are not atomic under several.
"""

import boto3
from handlers.market_pipeline import Pipeline
from handlers.market_samples import ENVIRONMENT, REGION, TABLE, create_table, trade
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from pytest import MonkeyPatch  # noqa: PT013 - outside of a fixture

from market_events.failures import Failure

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["store", "record", "compensate"]),
        st.sampled_from(["first", "second"]),
        st.sampled_from(["25", "26"]),  # two contents under one id
    ),
    max_size=8,
)


def run(pipeline, steps):
    """What every step came to, and what the table holds after it."""
    seen = []
    for operation, execution, quantity in steps:
        try:
            came_to = getattr(pipeline, operation)(trade(quantity=quantity), execution=execution)
        except Failure as failure:
            came_to = failure.name
        seen.append((operation, came_to, contents(pipeline.table)))
    return seen


def contents(table):
    items = (
        table.items.values() if hasattr(table, "items") else table.scan(TableName=TABLE)["Items"]
    )
    return [dict(sorted(item.items())) for item in items]


def test_the_same_steps_come_to_the_same():
    with MonkeyPatch.context() as patch, mock_aws():
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        engine = boto3.client("dynamodb", region_name=REGION)
        create_table(engine)

        @settings(max_examples=min(60, settings().max_examples))  # each takes long
        @given(steps=STEPS)
        def same(steps):
            for item in contents(engine):
                engine.delete_item(TableName=TABLE, Key={"PK": item["PK"], "SK": item["SK"]})
            on_engine, in_memory = Pipeline(engine), Pipeline()
            assert run(on_engine, steps) == run(in_memory, steps)
            assert on_engine.bucket.objects == in_memory.bucket.objects
            assert on_engine.topic.messages == in_memory.topic.messages

        same()
        engine.close()
