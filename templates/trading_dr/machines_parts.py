"""What the machines of failover and failback have in common: facts, retries, tasks, messages.

A run may be started again at any time, also beside another. Of the role's item it first takes
hold, under its own name and a condition; each later write demands that name and epoch. Whoever is
refused looks whose the item is: if it is another's, that run does the rest, and this one ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from troposphere import Ref

from tap_templates.blocks.state_calls import (
    Expression,
    GetItem,
    Invoke,
    Payload,
    UpdateItem,
)
from tap_templates.blocks.state_choices import At, ChoiceRule, all_of, any_of, equals, present
from tap_templates.blocks.state_errors import ALL, Catch, Retry
from tap_templates.blocks.states import Choice, Pass, State, Task, When
from tap_templates.blocks.text import Text
from templates.trading_dr.shared import FAILOVER, RECOVERY, REPLAYER

RECOVERY_TIMEOUT = timedelta(seconds=30)  # of the functions that the machines call
REPLAYER_TIMEOUT = timedelta(minutes=1)  # a schedule calls it too, and nobody waits for that
SERVING, FAILING_OVER, FAILING_BACK = "serving", "failing-over", "failing-back"

# A task outlasts its function, so that none of its code runs when the next state begins.
_MORE_THAN_FUNCTION = timedelta(seconds=10)
CALL_TIMEOUT = timedelta(seconds=15)  # of one call of AWS
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-ddb.html: names of errors of this
# integration begin with DynamoDB, those of the SDK with DynamoDb; no run hangs on which of them.
REFUSED = tuple(f"{each}.ConditionalCheckFailedException" for each in ("DynamoDB", "DynamoDb"))
# A condition that does not hold now does not hold in a second: it is read, not tried again.
_NOT_AGAIN = Retry(errors=REFUSED, interval=timedelta(seconds=1), most_attempts=0, jitter=False)
AGAIN = Retry(
    errors=(ALL,),
    interval=timedelta(seconds=1),
    most_attempts=6,
    longest_delay=timedelta(seconds=20),
)
# Functions that nobody calls for two weeks get their network back, which takes minutes
# (https://docs.aws.amazon.com/lambda/latest/dg/snapstart-troubleshooting.html): these are such.
_UNTIL_READY = Retry(
    errors=(
        "Lambda.ENINotReadyException",
        "Lambda.ResourceNotReadyException",
        "Lambda.SnapStartNotReadyException",
        "Lambda.SnapStartTimeoutException",
        "Lambda.TooManyRequestsException",
    ),
    interval=timedelta(seconds=3),
    most_attempts=15,
    longest_delay=timedelta(seconds=30),
)
_ROLE_KEY = {"id": {"S": "role"}}
_NAMES = {
    f"#{name}": name
    for name in ("active", "cuts", "epoch", "id", "phase", "run", "settled", "since")
}
_WRITTEN: Mapping[str, object] = {
    "active.$": "$.observed.Item.active.S",
    "epoch.$": "States.StringToJson($.observed.Item.epoch.N)",
    "phase.$": "$.observed.Item.phase.S",
    "run.$": "$.observed.Item.run.S",
    "text.$": "$.observed.Item.epoch.N",
}
_OWN: Mapping[str, object] = {
    ":epoch": {"N.$": "$.claim.text"},
    ":run": {"S.$": "$.system.run"},
}
_IS_OWN = "#epoch = :epoch AND #run = :run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What machines must be told of the region they run in, and of the pair.

    The ARNs of clusters are what the calls of RDS name their target by; `consumer` is the UUID of
    the mapping that feeds the applier, and `consumer_arn` the ARN of that mapping.
    """

    home: Text  # the name of the region that is active while nothing is wrong
    global_cluster: Text
    global_cluster_arn: Text
    cluster: Text  # the ARN of this region's cluster
    other_cluster: Text
    consumer: Text
    consumer_arn: Text
    topic_key: Text | None  # the ARN of the key that the alarms' topic is encrypted with


def setup(given: Surroundings, *counters: str, then: str) -> Pass:
    """Put what never changes in a run where all states find it, in place of the input."""
    return Pass(
        comment="The input is not looked at: a run does what the tables and the cluster ask for",
        given={
            "system": {
                "here": Ref("AWS::Region"),
                "home": given.home,
                "cluster": given.cluster,
                "otherCluster": given.other_cluster,
                "run.$": "$$.Execution.Name",
            },
            "claim": {"epoch": 0, "text": "0"},
            **{name: {"n": 0} for name in counters},
        },
        then=then,
    )


def observe(then: str) -> dict[str, State]:
    """Read the role, as it is written or as its absence means; `$.role` is what was seen."""
    return {
        "Observe": look_up("IsWritten", catch=TELL),
        "IsWritten": Choice(
            when=(
                When(present("$.observed.Item.settled"), "ReadRole"),
                When(present("$.observed.Item"), "ReadHandwritten"),
            ),
            otherwise="AssumeHome",
        ),
        "ReadRole": Pass(
            given={
                **_WRITTEN,
                "settled.$": "States.StringToJson($.observed.Item.settled.N)",
            },
            keep_at="$.role",
            then=then,
        ),
        "ReadHandwritten": Pass(
            comment="Written by a person, who need not know what is settled: only the first epoch",
            given={**_WRITTEN, "settled": 1},
            keep_at="$.role",
            then=then,
        ),
        "AssumeHome": Pass(
            comment="No item: the first epoch, in which the home region serves",
            given={
                "active.$": "$.system.home",
                "epoch": 1,
                "phase": SERVING,
                "run": "none",
                "settled": 1,
                "text": "1",
            },
            keep_at="$.role",
            then=then,
        ),
    }


def claim(name: str, then: str) -> dict[str, State]:
    """Write the role as `$.claim` says, if it is still as it was seen; go on if it is ours then.

    What is read back decides, so that a write whose answer was lost is not taken for another's.
    """
    task = Task(
        call=UpdateItem(
            table=FAILOVER,
            key=_ROLE_KEY,
            update=Expression(
                text="SET #epoch = :epoch, #active = :active, #phase = :phase, #run = :run, "
                "#since = :now, #cuts = if_not_exists(#cuts, :none), "
                "#settled = if_not_exists(#settled, :seen)",
                names=_NAMES,
                values={
                    **_OWN,
                    ":active": {"S.$": "$.claim.active"},
                    ":none": {"M": {}},
                    ":now": {"S.$": "$$.State.EnteredTime"},
                    ":phase": {"S.$": "$.claim.phase"},
                },
            ),
            condition=Expression(
                text="attribute_not_exists(#id) OR (#epoch = :seen AND #run = :seenRun)",
                values={":seen": {"N.$": "$.role.text"}, ":seenRun": {"S.$": "$.role.run"}},
            ),
        ),
        timeout=CALL_TIMEOUT,
        result={"written": True},
        keep_at="$.written",
        retry=(_NOT_AGAIN, AGAIN),
        catch=(Catch(errors=REFUSED, then=f"Read{name}"), *TELL),
        then=f"Read{name}",
    )
    return {
        name: task,
        f"Read{name}": look_up(f"Holds{name}", catch=TELL),
        f"Holds{name}": Choice(
            recovers="a write that was refused may be our own, whose answer was lost",
            when=(When(IS_OURS, then),),
            otherwise="Overtaken",
        ),
    }


# The name alone is not enough: one run may claim two epochs.
IS_OURS = all_of(
    present("$.observed.Item"),
    equals("$.observed.Item.run.S", At("$.system.run", str)),
    equals("$.observed.Item.epoch.N", At("$.claim.text", str)),
)
TELL = (Catch(errors=(ALL,), then="NotifyFailed"),)
# Said of an epoch or a condition, and then only true if the role is not ours any more.
SUPERSEDED = (Catch(errors=(*REFUSED, "StaleEpoch"), then="Recheck"), *TELL)


def look_up(then: str, *, catch: Sequence[Catch]) -> Task:
    """Read the item of the role, consistently with the writes of every region."""
    return Task(
        call=GetItem(table=FAILOVER, key=_ROLE_KEY),
        timeout=CALL_TIMEOUT,
        keep_at="$.observed",
        retry=(AGAIN,),
        catch=catch,
        then=then,
    )


def write_role(
    update: str,
    then: str | None,
    *,
    values: Payload | None = None,
    catch: Sequence[Catch] = SUPERSEDED,
) -> Task:
    """Change the role while it is ours. Doing it twice is as doing it once."""
    known = {name: _NAMES[name] for name in _NAMES if name in update or name in _IS_OWN}
    return Task(
        call=UpdateItem(
            table=FAILOVER,
            key=_ROLE_KEY,
            update=Expression(text=update, names=known, values=values or {}),
            condition=Expression(text=_IS_OWN, values=_OWN),
        ),
        timeout=CALL_TIMEOUT,
        result={"written": True},
        keep_at="$.written",
        retry=(_NOT_AGAIN, AGAIN),
        catch=catch,
        then=then,
    )


def set_phase(phase: str, then: str) -> Task:
    return write_role("SET #phase = :phase", then, values={":phase": {"S": phase}})


def settle(then: str) -> Task:
    """Note that nothing is left to do in this epoch: a later run then does nothing."""
    return write_role("SET #settled = :epoch", then)


def set_latch(*, latched: bool, then: str) -> Task:
    """Set what keeps DNS away from home, unless a later epoch has."""
    return Task(
        call=UpdateItem(
            table=FAILOVER,
            key={"id": {"S": "latch"}},
            update=Expression(
                text="SET #latched = :latched, #epoch = :epoch",
                names={"#epoch": "epoch", "#latched": "latched"},
                values={":epoch": _OWN[":epoch"], ":latched": {"BOOL": latched}},
            ),
            condition=Expression(text="attribute_not_exists(#epoch) OR #epoch <= :epoch"),
        ),
        timeout=CALL_TIMEOUT,
        result={"written": True},
        keep_at="$.written",
        retry=(_NOT_AGAIN, AGAIN),
        catch=SUPERSEDED,
        then=then,
    )


def recover(operation: str, then: str, *, until: Retry | None = None) -> Task:
    """Ask the region whether something is so; a `no` is tried again as `until` says."""
    return Task(
        call=Invoke(function=RECOVERY, payload={"operation": operation}),
        timeout=RECOVERY_TIMEOUT + _MORE_THAN_FUNCTION,
        result={"found.$": "$.Payload"},
        keep_at="$.answer",
        retry=(*((until,) if until else ()), _UNTIL_READY, AGAIN),
        catch=TELL,
        then=then,
    )


def until(error: str, *, every: timedelta, attempts: int, at_most: timedelta) -> Retry:
    """Ask again, that often, while the answer is `error`."""
    return Retry(
        errors=(error,), interval=every, most_attempts=attempts, backoff=1.5, longest_delay=at_most
    )


def replay(operation: str, then: str, *, result: Payload, keep_at: str) -> Task:
    """Have the replayer do something in the epoch that is ours."""
    payload: dict[str, object] = {"operation": operation, "epoch.$": "$.claim.epoch"}
    if operation == "reconcile":
        payload["run.$"] = "$.system.run"
    settled = Retry(
        errors=("StaleEpoch", "Unreconciled"),
        interval=timedelta(seconds=1),
        most_attempts=0,
        jitter=False,
    )
    slow = until(
        "NotWritable", every=timedelta(seconds=3), attempts=20, at_most=timedelta(seconds=20)
    )
    return Task(
        call=Invoke(function=REPLAYER, payload=payload),
        timeout=REPLAYER_TIMEOUT + _MORE_THAN_FUNCTION,
        result=result,
        keep_at=keep_at,
        retry=(settled, slow, _UNTIL_READY, AGAIN),
        catch=SUPERSEDED,
        then=then,
    )


def count(counter: str, then: str, *, by: int = 1, comment: str = "") -> Pass:
    return Pass(
        comment=comment,
        given={"n.$": f"States.MathAdd($.{counter}.n, {by})"},
        keep_at=f"$.{counter}",
        then=then,
    )


def gives_up(error: str, cause: str, then: str = "NotifyFailed") -> Pass:
    """Say what was not caught as if it had been."""
    return Pass(given={"Error": error, "Cause": cause}, keep_at="$.error", then=then)


def is_writer(path: str) -> ChoiceRule:
    """Test whether the global database is written to in the cluster whose ARN is at `path`."""

    def at(index: int) -> ChoiceRule:
        member = f"$.database.global.GlobalClusterMembers[{index}]"
        return all_of(
            present(f"{member}.DbClusterArn"),
            equals(f"{member}.DbClusterArn", At(path, str)),
            equals(f"{member}.IsWriter", value=True),
        )

    return any_of(at(0), at(1))


def is_moving() -> ChoiceRule:
    """Test whether the writer is on its way already, by whoever's order."""
    status = "$.database.global.Status"
    return any_of(
        equals(status, "failing-over"),
        equals(status, "switching-over"),
        present("$.database.global.FailoverState.Status"),
    )
