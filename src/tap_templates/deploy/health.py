"""The gate between the regions of an update: is the region that was updated first healthy?"""

from dataclasses import dataclass
from typing import Protocol

from tap_templates.deploy.ports import Reader

_ALARMS = frozenset({"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"})


class Health(Protocol):
    def unhealthy(self, region: str, stack_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Say why the stacks in a region are not healthy; nothing if they are."""
        ...


@dataclass(frozen=True, slots=True)
class AlarmsQuiet:
    """Healthy means that no alarm which the stacks made rings.

    INSUFFICIENT_DATA does not ring: an alarm that was just made has none yet.
    """

    reader: Reader

    def unhealthy(self, region: str, stack_ids: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(
            resource.physical_id
            for stack_id in stack_ids
            for resource in self.reader.resources(region, stack_id)
            if resource.resource_type in _ALARMS
        )
        alarms = self.reader.alarms(region, names) if names else ()
        return tuple(
            f"alarm {each.name} rings: {each.reason}" for each in alarms if each.state == "ALARM"
        )
