"""AWS in memory: what `ports` asks for, over `behaviour`."""

import hashlib
import json
from datetime import UTC, datetime

from deploy_fakes.behaviour import Behaviour
from deploy_fakes.model import ACCOUNT, PRIMARY, SECONDARY, Instance, StackSet, refuse
from tap_templates.deploy.errors import (
    OperationInProgressError,
    StackSetExistsError,
)
from tap_templates.deploy.naming import artifact_bucket
from tap_templates.deploy.ports import (
    AlarmFacts,
    DriftDetection,
    Identity,
    InstanceFacts,
    OperationFacts,
    RegionResult,
    ResourceFacts,
    StackFacts,
    StackSetFacts,
)


class FakeCloud(Behaviour):
    def __init__(self, *, account=ACCOUNT, regions=(PRIMARY, SECONDARY), bootstrapped=True):
        self.account, self.regions = account, regions
        self.calls = []  # (name, region or "")
        self.busy_first = False  # which error AWS prefers is not documented
        self.roles = {"admin", "exec"} if bootstrapped else set()
        self.buckets = {
            (region, artifact_bucket(region, account)): {} for region in regions if bootstrapped
        }
        self.sets, self.stacks, self.kept = {}, {}, {}
        self.broken = {}  # (stack set, region) -> reason its stack cannot be changed
        self.ringing = {}  # region -> alarm names
        self.filled = {}  # physical bucket -> objects in it
        self.drifted = {}  # stack id -> resource drifts
        self.moment, self.number = datetime(2026, 1, 1, tzinfo=UTC), 0

    def _saw(self, name, region=""):
        self.calls.append((name, region))

    # -- asking

    def identity(self):
        self._saw("identity")
        return Identity(self.account, f"arn:aws:iam::{self.account}:user/fake")

    def role_exists(self, name):
        self._saw("role_exists")
        return name in self.roles

    def bucket_exists(self, region, bucket):
        self._saw("bucket_exists", region)
        return (region, bucket) in self.buckets

    def object_sha256(self, region, bucket, key):
        self._saw("object_sha256", region)
        data = self.buckets[region, bucket].get(key)
        return None if data is None else hashlib.sha256(data).hexdigest()

    def read_object(self, region, bucket, key):
        self._saw("read_object", region)
        return self.buckets[region, bucket][key]

    def stack_set(self, name):
        self._saw("stack_set")
        found = self.sets.get(name)
        if not found:
            return None
        return StackSetFacts(
            name=name,
            description=found.request.description,
            template=found.request.template,
            parameters=dict(found.parameters),
            capabilities=found.request.capabilities,
            tags=dict(found.request.tags),
            administration_role_arn=found.request.administration_role_arn,
            execution_role_name=found.request.execution_role_name,
        )

    def stack_set_names(self):
        self._saw("stack_set_names")
        return tuple(sorted(self.sets))

    def instances(self, name):
        self._saw("instances")
        return tuple(
            InstanceFacts(
                account=each.account,
                region=each.region,
                status=each.status,
                detailed_status=each.detailed,
                reason=each.reason,
                stack_id=each.stack_id,
                overrides=dict(each.overrides),
                last_operation=each.last_operation,
            )
            for each in (self.sets[name].instances.values() if name in self.sets else ())
        )

    def operations(self, name):
        self._saw("operations")
        return tuple(_facts(each) for each in reversed(self._set(name).operations))

    def operation(self, name, operation_id):
        self._saw("operation")
        found = next(
            (o for o in self._set(name).operations if o.operation_id == operation_id), None
        )
        if found is None:
            return None
        answer = _facts(found)
        self._advance(name, found)
        return answer

    def operation_results(self, name, operation_id):
        self._saw("operation_results")
        found = next(o for o in self._set(name).operations if o.operation_id == operation_id)
        return tuple(
            RegionResult(region=region, status=status, reason=reason)
            for region, (status, reason) in found.results.items()
        )

    def stack(self, region, stack_id):
        self._saw("stack", region)
        found = self.stacks.get(stack_id)
        if not found or found.region != region:
            return None
        return StackFacts(
            stack_id=stack_id, name=found.name, status=found.status, outputs=found.outputs()
        )

    def stack_names(self, region, prefix):
        self._saw("stack_names", region)
        return tuple(
            sorted(
                each.name
                for each in self.stacks.values()
                if each.region == region
                and each.name.startswith(prefix)
                and each.status != "DELETE_COMPLETE"
            )
        )

    def stack_template(self, region, stack_id):
        self._saw("stack_template", region)
        return json.dumps(json.loads(self.stacks[stack_id].template), indent=7)

    def stack_events(self, region, stack_id):
        self._saw("stack_events", region)
        return tuple(reversed(self.stacks[stack_id].events))

    def resources(self, region, stack_id):
        self._saw("resources", region)
        stack = self.stacks[stack_id]
        return tuple(
            ResourceFacts(
                logical_id=name, physical_id=stack.physical(name), resource_type=each["Type"]
            )
            for name, each in stack.resources().items()
        )

    def alarms(self, region, names):
        self._saw("alarms", region)
        ringing = self.ringing.get(region, ())
        return tuple(AlarmFacts(name=n, state="ALARM" if n in ringing else "OK") for n in names)

    def pending_deletion(self, region, key_arn):
        self._saw("pending_deletion", region)
        return self.kept[region, key_arn][1]

    def tagged(self, region, tags):
        self._saw("tagged", region)
        live = [
            f"arn:aws:fake:{region}:{self.account}:{stack.physical(name)}"
            for stack in self.stacks.values()
            if stack.region == region
            and stack.status not in {"DELETE_COMPLETE", "ROLLBACK_COMPLETE"}
            and tags.items() <= stack.tags.items()
            for name in stack.resources()
        ]
        kept = [
            arn
            for (where, arn), (theirs, _) in self.kept.items()
            if where == region and tags.items() <= theirs.items()
        ]
        return tuple(sorted(live + kept))

    def detect_drift(self, region, stack_id):
        self._saw("detect_drift", region)
        return stack_id

    def drift_detection(self, region, detection_id):
        self._saw("drift_detection", region)
        if self.number % 2:
            self.number += 1
            return DriftDetection(status="DETECTION_IN_PROGRESS", drift="NOT_CHECKED")
        self.number += 1
        drifted = detection_id in self.drifted
        return DriftDetection(
            status="DETECTION_COMPLETE", drift="DRIFTED" if drifted else "IN_SYNC"
        )

    def resource_drifts(self, region, stack_id):
        self._saw("resource_drifts", region)
        return self.drifted[stack_id]

    # -- doing

    def put_object(self, region, bucket, key, *, data):
        self._saw("put_object", region)
        self.buckets[region, bucket][key] = data

    def create_stack_set(self, request):
        self._saw("create_stack_set")
        if request.name in self.sets:
            raise StackSetExistsError("fake", "exists", "")
        self._demand_parameters(request, {})
        self.sets[request.name] = StackSet(request, self._values(request, {}))

    def update_stack_set(self, request, *, regions, operation_id):
        self._saw("update_stack_set")
        found = self._begin(request.name, operation_id)
        if not set(regions) <= set(found.instances):
            raise refuse("StackInstanceNotFoundException")
        self._demand_parameters(request, found.parameters)
        parameters = self._values(request, found.parameters)
        before = (found.request.template, found.parameters)
        found.request, found.parameters = request, parameters
        if before != (request.template, parameters):
            for each in found.instances.values():
                each.status = "OUTDATED"
                each.overrides = {k: v for k, v in each.overrides.items() if k in found.declared}
        # No regions means all of them.
        self._start(found, operation_id, "UPDATE", regions or tuple(found.instances))

    def create_instances(self, name, *, regions, overrides, operation_id):
        self._saw("create_instances")
        found = self._begin(name, operation_id)
        if set(regions) & set(found.instances):
            raise refuse("InvalidOperationException")
        if not set(overrides) <= set(found.declared):
            raise refuse("ValidationError")
        for region in regions:
            found.instances[region] = Instance(region, overrides=dict(overrides))
        self._start(found, operation_id, "CREATE", regions)

    def update_instances(self, name, *, regions, overrides, operation_id):
        self._saw("update_instances")
        found = self._begin(name, operation_id)
        if not set(regions) <= set(found.instances):
            raise refuse("StackInstanceNotFoundException")
        for each in found.instances.values():
            known = json.loads(self.stacks[each.stack_id].template).get("Parameters", {})
            if not set(overrides) <= set(known):
                raise refuse("ValidationError")  # a new parameter before all instances know it
        for region in regions:
            found.instances[region].overrides = dict(overrides)
            found.instances[region].status = "OUTDATED"
        self._start(found, operation_id, "UPDATE", regions)

    def delete_instances(self, name, *, regions, operation_id):
        self._saw("delete_instances")
        found = self._begin(name, operation_id)
        self._start(found, operation_id, "DELETE", [r for r in regions if r in found.instances])

    def delete_stack_set(self, name):
        self._saw("delete_stack_set")
        found = self._set(name)
        if found.instances:
            raise refuse("StackSetNotEmptyException")
        if any(each.status == "RUNNING" for each in found.operations):
            raise OperationInProgressError("fake", "busy", "")
        del self.sets[name]

    def empty_bucket(self, region, bucket):
        self._saw("empty_bucket", region)
        return self.filled.pop(bucket, 0)


def _facts(operation):
    return OperationFacts(
        operation_id=operation.operation_id,
        action=operation.action,
        status=operation.status,
        started=operation.started,
    )
