"""What must hold however executions of one event are interleaved, repeated, late, or cut short.

Two tests. In the first any call comes at any time, also long after its execution was compensated:
nothing but what the conditions of the table forbid is impossible. In the second executions keep to
the order of the state machine, with faults, and it is the ends that are judged.
"""

import json
from contextlib import suppress

from handlers.market_in_memory import Crash, Table, refused
from handlers.market_pipeline import Pipeline
from handlers.market_samples import ID, trade
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from market_events.failures import EventIdReused, Failure, TemporaryFailure
from market_events.schema import FIELDS, parse
from market_table.enrichments import ENRICHED
from market_table.events import event_of

# Two executions of one event, and a third of another content under the same id.
CONTENTS = {"a": trade(), "b": trade(), "c": trade(quantity="26")}
EXECUTIONS = st.sampled_from(sorted(CONTENTS))
OPERATIONS = st.sampled_from(["store", "record", "compensate"])
KEY = f"events/2026/11/20/{ID}.json"


class WatchedTable(Table):
    """A table that remembers each change: by whom, how, from what, to what."""

    def __init__(self):
        super().__init__()
        self.changes = []

    def put_item(self, **request):
        self._change(super().put_item, request, request["Item"]["execution"]["S"])
        return {}

    def update_item(self, **request):
        by = request["ExpressionAttributeValues"][":execution"]["S"]
        return self._change(super().update_item, request, by)

    def _change(self, operation, request, by):
        before = next(iter(self.items.values()), None)
        answer = operation(**request)
        [after] = self.items.values()
        self.changes.append((operation.__name__, by, before, after))
        return answer


def status(item):
    return item["status"]["S"] if item else None


class AnyCallAtAnyTime(RuleBasedStateMachine):
    """Calls of all functions for all executions, in every order, nested and cut short."""

    def __init__(self):
        super().__init__()
        self.pipeline = Pipeline(WatchedTable())
        self.table, self.bucket = self.pipeline.table, self.pipeline.bucket

    def call(self, operation, execution):
        before = next(iter(self.table.items.values()), None)
        detail = CONTENTS[execution]
        try:
            return getattr(self.pipeline, operation)(detail, execution=execution)
        except EventIdReused:
            assert before["digest"]["S"] != parse(detail).digest
            return None
        except Failure:
            return None

    @rule(operation=OPERATIONS, execution=EXECUTIONS)
    def complete(self, operation, execution):
        came_to = self.call(operation, execution)
        if operation == "compensate" or came_to is None:
            return
        [item] = self.table.items.values()
        assert event_of(item) == parse(CONTENTS[execution])
        if operation == "record":
            assert status(item) == "RECORDED"
            assert KEY in self.bucket.objects

    @rule(execution=EXECUTIONS, moment=st.sampled_from(["before", "after"]))
    def die_between_item_and_object(self, execution, moment):
        def die():
            raise Crash

        setattr(self.bucket, moment, die)
        with suppress(Crash):
            self.call("record", execution)
        setattr(self.bucket, moment, lambda: None)

    @rule(execution=EXECUTIONS, meanwhile=st.lists(st.tuples(OPERATIONS, EXECUTIONS), max_size=3))
    def others_come_between_item_and_object(self, execution, meanwhile):
        def others():
            self.bucket.before = lambda: None
            for operation, other in meanwhile:
                self.call(operation, other)

        self.bucket.before = others
        self.call("record", execution)
        self.bucket.before = lambda: None

    @rule(execution=EXECUTIONS)
    def the_topic_fails(self, execution):
        self.pipeline.topic.failures = [refused("Publish", "InternalError", 500)]
        self.call("compensate", execution)
        self.pipeline.topic.failures = []

    @invariant()
    def an_id_means_one_content_for_ever(self):
        digests = {after["digest"]["S"] for _, _, _, after in self.table.changes}
        assert len(digests) <= 1
        for item in self.table.items.values():
            if status(item) != "COMPENSATED":
                assert event_of(item).digest in digests
        for body in self.bucket.objects.values():
            assert parse(json.loads(body)["event"]).digest in digests

    @invariant()
    def what_one_execution_recorded_no_other_undoes(self):
        for how, by, before, after in self.table.changes:
            if status(before) == "RECORDED":
                assert (how, by, status(after)) == (
                    "update_item",
                    before["execution"]["S"],
                    "COMPENSATED",
                )

    @invariant()
    def while_its_mark_stands_a_compensated_execution_changes_nothing(self):
        for _, by, before, after in self.table.changes:
            if status(before) == "COMPENSATED" and before["execution"]["S"] == by:
                assert after == before

    @invariant()
    def only_what_is_stored_is_recorded(self):
        for how, _, before, after in self.table.changes:
            if status(after) == "RECORDED":
                assert (how, status(before)) == ("put_item", "STORED")

    @invariant()
    def an_item_has_what_its_status_says(self):
        for item in self.table.items.values():
            is_recorded = status(item) == "RECORDED"
            is_compensated = status(item) == "COMPENSATED"
            assert ({"TS_PK", "TS_SK"} <= item.keys()) == is_recorded
            assert ("TS_PK" in item or "TS_SK" in item) == is_recorded
            assert ("GSI1PK" in item and "GSI1SK" in item) == is_compensated
            assert ("reason" in item) == is_compensated
            has_content = item.keys() & (ENRICHED | FIELDS - {"eventId"})
            assert bool(has_content) == (not is_compensated)
            assert bool(has_content & ENRICHED) == is_recorded

    @invariant()
    def an_object_says_that_exactly_this_was_recorded(self):
        for key, body in self.bucket.objects.items():
            assert key == KEY
            said = json.loads(body)
            assert any(
                status(after) == "RECORDED"
                and after["recordedAt"]["S"] == said["recordedAt"]
                and after["execution"]["S"] == said["execution"]
                and event_of(after).canonical() == said["event"]
                for _, _, _, after in self.table.changes
            )


TestAnyCallAtAnyTime = AnyCallAtAnyTime.TestCase
# With fewer, a condition less is found by luck.
TestAnyCallAtAnyTime.settings = settings(
    max_examples=max(100, settings().max_examples), stateful_step_count=30
)


class FaultyTable(WatchedTable):
    """A table whose calls fail as told: before they take effect, or after."""

    def __init__(self, faults):
        super().__init__()
        self.faults = list(faults)

    def _change(self, operation, request, by):
        fault = self.faults.pop(0) if self.faults else None
        if fault == "before":
            raise refused("Put", "InternalServerError", 500)
        answer = super()._change(operation, request, by)
        if fault == "after":
            raise refused("Put", "InternalServerError", 500)
        return answer


def execution_of(pipeline, name, *, enriches):
    """One execution as the state machine runs it, a call a step; what is returned is its end."""
    call = {"detail": CONTENTS[name], "execution": name}
    for operation in ("store", "record"):
        for is_last in (False, False, True):
            yield
            try:
                getattr(pipeline, operation)(**call)
                break
            except TemporaryFailure:
                if not is_last:
                    continue
            except Failure:
                pass
            return (yield from compensated(pipeline, call))
        if operation == "store" and not enriches:
            return (yield from compensated(pipeline, call))
    return "recorded"


def bucket_fault(refusals):
    left = list(refusals)

    def fault():
        if left and left.pop(0):
            raise refused("PutObject", "SlowDown", 503)

    return fault


def compensated(pipeline, call):
    while True:  # operators redrive a compensation that failed for good
        yield
        try:
            pipeline.compensate(**call)
        except TemporaryFailure:
            continue
        return "compensated"


@given(
    schedule=st.lists(EXECUTIONS, max_size=20),
    faults=st.lists(st.sampled_from([None, None, "before", "after"]), max_size=12),
    refusals=st.lists(st.booleans(), max_size=12),
    unknown=st.sets(EXECUTIONS, max_size=2),
)
def test_executions_that_keep_to_the_state_machine_end_well(schedule, faults, refusals, unknown):
    pipeline = Pipeline(FaultyTable(faults))
    pipeline.bucket.before = bucket_fault(refusals)
    running = {
        name: execution_of(pipeline, name, enriches=name not in unknown) for name in CONTENTS
    }
    ends = {}
    for name in [*schedule, *(name for name in CONTENTS for _ in range(30))]:
        if name not in ends:
            try:
                next(running[name])
            except StopIteration as ended:
                ends[name] = ended.value
    [item] = pipeline.table.items.values()
    assert ends.keys() == CONTENTS.keys()
    assert status(item) in {"RECORDED", "COMPENSATED"}  # nothing is left half done
    owner = item["execution"]["S"]
    if status(item) == "RECORDED":
        assert KEY in pipeline.bucket.objects
    else:
        assert ends[owner] == "compensated"
    # Whoever failed has been told; nobody is told who did not.
    told = {json.loads(message)["execution"] for message in pipeline.topic.messages}
    assert told == {name for name, end in ends.items() if end == "compensated"}
    # Who recorded it as its own and ended well is never undone.
    recorded_by = {by for _, by, _, after in pipeline.table.changes if status(after) == "RECORDED"}
    if any(ends[name] == "recorded" for name in recorded_by):
        assert status(item) == "RECORDED"


def test_a_success_that_rests_on_anothers_record_is_taken_back_with_it_and_told():
    """The price of one shared item; nothing is lost in silence, and the event can come again."""
    pipeline = Pipeline()
    pipeline.store(execution="a")
    pipeline.bucket.before = bucket_fault([True] * 3)
    for _ in range(3):
        with suppress(TemporaryFailure):
            pipeline.record(execution="a")
    assert pipeline.record(execution="b") == "same"
    assert pipeline.compensate(execution="a") == "undone"
    assert json.loads(pipeline.topic.messages[0])["eventId"] == ID
    assert pipeline.store(execution="c") == "stored"
    assert pipeline.record(execution="c") == "recorded"
