"""AWS as it acts: `ports.Cloud` over the wire. Every deed names all it sets."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.deploy.boto_reader import BotoReader
from tap_templates.deploy.errors import CloudError
from tap_templates.deploy.ports import Previous, Settings, StackSetRequest

LONGEST_TEMPLATE_BODY = 51_200  # bytes in a request; longer templates go by URL


@dataclass(slots=True, kw_only=True)
class BotoCloud(BotoReader):
    """Satisfies `ports.DetectingCloud`."""

    def put_object(self, region: str, bucket: str, key: str, *, data: bytes) -> None:
        """Upload with the digest, which S3 compares with what arrived."""
        self.wire.call(
            region,
            "s3",
            "put_object",
            Bucket=bucket,
            Key=key,
            Body=data,
            ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
            ExpectedBucketOwner=self.account,
        )

    def create_stack_set(self, request: StackSetRequest) -> None:
        self._sets("create_stack_set", PermissionModel="SELF_MANAGED", **self._body(request))

    def update_stack_set(
        self, request: StackSetRequest, *, regions: tuple[str, ...], operation_id: str
    ) -> None:
        targets = {"Accounts": [self.account], "Regions": list(regions)} if regions else {}
        self._sets(
            "update_stack_set",
            OperationId=operation_id,
            OperationPreferences=_preferences(regions),
            **targets,
            **self._body(request),
        )

    def create_instances(
        self,
        name: str,
        *,
        regions: tuple[str, ...],
        overrides: Mapping[str, str],
        operation_id: str,
    ) -> None:
        extra = {"ParameterOverrides": _settings(overrides)} if overrides else {}
        self._sets("create_stack_instances", **self._targets(name, regions, operation_id), **extra)

    def update_instances(
        self,
        name: str,
        *,
        regions: tuple[str, ...],
        overrides: Mapping[str, str],
        operation_id: str,
    ) -> None:
        self._sets(
            "update_stack_instances",
            ParameterOverrides=_settings(overrides),
            **self._targets(name, regions, operation_id),
        )

    def delete_instances(self, name: str, *, regions: tuple[str, ...], operation_id: str) -> None:
        self._sets(
            "delete_stack_instances",
            RetainStacks=False,
            **self._targets(name, regions, operation_id),
        )

    def delete_stack_set(self, name: str) -> None:
        self._sets("delete_stack_set", StackSetName=name)

    def empty_bucket(self, region: str, bucket: str) -> int:
        count = 0
        owner = {"Bucket": bucket, "ExpectedBucketOwner": self.account}
        while True:
            page = self.wire.find(region, "s3", "list_object_versions", owner) or {}
            doomed = [
                {"Key": each["Key"], "VersionId": each["VersionId"]}
                for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            ]
            if not doomed:
                return count
            orders = {"Objects": doomed, "Quiet": True}
            answer = self.wire.call(region, "s3", "delete_objects", Delete=orders, **owner)
            if refused := answer.get("Errors"):
                first = refused[0]
                raise CloudError(
                    f"s3://{bucket}/{first['Key']}",
                    f"cannot be deleted: {first.get('Message', first.get('Code'))}",
                    "remove what protects it, then go on",
                    code=first.get("Code", ""),
                )
            count += len(doomed)

    def _body(self, request: StackSetRequest) -> dict[str, Any]:
        template = {"TemplateBody": request.template}
        if len(request.template.encode()) > LONGEST_TEMPLATE_BODY:
            host = self.wire.endpoint_url or f"https://s3.{self.home}.amazonaws.com"
            url = f"{host.rstrip('/')}/{request.template_bucket}/{request.template_key}"
            template = {"TemplateURL": url}
        return {
            "StackSetName": request.name,
            "Description": request.description,
            "Parameters": _settings(request.parameters),
            "Capabilities": list(request.capabilities),
            "Tags": [{"Key": k, "Value": v} for k, v in sorted(request.tags.items())],
            "AdministrationRoleARN": request.administration_role_arn,
            "ExecutionRoleName": request.execution_role_name,
            **template,
        }

    def _targets(self, name: str, regions: tuple[str, ...], operation_id: str) -> dict[str, Any]:
        return {
            "StackSetName": name,
            "Accounts": [self.account],
            "Regions": list(regions),
            "OperationId": operation_id,
            "OperationPreferences": _preferences(regions),
        }


def _preferences(regions: Iterable[str]) -> dict[str, Any]:
    """One region after the other, in this order, and none after one that failed."""
    order = {"RegionOrder": list(regions)} if regions else {}
    return {
        "RegionConcurrencyType": "SEQUENTIAL",
        "FailureToleranceCount": 0,
        "MaxConcurrentCount": 1,
        **order,
    }


def _settings(values: Settings) -> list[dict[str, Any]]:
    return [
        {"ParameterKey": name, "UsePreviousValue": True}
        if isinstance(value, Previous)
        else {"ParameterKey": name, "ParameterValue": value}
        for name, value in sorted(values.items())
    ]
