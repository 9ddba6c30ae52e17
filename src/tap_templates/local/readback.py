"""Look whether what was rolled out is really there: three steps, from the list to the services.

1. The canary: the engine refuses a resource type that does not exist.
2. The list: each stack has exactly the resources its template calls for in that region, judged by
   *our* evaluator of conditions and not the engine's, all complete, all with a physical id.
3. The services: each resource is asked for by its own service's API, and what matters about it is
   compared with the template (`readback_types`), with the ids of its neighbours in it. What is
   not simulated has no service; it is only looked that nothing pretends to be it.

Touches the engine through the clients it is given, and only reads.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap_templates.local.readback_compare import Missing, Place
from tap_templates.local.readback_types import CHECKS
from tap_templates.local.support import Coverage, coverage, table
from tap_templates.rendered.resolve import ResolvedStack, resolve_stack
from tap_templates.rendered.tokens import is_known

_NOTHING = "not-simulated-"  # how the engine calls what it makes nothing for
_BOGUS = {"Resources": {"Canary": {"Type": "AWS::Bogus::DoesNotExist"}}}

Clients = Callable[[str, str], Any]  # service and region → a boto3 client


@dataclass(frozen=True, slots=True)
class Checked:
    """What a rollout is: what is alive of it, and what is wrong."""

    coverage: Coverage
    problems: tuple[str, ...]


def check_system(
    clients: Clients,
    manifest: Mapping[str, Any],
    folder: Path,
    *,
    account: str,
    stack_id: Callable[[str, str], str],
    parameters: Callable[[Mapping[str, Any], str], Mapping[str, str]],
) -> Checked:
    """Check all stacks of a manifest whose templates are in `folder`.

    `stack_id` finds the stack of an instance by stack and region; `parameters` gives the values
    that a stack of the manifest was rolled out with in a region. Raises UnsupportedTypeError for a
    type that the support table does not know.
    """
    types: list[str] = []
    problems = [*check_canary(clients, manifest["regions"]["primary"])]
    for stack in manifest["stacks"]:
        template = json.loads((folder / stack["template"]).read_text(encoding="utf-8"))
        for region in stack["regions"]:
            resolved = resolve_stack(
                template,
                stack=stack["name"],
                region=region,
                parameters=parameters(stack, region),
                account=account,
            )
            types += [resource.type for resource in resolved.resources.values()]
            problems += check_stack(clients, stack_id(stack["name"], region), resolved)
    return Checked(coverage(types), tuple(problems))


def check_canary(clients: Clients, region: str) -> Iterator[str]:
    """Check that the engine refuses what does not exist."""
    client = clients("cloudformation", region)
    try:
        client.validate_template(TemplateBody=json.dumps(_BOGUS))
    except client.exceptions.ClientError:
        return
    yield "the engine accepts the type AWS::Bogus::DoesNotExist"


def check_stack(clients: Clients, stack_id: str, resolved: ResolvedStack) -> Iterator[str]:
    """Check one stack in one region."""
    where = f"{resolved.stack} in {resolved.region}"
    listed = _listed(clients("cloudformation", resolved.region), stack_id)
    for logical_id in sorted(listed.keys() - resolved.resources.keys()):
        yield f"{where}: {logical_id} should not be there"
    physical = {name: str(found.get("PhysicalResourceId")) for name, found in listed.items()}
    ids = {
        each.ref: physical[name] for name, each in resolved.resources.items() if name in physical
    }
    for logical_id, resource in resolved.resources.items():
        found = listed.get(logical_id)
        if found is None:
            yield f"{where}: {logical_id} is not there"
            continue
        if found["ResourceType"] != resource.type:
            yield f"{where}: {logical_id} is a {found['ResourceType']}"
        if not found["ResourceStatus"].endswith("_COMPLETE"):
            yield f"{where}: {logical_id} is {found['ResourceStatus']}"
        if physical[logical_id] in ("", "None", "unknown"):
            yield f"{where}: {logical_id} has no physical id"
            continue
        place = Place(clients, resolved.region, physical[logical_id], physical)
        for problem in _in_its_service(place, resource.type, _with_ids(resource.properties, ids)):
            yield f"{where}: {logical_id} ({resource.type}): {problem}"


def _in_its_service(place: Place, resource_type: str, properties: Any) -> list[str]:
    """Ask the resource's service for it; where nothing is simulated, nothing may be there."""
    if not table().get(resource_type, {"live": True})["live"]:
        pretends = not place.id.startswith(_NOTHING)
        return [f"is {place.id}, and was to be nothing"] if pretends else []
    check = CHECKS.get(resource_type)
    if check is None:
        return [f"nobody knows how to read back a {resource_type}"]
    try:
        return check(place, properties)
    except (Missing, place.client("cloudformation").exceptions.ClientError) as gone:
        return [f"cannot be read back: {gone}"]


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """Put the ids that AWS gave in the place of the tokens that stand for them."""
    match value:
        case str() if not is_known(value):
            for token, physical in ids.items():
                value = value.replace(token, physical)
            return value
        case Mapping():
            return {key: _with_ids(each, ids) for key, each in value.items()}
        case list():
            return [_with_ids(each, ids) for each in value]
    return value


def _listed(client: Any, stack_id: str) -> dict[str, Any]:
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return {
        each["LogicalResourceId"]: each
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceStatus"] != "DELETE_COMPLETE"
    }
