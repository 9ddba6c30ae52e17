"""Status: one row for each stack and region. Pure; made from what was observed."""

from dataclasses import dataclass

from tap_templates.deploy.desired import Desired
from tap_templates.deploy.observed import Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    stack: str
    region: str
    status: str  # of the instance; "ABSENT" if there is none
    detailed_status: str
    stack_status: str
    is_ours: bool  # deployed from the template this checkout has
    content_sha256: str  # of the deployed template, by its meaning; "" if there is none
    drift: str  # as it was when somebody last asked; `tap drift` asks
    release: str  # digest of the release the stack set carries, "" if it says none
    operation: str  # id of the last operation, "" if there was none
    operation_status: str
    running: str  # id of an operation that runs now
    reason: str = ""

    @property
    def is_good(self) -> bool:
        return self.status == "CURRENT" and self.is_ours and not self.running


def status(desired: Desired, observed: Observed) -> tuple[StatusRow, ...]:
    """Say how each instance stands that should exist, or does."""
    rows = []
    for stack in desired.stacks:
        seen = observed.stack_sets.get(stack.name)
        instances = seen.instances if seen else {}
        last = seen.last_operation if seen else None
        for region in desired.regions:
            if region not in stack.regions and region not in instances:
                continue
            each = instances.get(region)
            rows.append(
                StatusRow(
                    stack=stack.name,
                    region=region,
                    status=each.status if each else "ABSENT",
                    detailed_status=each.detailed_status if each else "",
                    stack_status=each.stack_status if each else "",
                    is_ours=each is not None and each.content_sha256 == stack.content_sha256,
                    content_sha256=each.content_sha256 if each else "",
                    drift=each.drift if each else "",
                    release=seen.record.release if seen and seen.record else "",
                    operation=last.operation_id if last else "",
                    operation_status=last.status if last else "",
                    running=seen.running.operation_id if seen and seen.running else "",
                    reason=each.reason if each else "",
                )
            )
    return tuple(rows)
