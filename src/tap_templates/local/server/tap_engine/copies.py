"""Patch: S3 copies what its role may copy, and what a dead region misses when it is back."""

import contextvars
from collections.abc import Callable
from typing import Any

from ministack.services import s3

from tap_engine import roles
from tap_engine.faults import FAULTS
from tap_engine.originals import patch

_SERVICE = "s3.amazonaws.com"


def install() -> None:
    """Make the patch."""
    patch(
        s3,
        "_maybe_replicate",
        "cb2dd6521e3d",
        _as_allowed,
        why="objects are copied whatever the role may do, and into regions that are dead",
    )


def _as_allowed(original: Callable[..., None]) -> Callable[..., None]:
    def replicate(
        bucket: str, key: str, record: dict[str, Any], data: Any, tags: dict[str, str] | None = None
    ) -> None:
        rule, role = s3._replication_rule_for(bucket, key, tags)
        target = s3._replication_destination(bucket, key, rule, role) if rule else None
        if target is None:
            original(bucket, key, record, data, tags)
            return
        name, _, destination = target
        if not _may_copy(role, bucket, name, key):
            record["replication_status"] = "FAILED"
            return
        context = contextvars.copy_context()

        def copy() -> None:
            context.run(original, bucket, key, record, data, tags)
            for version in s3._object_versions.get((bucket, key), []):
                if version["version_id"] == record.get("version_id"):
                    version["replication_status"] = record["replication_status"]

        record["replication_status"] = "PENDING"
        FAULTS.when_alive(destination["region"], copy)

    return replicate


def _may_copy(role: str, bucket: str, destination: str, key: str) -> bool:
    read = roles.may(
        role, _SERVICE, "s3:GetObjectVersionForReplication", f"arn:aws:s3:::{bucket}/{key}"
    )
    write = f"arn:aws:s3:::{destination}/{key}"
    return read and roles.may(role, _SERVICE, "s3:ReplicateObject", write)
