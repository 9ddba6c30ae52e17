"""What a task of a state machine calls to put an event on a bus; see `state_calls`.

Step Functions fails the task with `EventBridge.FailedEntry` if the bus did not take the event, and
adds the ARN of the run to its resources
(https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html).
"""

from dataclasses import dataclass

from awacs import events

from tap_templates.blocks.bus import Bus
from tap_templates.blocks.state_calls import Payload, Use
from tap_templates.blocks.text import sub


@dataclass(frozen=True, slots=True, kw_only=True)
class PutEvent:
    """Put one event on a bus of this region; its source and type are fixed, its detail is not."""

    bus: Bus
    source: str
    detail_type: str
    detail: Payload

    integration = "events:putEvents"

    def parameters(self) -> Payload:
        entry = {
            "Detail": self.detail,
            "DetailType": self.detail_type,
            "EventBusName": sub(self.bus.name),
            "Source": self.source,
        }
        return {"Entries": [entry]}

    def uses(self) -> tuple[Use, ...]:
        said = self.bus.only(source=self.source, detail_type=self.detail_type)
        return (Use((events.PutEvents,), self.bus.arn(), when=said),)
