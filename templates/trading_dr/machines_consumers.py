"""The mapping that feeds the applier, switched on or off and then waited for."""

from datetime import timedelta

from tap_templates.blocks.state_calls import SdkCall
from tap_templates.blocks.state_choices import at_least, equals
from tap_templates.blocks.states import Choice, State, Task, Wait, When
from templates.trading_dr.machines_parts import AGAIN, TELL, Surroundings, count, gives_up

_TIMEOUT = timedelta(seconds=20)
_MOST_LOOKS = 60
_BETWEEN_LOOKS = timedelta(seconds=5)


def consumers(
    given: Surroundings, *, enabled: bool, then: str, suffix: str = ""
) -> dict[str, State]:
    """Switch the mapping and wait until it is so, under five minutes; the counter is `polls…`."""
    verb, wanted = ("Enable", "Enabled") if enabled else ("Disable", "Disabled")
    name, counter = f"{wanted}{suffix}", f"polls{wanted}{suffix}"
    return {
        f"{verb}Consumers{suffix}": Task(
            call=SdkCall(
                service="lambda",
                operation="updateEventSourceMapping",
                given={"Uuid": given.consumer, "Enabled": enabled},
                allowed={"lambda:UpdateEventSourceMapping": [given.consumer_arn]},
            ),
            timeout=_TIMEOUT,
            result={"state.$": "$.State"},
            keep_at="$.mapping",
            retry=(AGAIN,),
            catch=TELL,
            then=f"Look{name}",
        ),
        f"Look{name}": Task(
            call=SdkCall(
                service="lambda",
                operation="getEventSourceMapping",
                given={"Uuid": given.consumer},
                allowed={"lambda:GetEventSourceMapping": [given.consumer_arn]},
            ),
            timeout=_TIMEOUT,
            result={"state.$": "$.State"},
            keep_at="$.mapping",
            retry=(AGAIN,),
            catch=TELL,
            then=f"Are{name}",
        ),
        f"Are{name}": Choice(
            when=(
                When(equals("$.mapping.state", wanted), then),
                When(at_least(f"$.{counter}.n", _MOST_LOOKS), f"Not{name}"),
            ),
            otherwise=f"Await{name}",
        ),
        f"Await{name}": Wait(duration=_BETWEEN_LOOKS, then=f"Count{name}"),
        f"Count{name}": count(counter, f"Look{name}"),
        f"Not{name}": gives_up(
            f"ConsumersNot{wanted}", "The event source mapping did not change in five minutes"
        ),
    }
