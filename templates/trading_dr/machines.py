"""The machine that makes this region the active one, and the one that gives the orders back.

Both run in the region that survives and call nothing but its own endpoints. Each state looks
before it acts, or writes under a condition, so a run that was cut off anywhere is simply started
again, and one that finds nothing to do ends well without doing anything.

Failover takes hold of the role under the next epoch (from then on nobody applies orders under an
older one), sends clients here, promotes the database, raises the fence in it, notes until when the
marks of older epochs can be trusted, applies from the journal what is missing, and serves. It ends
when all acknowledged orders have been looked for in the database, or says that there were too many.

Failback is in `machines_failback`.
"""

from datetime import timedelta

from tap_templates.blocks.state_choices import (
    At,
    all_of,
    any_of,
    at_least,
    equals,
    negate,
    present,
)
from tap_templates.blocks.state_errors import ALL, Catch
from tap_templates.blocks.state_flow import Definition
from tap_templates.blocks.states import Choice, Pass, State, Succeed, When
from templates.trading_dr import machines_parts as parts
from templates.trading_dr.machines_consumers import consumers
from templates.trading_dr.machines_failback import failback_definition
from templates.trading_dr.machines_notices import announcement, endings, notice
from templates.trading_dr.machines_parts import Surroundings
from templates.trading_dr.machines_writer import LOOKS, move_writer

__all__ = ["Surroundings", "failback_definition", "failover_definition"]

RUNBOOK = "docs/trading-dr/failover.md"
_LONGEST = timedelta(hours=6)  # every loop gives up long before
# Of replaying, each for the better part of a minute: nobody serves meanwhile, but to give up would
# have nobody serve for longer. What was replayed by then stays so.
_MOST_ROUNDS = 200
_MOST_LOOKS_BACK = 5  # for all orders: each settles some that came in late
_UNTIL_WRITABLE = parts.until(
    "NotWritable", every=timedelta(seconds=3), attempts=30, at_most=timedelta(seconds=15)
)
_UNTIL_SERVING = parts.until(
    "NotServing", every=timedelta(seconds=3), attempts=20, at_most=timedelta(seconds=15)
)


def failover_definition(given: Surroundings) -> Definition:
    """Describe the machine that makes its own region the active one."""
    return Definition(
        comment="Makes this region the active one, and restores what its database has lost",
        start="Setup",
        longest=_LONGEST,
        states={
            "Setup": parts.setup(given, LOOKS, "rounds", "pollsEnabled", "looksBack", then="Reset"),
            "Reset": Pass(
                given={"applied": 0, "restored": 0}, keep_at="$.replayed", then="Observe"
            ),
            **parts.observe("Decide"),
            **_deciding(),
            **parts.claim("Fence", "IsHome"),
            **_latching(),
            **_promoting(given),
            **_restoring(),
            **consumers(given, enabled=True, then="Validate"),
            **_proving(given),
            **endings(given, "failover", runbook=RUNBOOK, failed="FailoverFailed"),
        },
    )


def _deciding() -> dict[str, State]:
    is_here = equals("$.role.active", At("$.system.here", str))
    is_settled = equals("$.role.settled", At("$.role.epoch", float))
    serves, fails_over = (
        equals("$.role.phase", phase) for phase in (parts.SERVING, parts.FAILING_OVER)
    )
    return {
        "Decide": Choice(
            when=(
                When(all_of(is_here, serves, is_settled), "AlreadyServing"),
                When(all_of(is_here, any_of(serves, fails_over)), "KeepEpoch"),
            ),
            otherwise="NextEpoch",
        ),
        "AlreadyServing": Succeed(comment="This region serves, and all of it is done"),
        "KeepEpoch": Pass(
            comment="A run before this one was cut off: its epoch goes on, under our name",
            given={
                "active.$": "$.system.here",
                "epoch.$": "$.role.epoch",
                "phase.$": "$.role.phase",
                "text.$": "$.role.text",
            },
            keep_at="$.claim",
            then="Fence",
        ),
        "NextEpoch": Pass(
            given={
                "active.$": "$.system.here",
                "epoch.$": "States.MathAdd($.role.epoch, 1)",
                "phase": parts.FAILING_OVER,
                "text.$": "States.Format('{}', States.MathAdd($.role.epoch, 1))",
            },
            keep_at="$.claim",
            then="Fence",
        ),
        "Overtaken": Succeed(
            recovers="another run holds the role: it does and tells the rest, or did",
        ),
    }


def _latching() -> dict[str, State]:
    return {
        "IsHome": Choice(
            when=(When(equals("$.system.here", At("$.system.home", str)), "Unlatch"),),
            otherwise="Latch",
        ),
        "Latch": parts.set_latch(latched=True, then="Look"),
        "Unlatch": parts.set_latch(latched=False, then="Look"),
    }


def _promoting(given: Surroundings) -> dict[str, State]:
    states = move_writer(
        given,
        "failoverGlobalCluster",
        order="Promote",
        to="cluster",
        then="Canary",
        stuck={"moving": "NotPromoted", "still": "NotPromoted"},
    )
    return states | {
        "NotPromoted": parts.gives_up(
            "NotPromoted", "This region's cluster is not the writer after ten minutes"
        ),
        "Canary": parts.recover("canary", "Prepare", until=_UNTIL_WRITABLE),
        "Prepare": parts.replay(
            "prepare", "RecordCuts", result={"cuts.$": "$.Payload.cuts"}, keep_at="$.prepared"
        ),
    }


def _restoring() -> dict[str, State]:
    return {
        # Whole, as the replayer made it of what was noted before: it alone knows of which epochs
        # the database has rows.
        "RecordCuts": parts.write_role(
            "SET #cuts = :cuts", "Replay", values={":cuts": {"M.$": "$.prepared.cuts"}}
        ),
        "Replay": parts.replay(
            "replay",
            "CountReplayed",
            result={
                "applied.$": "$.Payload.applied",
                "done.$": "$.Payload.done",
                "restored.$": "$.Payload.restored",
            },
            keep_at="$.round",
        ),
        "CountReplayed": Pass(
            given={
                "applied.$": "States.MathAdd($.replayed.applied, $.round.applied)",
                "restored.$": "States.MathAdd($.replayed.restored, $.round.restored)",
            },
            keep_at="$.replayed",
            then="CountRound",
        ),
        "CountRound": parts.count("rounds", "IsReplayed"),
        "IsReplayed": Choice(
            when=(
                When(equals("$.round.done", value=True), "Serve"),
                When(at_least("$.rounds.n", _MOST_ROUNDS), "NotReplayed"),
            ),
            otherwise="Replay",
        ),
        "NotReplayed": parts.gives_up(
            "NotReplayed", "Much is replayed and stays so, but the journal has still more"
        ),
        "Serve": parts.set_phase(parts.SERVING, "EnableConsumers"),
    }


def _proving(given: Surroundings) -> dict[str, State]:
    return {
        "Validate": parts.recover("validate", "Reconcile", until=_UNTIL_SERVING),
        "Reconcile": parts.replay(
            "reconcile",
            "CountLookBack",
            result={"acknowledged.$": "$.Payload.acknowledged", "found.$": "$.Payload"},
            keep_at="$.reconciled",
        ),
        "CountLookBack": parts.count("looksBack", "IsReconciled"),
        # Time may have been up before the last order was looked for: that proves nothing.
        "IsReconciled": Choice(
            when=(
                When(
                    all_of(
                        present("$.reconciled.found.complete"),
                        equals("$.reconciled.found.complete", value=False),
                        negate(at_least("$.looksBack.n", _MOST_LOOKS_BACK)),
                    ),
                    "Reconcile",
                ),
            ),
            otherwise="Announce",
        ),
        "Announce": announcement(
            "failover completed",
            then="Notify",
            catch=(Catch(errors=(ALL,), then="Notify", keep_at="$.untold"),),
        ),
        "Notify": notice(
            given,
            "trading-dr: failover done",
            {
                "what": "This region is active, and its database has every acknowledged order that "
                "was looked for; `complete` says whether that is all",
                "acknowledged.$": "$.reconciled.acknowledged",
                "applied.$": "$.replayed.applied",
                "restored.$": "$.replayed.restored",
                "found.$": "$.reconciled.found",
                "todo": f"Find out what became of the other region, then return. Read {RUNBOOK}.",
            },
            recovers="the failover is done; not to be able to tell of it does not undo it",
            then="Settle",
            catch=(Catch(errors=(ALL,), then="Settle", keep_at="$.untold"),),
        ),
        "Settle": parts.settle("FailedOver"),
        "FailedOver": Succeed(),
    }
