"""Drift: what was changed past CloudFormation, by resource and property. Reads AWS; waits.

Detection is asked of each instance's own stack and not of the stack set: it names properties, it
does not make the stack set busy, and it costs no operation. A stack that was updated past its
stack set is no drift to CloudFormation, so templates are compared as well.
"""

from dataclasses import dataclass

from tap_templates.deploy.desired import Desired
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.following import Pace
from tap_templates.deploy.observed import ObservedInstance, observe
from tap_templates.deploy.ports import Detector, DriftDetection, ResourceDrift


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    stack: str
    region: str
    status: str  # IN_SYNC, DRIFTED, UNKNOWN; "ABSENT" if there is no stack
    template_differs: bool  # the stack was made from another template than its stack set has
    resources: tuple[ResourceDrift, ...]
    reason: str = ""

    @property
    def is_in_sync(self) -> bool:
        return self.status == "IN_SYNC" and not self.template_differs


def drift(desired: Desired, detector: Detector, pace: Pace) -> tuple[DriftRow, ...]:
    """Compare every deployed stack with what is really there.

    Raises DeployError if a detection is not over in time.
    """
    observed = observe(detector, desired)
    begun: list[tuple[str, ObservedInstance, bool, str]] = []
    for stack in desired.stacks:
        seen = observed.stack_sets.get(stack.name)
        for region in stack.regions:
            each = seen.instances.get(region) if seen else None
            if seen is None or each is None or not each.stack_status:
                continue
            differs = each.content_sha256 != seen.content_sha256
            begun.append((stack.name, each, differs, detector.detect_drift(region, each.stack_id)))
    rows = []
    for name, each, differs, detection_id in begun:
        found = _await(detector, pace, each.region, detection_id)
        drifted = found.drift not in {"IN_SYNC", "NOT_CHECKED"}
        rows.append(
            DriftRow(
                stack=name,
                region=each.region,
                status=found.drift if found.status == "DETECTION_COMPLETE" else "UNKNOWN",
                template_differs=differs,
                resources=detector.resource_drifts(each.region, each.stack_id) if drifted else (),
                reason=found.reason,
            )
        )
    present = {(row.stack, row.region) for row in rows}
    rows += [
        DriftRow(
            stack=stack.name, region=region, status="ABSENT", template_differs=False, resources=()
        )
        for stack in desired.stacks
        for region in stack.regions
        if (stack.name, region) not in present
    ]
    return tuple(rows)


def _await(detector: Detector, pace: Pace, region: str, detection_id: str) -> DriftDetection:
    deadline = pace.clock() + pace.operation_seconds
    while True:
        found = detector.drift_detection(region, detection_id)
        if found.status != "DETECTION_IN_PROGRESS":
            return found
        if pace.clock() >= deadline:
            raise DeployError(
                f"drift detection {detection_id} in {region}", "is not over in time", "ask again"
            )
        pace.sleep(pace.poll_seconds)
