"""The machine that gives the orders back to the home region; it runs where they are now.

Nothing is lost on the way: nobody applies orders any more when the writer moves, and RDS moves it
only once all of it is copied. If RDS refuses, this region takes the orders back under another
epoch, and the run ends visibly failed, with the system as it was.
"""

from datetime import timedelta

from tap_templates.blocks.state_choices import At, ChoiceRule, all_of, equals, negate
from tap_templates.blocks.state_errors import ALL, Catch
from tap_templates.blocks.state_flow import Definition
from tap_templates.blocks.states import Choice, Pass, State, Succeed, When
from templates.trading_dr import machines_parts as parts
from templates.trading_dr.machines_consumers import consumers
from templates.trading_dr.machines_notices import announcement, endings, notice
from templates.trading_dr.machines_parts import Surroundings
from templates.trading_dr.machines_writer import LOOKS, look_at_writer, move_writer

RUNBOOK = "docs/trading-dr/failback.md"
_LONGEST = timedelta(hours=3)
_PAUSE, _RETURNED, _BACK = "pause", "returned", "back"  # where a run goes on once it holds the role
_UNTIL_RETURNED = parts.until(
    "NotReturned", every=timedelta(seconds=10), attempts=40, at_most=timedelta(seconds=20)
)


def failback_definition(given: Surroundings) -> Definition:
    """Describe the machine that makes the home region the active one, run in the other."""
    return Definition(
        comment="Gives the orders back to the home region without losing one",
        start="Setup",
        longest=_LONGEST,
        states={
            "Setup": parts.setup(
                given, LOOKS, "pollsDisabled", "pollsEnabledAgain", then="Observe"
            ),
            **parts.observe("Decide"),
            **_deciding(),
            **parts.claim("Claim", "GoOn"),
            **_pausing(given),
            **_moving(given),
            **_returning(given),
            **_taking_back(given),
            **endings(given, "failback", runbook=RUNBOOK, failed="FailbackFailed"),
        },
    )


def _deciding() -> dict[str, State]:
    is_home, is_here = (
        equals("$.role.active", At(f"$.system.{place}", str)) for place in ("home", "here")
    )
    is_away = negate(equals("$.system.here", At("$.system.home", str)))
    is_settled = equals("$.role.settled", At("$.role.epoch", float))
    serves = equals("$.role.phase", parts.SERVING)
    returns = equals("$.role.phase", parts.FAILING_BACK)

    def when(first: ChoiceRule, *rules: ChoiceRule, then: str) -> When:
        return When(all_of(first, *rules), then)

    return {
        "Decide": Choice(
            when=(
                when(is_home, serves, is_settled, then="AlreadyHome"),
                when(is_away, is_home, serves, then="FinishReturn"),
                when(is_away, is_home, returns, then="ContinueReturn"),
                when(is_away, is_here, returns, then="ContinueBack"),
                when(is_away, is_here, serves, is_settled, then="CheckReady"),
            ),
            otherwise="NotNow",
        ),
        "AlreadyHome": Succeed(comment="The home region serves, and all of it is done"),
        "NotNow": parts.gives_up(
            "NotNow",
            "A failover is under way or was cut off, or this is the home region: nothing was "
            "changed. Let the failover machine come to its end first",
        ),
        "CheckReady": parts.recover("ready-to-return", "NextEpoch"),
        "NextEpoch": _next_epoch("$.system.home", _PAUSE),
        "FinishReturn": _same_epoch(_RETURNED),
        "ContinueReturn": _same_epoch(_PAUSE),
        "ContinueBack": _same_epoch(_BACK),
        "GoOn": Choice(
            when=(
                When(equals("$.claim.next", _RETURNED), "AwaitReturned"),
                When(equals("$.claim.next", _BACK), "RaiseFenceAgain"),
            ),
            otherwise="DisableConsumers",
        ),
        "Overtaken": Succeed(
            recovers="another run holds the role: it does and tells the rest, or did",
        ),
    }


def _next_epoch(active: str, following: str) -> Pass:
    return Pass(
        given={
            "active.$": active,
            "epoch.$": "States.MathAdd($.role.epoch, 1)",
            "next": following,
            "phase": parts.FAILING_BACK,
            "text.$": "States.Format('{}', States.MathAdd($.role.epoch, 1))",
        },
        keep_at="$.claim",
        then="Claim",
    )


def _same_epoch(following: str) -> Pass:
    return Pass(
        comment="A run before this one was cut off: its epoch goes on, under our name",
        given={
            "active.$": "$.role.active",
            "epoch.$": "$.role.epoch",
            "next": following,
            "phase.$": "$.role.phase",
            "text.$": "$.role.text",
        },
        keep_at="$.claim",
        then="Claim",
    )


def _pausing(given: Surroundings) -> dict[str, State]:
    """Stop applying here. The journal still takes orders, in both regions."""
    moved = "$.system.otherCluster"
    return {
        **consumers(given, enabled=False, then="LookFirst"),
        "LookFirst": look_at_writer(given, "IsMoved"),
        "IsMoved": Choice(
            when=(
                When(parts.is_writer(moved), "Return"),
                When(parts.is_moving(), "AwaitWriter"),
            ),
            otherwise="RaiseFence",
        ),
        # Waits for who holds the fence, so that nothing of an older epoch is written after it.
        "RaiseFence": parts.replay("raise", "Look", result={"raised": True}, keep_at="$.raised"),
    }


def _moving(given: Surroundings) -> dict[str, State]:
    states = move_writer(
        given,
        "switchoverGlobalCluster",
        order="Switchover",
        to="otherCluster",
        then="Return",
        stuck={"moving": "StillMoving", "still": "TakeBack"},
    )
    return states | {
        "StillMoving": parts.gives_up(
            "StillMoving", "RDS has been moving the writer for ten minutes; nobody applies orders"
        ),
    }


def _returning(given: Surroundings) -> dict[str, State]:
    return {
        "Return": parts.set_phase(parts.SERVING, "AwaitReturned"),
        # The prober of the home region switches its consumers on and says so in its report.
        "AwaitReturned": parts.recover("returned", "Unlatch", until=_UNTIL_RETURNED),
        "Unlatch": parts.set_latch(latched=False, then="Announce"),
        "Announce": announcement(
            "failback completed",
            then="Notify",
            catch=(Catch(errors=(ALL,), then="Notify", keep_at="$.untold"),),
        ),
        "Notify": notice(
            given,
            "trading-dr: failback done",
            {
                "what": "The home region is active again",
                "todo": f"Nothing, but look at the dashboard. Read {RUNBOOK}.",
            },
            recovers="the orders are home; not to be able to tell of it does not undo it",
            then="Settle",
            catch=(Catch(errors=(ALL,), then="Settle", keep_at="$.untold"),),
        ),
        "Settle": parts.settle("Returned"),
        "Returned": Succeed(),
    }


def _taking_back(given: Surroundings) -> dict[str, State]:
    """Serve here again, under an epoch of its own: in the database, none may be lowered."""
    return {
        "TakeBack": Pass(
            given={
                "active.$": "$.claim.active",
                "epoch.$": "$.claim.epoch",
                "phase.$": "$.claim.phase",
                "run.$": "$.system.run",
                "settled.$": "$.role.settled",
                "text.$": "$.claim.text",
            },
            keep_at="$.role",
            then="EpochAfter",
        ),
        "EpochAfter": _next_epoch("$.system.here", _BACK),
        "RaiseFenceAgain": parts.replay(
            "raise", "ServeAgain", result={"raised": True}, keep_at="$.raised"
        ),
        "ServeAgain": parts.set_phase(parts.SERVING, "EnableConsumersAgain"),
        **consumers(given, enabled=True, then="SettleAgain", suffix="Again"),
        "SettleAgain": parts.settle("NotifyTakenBack"),
        "NotifyTakenBack": notice(
            given,
            "trading-dr: failback REFUSED, orders stay where they are",
            {
                "what": "RDS refused the switchover; this region serves as before",
                "todo": f"See in RDS why, then start the machine again. Read {RUNBOOK}.",
            },
            then="AnnounceFailed",
            catch=(Catch(errors=(ALL,), then="AnnounceFailed", keep_at="$.untold"),),
        ),
    }
