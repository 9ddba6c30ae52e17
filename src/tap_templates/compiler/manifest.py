"""Stage manifest: what the deployer, and anyone else, needs to know of a compiled system.

The format is a contract (`tap.manifest/1`): stacks in rollout order, each with its template's
digest, its regions, and where the value of each parameter comes from.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, assert_never

from tap_templates.compiler.render import RenderedStack
from tap_templates.errors import ModelError
from tap_templates.model.system import (
    Objectives,
    OutputHere,
    OutputOf,
    PackageKey,
    PackageSha256,
    ParameterValue,
    System,
)

SCHEMA = "tap.manifest/1"
OWN_REGION = "own"  # of an output: each instance takes it from the region it is in itself

Digests = Mapping[str, str]
"""Package name to the hexadecimal SHA-256 of its zip."""


def stack_parameters(stack: RenderedStack, peers: Mapping[str, RenderedStack]) -> dict[str, Any]:
    """Say where each parameter's value comes from, as the manifest spells it.

    Package digests stay `{"package": …, "value": "sha256"}` here; `manifest` fills them
    in. Raises ModelError for a parameter without a value, a value without a parameter, and an
    output that its stack does not have.
    """
    system, name = stack.built.system, stack.name
    place = f"{system.name}/{name}"
    declared: dict[str, Any] = stack.template.get("Parameters", {})
    given: dict[str, ParameterValue] = {
        **{key: value for key, value in _regions(system).items() if key in declared},
        **stack.built.stack.parameters,
    }
    for unknown in sorted(set(given) - set(declared)):
        raise ModelError(
            f"{place} parameter {unknown}",
            "is given a value, but the template has no such parameter",
            f"declare it in the stack module; it has {', '.join(sorted(declared)) or 'none'}",
        )
    for missing in sorted(
        key for key in set(declared) - set(given) if "Default" not in declared[key]
    ):
        raise ModelError(
            f"{place} parameter {missing}",
            "has no default and is given no value",
            f"add {missing!r} to the parameters of stack {name!r} in the system module",
        )
    for key, value in given.items():
        if isinstance(value, OutputOf | OutputHere):
            _check_output(f"{place} parameter {key}", value, peers[value.stack])
    return {key: _source(given[key], system) for key in sorted(given)}


def manifest(
    system: System,
    stacks: Sequence[RenderedStack],
    parameters: Mapping[str, Mapping[str, Any]],
    digests: Digests,
) -> dict[str, Any]:
    """Describe the compiled system; `parameters` is what `stack_parameters` says of each stack."""
    regions = {"primary": system.regions.primary, "secondary": system.regions.secondary}
    if system.regions.witness:
        regions["witness"] = system.regions.witness
    return {
        "schema": SCHEMA,
        "system": system.name,
        "regions": regions,
        "objectives": _objectives(system.objectives),
        "stacks": [
            {
                "name": stack.name,
                "template": f"{stack.name}.json",
                "sha256": stack.sha256,
                "regions": list(stack.regions),
                "depends_on": list(stack.built.stack.depends_on),
                "capabilities": _capabilities(stack.template),
                "parameters": {
                    key: _filled_in(value, digests) for key, value in parameters[stack.name].items()
                },
            }
            for stack in stacks
        ],
        "packages": {
            package.name: {
                "sha256": digests[package.name],
                "handler": package.handler,
                "runtime": package.runtime,
                "architecture": package.architecture,
            }
            for package in sorted(system.packages, key=lambda each: each.name)
        },
    }


def _objectives(promised: Objectives) -> dict[str, int | None]:
    found = {"rto_seconds": _seconds(promised.rto), "rpo_seconds": _seconds(promised.rpo)}
    if promised.database_rto is not None:
        found["database_rto_seconds"] = _seconds(promised.database_rto)
    return found


def _seconds(promise: timedelta | None) -> int | None:
    return None if promise is None else int(promise.total_seconds())


def _regions(system: System) -> dict[str, ParameterValue]:
    values: dict[str, ParameterValue] = {
        "PrimaryRegion": system.regions.primary,
        "SecondaryRegion": system.regions.secondary,
    }
    if system.regions.witness:
        values["WitnessRegion"] = system.regions.witness
    return values


def _check_output(place: str, value: OutputOf | OutputHere, producer: RenderedStack) -> None:
    outputs = sorted(producer.template.get("Outputs", {}))
    if value.output not in outputs:
        raise ModelError(
            place,
            f"takes output {value.output!r} of {value.stack!r}, which has no such output",
            f"declare it in that stack's module; it has {', '.join(outputs) or 'none'}",
        )


def _source(value: ParameterValue, system: System) -> Any:
    match value:
        case str():
            return value
        case OutputOf(stack, output, where):
            (region,) = system.regions.of(where)
            return {"output": {"stack": stack, "region": region, "name": output}}
        case OutputHere(stack, output):
            return {"output": {"stack": stack, "region": OWN_REGION, "name": output}}
        case PackageKey(package):
            return {"package": package}
        case PackageSha256(package):
            return {"package": package, "value": "sha256"}
        case _:
            assert_never(value)


def _filled_in(value: Any, digests: Digests) -> Any:
    if isinstance(value, dict) and value.get("value") == "sha256":
        return base64.b64encode(bytes.fromhex(digests[value["package"]])).decode()
    return value


def _capabilities(template: Mapping[str, Any]) -> list[str]:
    """Name what CloudFormation wants acknowledged: IAM resources, and named ones more so."""
    iam = [each for each in template["Resources"].values() if each["Type"].startswith("AWS::IAM::")]
    names = ("RoleName", "ManagedPolicyName", "PolicyName", "UserName", "GroupName")
    if any(name in each.get("Properties", {}) for each in iam for name in names):
        return ["CAPABILITY_NAMED_IAM"]
    return ["CAPABILITY_IAM"] if iam else []
