"""How the fake AWS behaves: the documented semantics of StackSets.

An operation goes on by one region each time somebody looks, so a test that stops looking leaves
it running, as a killed process does. What AWS refuses, the fake refuses.
"""

import json
from datetime import timedelta

from deploy_fakes.model import Operation, Stack, refuse
from tap_templates.deploy.errors import (
    OperationExistsError,
    OperationInProgressError,
    StackSetMissingError,
)
from tap_templates.deploy.ports import (
    Previous,
)


class Behaviour:
    def _set(self, name):
        if name not in self.sets:
            raise StackSetMissingError("fake", "no such stack set", "")
        return self.sets[name]

    def _begin(self, name, operation_id):
        found = self._set(name)
        if self.busy_first and any(each.status == "RUNNING" for each in found.operations):
            raise OperationInProgressError("fake", "busy", "")
        if any(each.operation_id == operation_id for each in found.operations):
            raise OperationExistsError("fake", "used", "")
        if any(each.status == "RUNNING" for each in found.operations):
            raise OperationInProgressError("fake", "busy", "")
        return found

    def _start(self, found, operation_id, action, regions):
        self.moment += timedelta(seconds=1)
        operation = Operation(operation_id, action, self.moment, list(regions))
        operation.results = dict.fromkeys(regions, ("PENDING", ""))
        if not regions:
            operation.status = "SUCCEEDED"
        found.operations.append(operation)

    def _demand_parameters(self, request, before):
        declared = json.loads(request.template).get("Parameters", {})
        for name, value in request.parameters.items():
            if name not in declared or (value is Previous.VALUE and name not in before):
                raise refuse("ValidationError")
        if {n for n, each in declared.items() if "Default" not in each} - {*request.parameters}:
            raise refuse("ValidationError")

    def _values(self, request, before):
        return {
            name: before[name] if value is Previous.VALUE else value
            for name, value in request.parameters.items()
        }

    def _advance(self, name, operation):
        if operation.status != "RUNNING":
            return
        found, region = self.sets[name], operation.todo.pop(0)
        instance = found.instances[region]
        instance.last_operation = operation.operation_id
        reason = self._act(name, found, instance, operation.action)
        if reason:
            operation.status = "FAILED"
            operation.results[region] = ("FAILED", reason)
            instance.status, instance.detailed, instance.reason = "OUTDATED", "FAILED", reason
            if operation.action == "DELETE":
                instance.status = "INOPERABLE"
            for later in operation.todo:
                operation.results[later] = ("CANCELLED", "an earlier region failed")
                found.instances[later].detailed = "CANCELLED"
            return
        operation.results[region] = ("SUCCEEDED", "")
        if operation.action == "DELETE":
            del found.instances[region]
        else:
            instance.status, instance.detailed, instance.reason = "CURRENT", "SUCCEEDED", ""
        if not operation.todo:
            operation.status = "SUCCEEDED"

    def _act(self, name, found, instance, action):
        stack = self.stacks.get(instance.stack_id)
        broken = self.broken.get((name, instance.region), "")
        if action == "DELETE":
            return self._delete(stack, broken) if stack else ""
        if stack is None:
            self.number += 1
            arn = f"arn:aws:cloudformation:{instance.region}:{self.account}:stack"
            stack = Stack(
                f"{arn}/StackSet-{name}-{self.number}/x", instance.region, dict(found.request.tags)
            )
            self.stacks[stack.stack_id] = stack
            instance.stack_id = stack.stack_id
        elif stack.status == "ROLLBACK_COMPLETE":
            return "stack is in ROLLBACK_COMPLETE state and can not be updated"
        verb = "UPDATE" if stack.status else "CREATE"
        stack.event(f"{verb}_IN_PROGRESS")
        if broken:
            kind = "AWS::Fake::Thing"
            stack.event(f"{verb}_FAILED", "Culprit", broken, kind)
            stack.event(f"{verb}_FAILED", "Bystander", "cancelled", kind)
            stack.status = "UPDATE_ROLLBACK_COMPLETE" if verb == "UPDATE" else "ROLLBACK_COMPLETE"
            stack.template = stack.template or found.request.template
            stack.event(stack.status)
            return "the operation's summary, which says little"
        stack.template = found.request.template
        stack.parameters = {**found.parameters, **instance.overrides}
        stack.status = f"{verb}_COMPLETE"
        stack.event(stack.status)
        return ""

    def _delete(self, stack, broken):
        if stack.status == "ROLLBACK_COMPLETE":
            stack.status = "DELETE_COMPLETE"
            return ""
        buckets = [stack.physical(n) for n, r in stack.resources().items() if "Bucket" in r["Type"]]
        stack.event("DELETE_IN_PROGRESS")
        if broken or any(self.filled.get(bucket) for bucket in buckets):
            reason = broken or "The bucket you tried to delete is not empty"
            stack.event("DELETE_FAILED", "Culprit", reason, "AWS::Fake::Thing")
            stack.status = "DELETE_FAILED"
            return reason
        for name, each in stack.resources().items():
            is_key = each["Type"] == "AWS::KMS::Key"
            if each.get("DeletionPolicy") == "Retain" or is_key:
                service = "kms" if is_key else "fake"
                arn = f"arn:aws:{service}:{stack.region}:{self.account}:{stack.physical(name)}"
                self.kept[stack.region, arn] = (stack.tags, is_key)
        stack.status = "DELETE_COMPLETE"
        return ""

    def end_state(self):
        """What counts when two histories are compared: no ids, no times."""
        return {
            "sets": {
                name: {
                    "template": each.request.template,
                    "parameters": each.parameters,
                    "release": each.request.description.split(" build ")[0],
                    "instances": {
                        region: (
                            i.status,
                            i.detailed,
                            i.overrides,
                            self.stacks[i.stack_id].template,
                            self.stacks[i.stack_id].parameters,
                        )
                        for region, i in sorted(each.instances.items())
                    },
                }
                for name, each in sorted(self.sets.items())
            },
            "objects": {place: sorted(each) for place, each in self.buckets.items()},
            "kept": sorted({(region, arn.split(":")[2]) for region, arn in self.kept}),
            "live": sorted(
                (s.region, s.name.rpartition("-")[0])
                for s in self.stacks.values()
                if s.status not in {"DELETE_COMPLETE", "ROLLBACK_COMPLETE"}
            ),
        }
