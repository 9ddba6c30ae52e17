"""Bootstrap: what stack sets need before there can be any, rolled out with plain stacks.

Repeating is safe: a stack that is as it should be is left alone, one that is being made is waited
for. No other module makes plain stacks.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tap_templates.deploy import naming
from tap_templates.deploy.boto_cloud import LONGEST_TEMPLATE_BODY
from tap_templates.deploy.cloud import Wire
from tap_templates.deploy.errors import CloudError, DeployError
from tap_templates.deploy.following import Pace, first_failure
from tap_templates.deploy.ports import Reader

PREFIX = "bootstrap-"
_GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_ENDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainStack:
    """A stack of the bootstrap in one region."""

    name: str
    region: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    capabilities: Sequence[str]

    @property
    def stack_name(self) -> str:
        return f"{PREFIX}{self.name}"


def plain_stacks(
    manifest: Mapping[str, Any], templates: Mapping[str, bytes]
) -> tuple[PlainStack, ...]:
    """List the stacks of the bootstrap in rollout order."""
    return tuple(
        PlainStack(
            name=entry["name"],
            region=region,
            template=json.loads(templates[entry["name"]]),
            parameters=entry["parameters"],
            capabilities=entry["capabilities"],
        )
        for entry in manifest["stacks"]
        for region in entry["regions"]
    )


def missing(stacks: Sequence[PlainStack], reader: Reader) -> tuple[PlainStack, ...]:
    """Find what is not there or not as it should be. Only reads."""
    return tuple(stack for stack in stacks if not _is_deployed(stack, reader))


def bootstrap(
    stacks: Sequence[PlainStack],
    reader: Reader,
    wire: Wire,
    pace: Pace,
    say: Callable[[str], None],
) -> None:
    """Make or update each of `stacks`, in order, and wait for it.

    Raises DeployError with the first resource that failed.
    """
    for stack in stacks:
        found = reader.stack(stack.region, stack.stack_name)
        busy = found is not None and found.status.endswith("_IN_PROGRESS")
        if not busy:
            if _is_deployed(stack, reader):
                continue
            say(f"{stack.stack_name} in {stack.region}: {'update' if found else 'create'}")
            _put(stack, wire, exists=found is not None)
        _wait(stack, reader, pace)


def _is_deployed(stack: PlainStack, reader: Reader) -> bool:
    found = reader.stack(stack.region, stack.stack_name)
    if found is None or found.status not in _GOOD:
        return False
    return bool(json.loads(reader.stack_template(stack.region, stack.stack_name)) == stack.template)


def _put(stack: PlainStack, wire: Wire, *, exists: bool) -> None:
    wire.call(
        stack.region,
        "cloudformation",
        "update_stack" if exists else "create_stack",
        StackName=stack.stack_name,
        **_template(stack, wire),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in sorted(stack.parameters.items())
        ],
        Capabilities=list(stack.capabilities),
    )


def _template(stack: PlainStack, wire: Wire) -> dict[str, str]:
    """Send a template with the call, without white space; one that is too long goes by a bucket.

    By that of the stack's own region, which a stack before it has made.
    """
    body = json.dumps(stack.template, separators=(",", ":"))
    if len(body.encode()) <= LONGEST_TEMPLATE_BODY:
        return {"TemplateBody": body}
    account = str(wire.call(stack.region, "sts", "get_caller_identity")["Account"])
    bucket = naming.artifact_bucket(stack.region, account)
    key = naming.template_key(PREFIX.rstrip("-"), stack.name, naming.digest(stack.template))
    request = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": account}
    wire.call(stack.region, "s3", "put_object", Body=body.encode(), **request)
    host = wire.endpoint_url or f"https://s3.{stack.region}.amazonaws.com"
    return {"TemplateURL": f"{host.rstrip('/')}/{bucket}/{key}"}


def _wait(stack: PlainStack, reader: Reader, pace: Pace) -> None:
    deadline = pace.clock() + pace.operation_seconds
    while True:
        found = reader.stack(stack.region, stack.stack_name)
        status = found.status if found else "absent"
        if not status.endswith("_IN_PROGRESS"):
            break
        if pace.clock() > deadline:
            raise DeployError(
                f"{stack.stack_name} in {stack.region}", "is not done in time", "run it again"
            )
        pace.sleep(pace.poll_seconds)
    if status not in _ENDED:
        raise DeployError(
            f"{stack.stack_name} in {stack.region}",
            f"ended {status}: {_reason(stack, reader)}",
            "mend the cause; delete the stack if it was being created, and run again",
        )


def _reason(stack: PlainStack, reader: Reader) -> str:
    try:
        event = first_failure(reader.stack_events(stack.region, stack.stack_name))
    except CloudError as error:
        return str(error)
    return f"{event.logical_id}: {event.reason}" if event else "AWS gives no reason"
