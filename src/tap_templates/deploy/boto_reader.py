"""AWS as it answers: `ports.Detector` over the wire. Asks, and changes nothing."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.deploy.cloud import Wire
from tap_templates.deploy.errors import StackSetMissingError
from tap_templates.deploy.ports import (
    AlarmFacts,
    DriftDetection,
    EventFacts,
    Identity,
    InstanceFacts,
    OperationFacts,
    PropertyDifference,
    RegionResult,
    ResourceDrift,
    ResourceFacts,
    StackFacts,
    StackSetFacts,
)

_MOST_OPERATIONS = 20  # the newest; what runs is among them
_MOST_ALARMS = 100  # in one call
_NO_OPERATION = frozenset({"OperationNotFoundException"})
_NO_STACK = frozenset({"ValidationError"})  # what DescribeStacks answers for an unknown id


@dataclass(slots=True, kw_only=True)
class BotoReader:
    """Stack sets are asked for in `home`, and buckets only if they are of `account`."""

    wire: Wire
    account: str
    home: str

    def identity(self) -> Identity:
        found = self.wire.call(self.home, "sts", "get_caller_identity")
        return Identity(account=found["Account"], arn=found["Arn"])

    def role_exists(self, name: str) -> bool:
        return self.wire.find(self.home, "iam", "get_role", {"RoleName": name}) is not None

    def bucket_exists(self, region: str, bucket: str) -> bool:
        request = {"Bucket": bucket, "ExpectedBucketOwner": self.account}
        return self.wire.find(region, "s3", "head_bucket", request) is not None

    def object_sha256(self, region: str, bucket: str, key: str) -> str | None:
        """Read the digest S3 keeps; where it keeps none, read the object and take it."""
        request = {**self._place(bucket, key), "ChecksumMode": "ENABLED"}
        found = self.wire.find(region, "s3", "head_object", request)
        if found is None:
            return None
        kept = found.get("ChecksumSHA256", "")
        if kept and "-" not in kept:  # a dash: a digest of the digests of parts
            return base64.b64decode(kept).hex()
        return hashlib.sha256(self.read_object(region, bucket, key)).hexdigest()

    def read_object(self, region: str, bucket: str, key: str) -> bytes:
        return self.wire.read(region, self._place(bucket, key))

    def stack_set(self, name: str) -> StackSetFacts | None:
        try:
            found = self._sets("describe_stack_set", StackSetName=name)["StackSet"]
        except StackSetMissingError:
            return None
        if found.get("Status") == "DELETED":
            return None
        return StackSetFacts(
            name=found["StackSetName"],
            description=found.get("Description") or "",
            template=found.get("TemplateBody", ""),
            parameters=_parameters(found.get("Parameters", [])),
            capabilities=tuple(found.get("Capabilities", [])),
            tags={each["Key"]: each["Value"] for each in found.get("Tags", [])},
            administration_role_arn=found.get("AdministrationRoleARN", ""),
            execution_role_name=found.get("ExecutionRoleName", ""),
        )

    def stack_set_names(self) -> tuple[str, ...]:
        found = self.wire.pages(
            self.home, "cloudformation", "list_stack_sets", "Summaries", Status="ACTIVE"
        )
        return tuple(sorted(each["StackSetName"] for each in found))

    def instances(self, name: str) -> tuple[InstanceFacts, ...]:
        try:
            found = self.wire.pages(
                self.home, "cloudformation", "list_stack_instances", "Summaries", StackSetName=name
            )
        except StackSetMissingError:
            return ()
        return tuple(self._instance(name, each) for each in found)

    def operations(self, name: str) -> tuple[OperationFacts, ...]:
        found = self._sets(
            "list_stack_set_operations", StackSetName=name, MaxResults=_MOST_OPERATIONS
        )
        return tuple(_operation(each) for each in found["Summaries"])

    def operation(self, name: str, operation_id: str) -> OperationFacts | None:
        found = self.wire.find(
            self.home,
            "cloudformation",
            "describe_stack_set_operation",
            {"StackSetName": name, "OperationId": operation_id},
            missing=_NO_OPERATION,
        )
        return _operation(found["StackSetOperation"]) if found else None

    def operation_results(self, name: str, operation_id: str) -> tuple[RegionResult, ...]:
        found = self.wire.pages(
            self.home,
            "cloudformation",
            "list_stack_set_operation_results",
            "Summaries",
            StackSetName=name,
            OperationId=operation_id,
        )
        return tuple(
            RegionResult(
                region=each["Region"], status=each["Status"], reason=each.get("StatusReason") or ""
            )
            for each in found
        )

    def stack(self, region: str, stack_id: str) -> StackFacts | None:
        found = self.wire.find(
            region,
            "cloudformation",
            "describe_stacks",
            {"StackName": stack_id},
            missing=_NO_STACK,
        )
        if found is None or not found["Stacks"]:
            return None
        (each,) = found["Stacks"]
        return StackFacts(
            stack_id=each["StackId"],
            name=each["StackName"],
            status=each["StackStatus"],
            reason=each.get("StackStatusReason") or "",
            drift=each.get("DriftInformation", {}).get("StackDriftStatus", "NOT_CHECKED"),
            outputs={out["OutputKey"]: out["OutputValue"] for out in each.get("Outputs", [])},
        )

    def stack_names(self, region: str, prefix: str) -> tuple[str, ...]:
        found = self.wire.pages(region, "cloudformation", "list_stacks", "StackSummaries")
        names = {
            each["StackName"]
            for each in found
            if each["StackStatus"] != "DELETE_COMPLETE" and each["StackName"].startswith(prefix)
        }
        return tuple(sorted(names))

    def stack_template(self, region: str, stack_id: str) -> str:
        found = self.wire.call(
            region, "cloudformation", "get_template", StackName=stack_id, TemplateStage="Original"
        )["TemplateBody"]
        # botocore parses JSON bodies; what we compare is the meaning, so spelling it again is fine
        return found if isinstance(found, str) else json.dumps(found)

    def stack_events(self, region: str, stack_id: str) -> tuple[EventFacts, ...]:
        found = self.wire.pages(
            region, "cloudformation", "describe_stack_events", "StackEvents", StackName=stack_id
        )
        return tuple(
            EventFacts(
                logical_id=each.get("LogicalResourceId", ""),
                physical_id=each.get("PhysicalResourceId", ""),
                resource_type=each.get("ResourceType", ""),
                status=each.get("ResourceStatus", ""),
                reason=each.get("ResourceStatusReason") or "",
            )
            for each in found
        )

    def resources(self, region: str, stack_id: str) -> tuple[ResourceFacts, ...]:
        found = self.wire.pages(
            region,
            "cloudformation",
            "list_stack_resources",
            "StackResourceSummaries",
            StackName=stack_id,
        )
        return tuple(
            ResourceFacts(
                logical_id=each["LogicalResourceId"],
                physical_id=each.get("PhysicalResourceId", ""),
                resource_type=each["ResourceType"],
                status=each["ResourceStatus"],
            )
            for each in found
            if each["ResourceStatus"] != "DELETE_COMPLETE"
        )

    def alarms(self, region: str, names: tuple[str, ...]) -> tuple[AlarmFacts, ...]:
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(names), _MOST_ALARMS):
            page = self.wire.call(
                region,
                "cloudwatch",
                "describe_alarms",
                AlarmNames=list(names[start : start + _MOST_ALARMS]),
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            )
            found += [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
        return tuple(
            AlarmFacts(
                name=each["AlarmName"],
                state=each["StateValue"],
                reason=each.get("StateReason") or "",
            )
            for each in found
        )

    def pending_deletion(self, region: str, key_arn: str) -> bool:
        found = self.wire.call(region, "kms", "describe_key", KeyId=key_arn)["KeyMetadata"]
        return bool(found["KeyState"] == "PendingDeletion")

    def tagged(self, region: str, tags: Mapping[str, str]) -> tuple[str, ...]:
        filters = [{"Key": key, "Values": [value]} for key, value in sorted(tags.items())]
        found = self.wire.pages(
            region,
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            TagFilters=filters,
        )
        return tuple(sorted(each["ResourceARN"] for each in found))

    def detect_drift(self, region: str, stack_id: str) -> str:
        found = self.wire.call(region, "cloudformation", "detect_stack_drift", StackName=stack_id)
        return str(found["StackDriftDetectionId"])

    def drift_detection(self, region: str, detection_id: str) -> DriftDetection:
        found = self.wire.call(
            region,
            "cloudformation",
            "describe_stack_drift_detection_status",
            StackDriftDetectionId=detection_id,
        )
        return DriftDetection(
            status=found["DetectionStatus"],
            drift=found.get("StackDriftStatus", "UNKNOWN"),
            reason=found.get("DetectionStatusReason") or "",
        )

    def resource_drifts(self, region: str, stack_id: str) -> tuple[ResourceDrift, ...]:
        found: list[Mapping[str, Any]] = []
        request = {
            "StackName": stack_id,
            "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"],
        }
        token: Mapping[str, str] = {}
        while True:
            page = self.wire.call(
                region, "cloudformation", "describe_stack_resource_drifts", **request, **token
            )
            found += page["StackResourceDrifts"]
            if not page.get("NextToken"):
                return tuple(_resource_drift(each) for each in found)
            token = {"NextToken": page["NextToken"]}

    def _sets(self, operation: str, **request: Any) -> Any:
        return self.wire.call(self.home, "cloudformation", operation, **request)

    def _instance(self, name: str, each: Mapping[str, Any]) -> InstanceFacts:
        found = self._sets(
            "describe_stack_instance",
            StackSetName=name,
            StackInstanceAccount=each["Account"],
            StackInstanceRegion=each["Region"],
        )["StackInstance"]
        return InstanceFacts(
            account=found["Account"],
            region=found["Region"],
            status=found["Status"],
            detailed_status=found.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
            reason=found.get("StatusReason") or "",
            stack_id=found.get("StackId") or "",
            overrides=_parameters(found.get("ParameterOverrides", [])),
            last_operation=found.get("LastOperationId") or "",
        )

    def _place(self, bucket: str, key: str) -> dict[str, Any]:
        return {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": self.account}


def _parameters(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {each["ParameterKey"]: each.get("ParameterValue", "") for each in found}


def _operation(found: Mapping[str, Any]) -> OperationFacts:
    return OperationFacts(
        operation_id=found["OperationId"],
        action=found["Action"],
        status=found["Status"],
        reason=found.get("StatusReason") or "",
        started=found.get("CreationTimestamp"),
    )


def _resource_drift(found: Mapping[str, Any]) -> ResourceDrift:
    return ResourceDrift(
        logical_id=found["LogicalResourceId"],
        resource_type=found["ResourceType"],
        status=found["StackResourceDriftStatus"],
        differences=tuple(
            PropertyDifference(
                path=each["PropertyPath"],
                kind=each["DifferenceType"],
                expected=each["ExpectedValue"],
                actual=each["ActualValue"],
            )
            for each in found.get("PropertyDifferences", [])
        ),
    )
