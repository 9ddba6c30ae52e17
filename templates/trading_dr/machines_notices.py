"""How a run of a machine ends: people are told, the other region hears of it, and it may fail."""

from collections.abc import Sequence
from datetime import timedelta

from tap_templates.blocks.state_calls import Payload, Publish
from tap_templates.blocks.state_errors import ALL, Catch, Retry
from tap_templates.blocks.state_events import PutEvent
from tap_templates.blocks.states import Choice, Fail, State, Task, When
from tap_templates.errors import ModelError
from templates.trading_dr.machines_parts import (
    AGAIN,
    CALL_TIMEOUT,
    IS_OURS,
    Surroundings,
    look_up,
)
from templates.trading_dr.shared import ALARMS, BUS, EVENT_SOURCE

BY_HAND = "docs/trading-dr/orchestrator.md"
DETAIL_TYPES = tuple(
    f"{machine} {end}" for machine in ("failback", "failover") for end in ("completed", "failed")
)
"""What machines put on the bus: how they ended."""

_NOTICE_AGAIN = Retry(
    errors=(ALL,),
    interval=timedelta(seconds=2),
    most_attempts=8,
    longest_delay=timedelta(seconds=60),
)


def notice(
    given: Surroundings,
    subject: str,
    says: Payload,
    *,
    then: str,
    catch: Sequence[Catch],
    recovers: str = "",
) -> Task:
    """Tell people what happened and what to do: names of errors alone, no data."""
    message = {
        "epoch.$": "$.claim.epoch",
        "region.$": "$.system.here",
        "run.$": "$.system.run",
        **says,
    }
    return Task(
        recovers=recovers,
        call=Publish(topic=ALARMS, message=message, subject=subject, key=given.topic_key),
        timeout=CALL_TIMEOUT,
        result={"message.$": "$.MessageId"},
        keep_at="$.told",
        retry=(_NOTICE_AGAIN,),
        catch=catch,
        then=then,
    )


def announcement(detail_type: str, *, then: str, catch: Sequence[Catch]) -> Task:
    """Put an event on the bus, which takes it to the other region, too."""
    if detail_type not in DETAIL_TYPES:
        raise ModelError(f"event {detail_type!r}", "is not forwarded", "add it to DETAIL_TYPES")
    return Task(
        call=PutEvent(
            bus=BUS,
            source=EVENT_SOURCE,
            detail_type=detail_type,
            detail={
                "epoch.$": "$.claim.epoch",
                "region.$": "$.system.here",
                "run.$": "$.system.run",
            },
        ),
        timeout=CALL_TIMEOUT,
        result={"failed.$": "$.FailedEntryCount"},
        keep_at="$.announced",
        retry=(AGAIN,),
        catch=catch,
        then=then,
    )


def endings(given: Surroundings, title: str, *, runbook: str, failed: str) -> dict[str, State]:
    """Make the states in which a run ends badly: told, announced, and visibly failed."""
    last = Catch(errors=(ALL,), then=failed, keep_at="$.untold")
    return {
        "Recheck": look_up("IsStillOurs", catch=(Catch(errors=(ALL,), then="NotifyFailed"),)),
        "IsStillOurs": Choice(
            recovers="another run may have taken over, which then does and tells the rest",
            when=(When(IS_OURS, "NotifyFailed"),),
            otherwise="Overtaken",
        ),
        "NotifyFailed": notice(
            given,
            f"trading-dr: {title} FAILED",
            {
                "what": f"{title} failed",
                "error.$": "$.error.Error",
                "todo": f"Mend the cause and start the machine again, under any name: it goes on "
                f"where it stopped. Read {runbook} first; {BY_HAND} if it cannot be mended.",
            },
            then="AnnounceFailed",
            catch=(Catch(errors=(ALL,), then="AnnounceFailed", keep_at="$.untold"),),
        ),
        "AnnounceFailed": announcement(f"{title} failed", then=failed, catch=(last,)),
        failed: Fail(
            error=failed,
            cause=f"The {title} did not come to its end; the role says how far it came. "
            f"See {runbook}",
        ),
    }
