"""The manifest's parameters: where each value comes from, and what is refused."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from troposphere import Ref, iam, sqs

from tap_templates.blocks.parameters import CODE_KEY, CODE_SHA256, email_parameter
from tap_templates.blocks.policy import trust_service
from tap_templates.blocks.stack import StackTemplate
from tap_templates.compiler.build import build_stack
from tap_templates.compiler.manifest import manifest, stack_parameters
from tap_templates.compiler.render import RenderedStack, render_stack
from tap_templates.errors import ModelError
from tap_templates.model.package import Package
from tap_templates.model.system import (
    Objectives,
    OutputOf,
    PackageKey,
    PackageSha256,
    Regions,
    Stack,
    System,
    Where,
)


def source():
    stack = StackTemplate("makes something")
    queue = sqs.Queue("Q", QueueName=Ref("PrimaryRegion"))
    stack.add(queue)
    stack.output("Url", "where", Ref(queue))
    return stack


def user():
    stack = StackTemplate("uses it")
    for parameter in (email_parameter("Url"), CODE_KEY, CODE_SHA256):
        stack.parameter(parameter)
    stack.add(
        iam.Role(
            "R", RoleName=Ref("Url"), AssumeRolePolicyDocument=trust_service("lambda.amazonaws.com")
        )
    )
    return stack


PARAMETERS = {
    "Url": OutputOf("source", "Url", Where.SECONDARY),
    "CodeKey": PackageKey("booker"),
    "CodeSha256": PackageSha256("booker"),
}


def link(parameters) -> tuple[System, dict[str, RenderedStack]]:
    system = System(
        name="ledger",
        application="Ledger",
        regions=Regions(primary="eu-west-1", secondary="eu-central-1"),
        objectives=Objectives(rto=timedelta(minutes=15), rpo=timedelta(minutes=1)),
        packages=(Package(name="booker"),),
        stacks=(
            Stack(name="source", build=source, where=Where.BOTH),
            Stack(
                name="user",
                build=user,
                where=Where.SECONDARY,
                depends_on=("source",),
                parameters=parameters,
            ),
        ),
    )
    return system, {s.name: render_stack(build_stack(system, s)) for s in system.stacks}


def refused(parameters: Mapping[str, object]) -> tuple[str, str]:
    _, stacks = link(parameters)
    with pytest.raises(ModelError) as caught:
        stack_parameters(stacks["user"], stacks)
    return str(caught.value), caught.value.remedy


def test_the_manifest_has_what_the_contract_says():
    system, stacks = link(PARAMETERS)
    parameters = {name: stack_parameters(stack, stacks) for name, stack in stacks.items()}
    made = manifest(system, list(stacks.values()), parameters, {"booker": "00" * 32})
    assert made["schema"] == "tap.manifest/1"
    assert made["regions"] == {"primary": "eu-west-1", "secondary": "eu-central-1"}
    assert made["objectives"] == {"rto_seconds": 900, "rpo_seconds": 60}
    assert made["packages"] == {
        "booker": {
            "sha256": "00" * 32,
            "handler": "booker.app.handler",
            "runtime": "python3.14",
            "architecture": "arm64",
        }
    }
    assert made["stacks"] == [
        {
            "name": "source",
            "template": "source.json",
            "sha256": stacks["source"].sha256,
            "regions": ["eu-west-1", "eu-central-1"],
            "depends_on": [],
            "capabilities": [],
            "parameters": {"PrimaryRegion": "eu-west-1"},
        },
        {
            "name": "user",
            "template": "user.json",
            "sha256": stacks["user"].sha256,
            "regions": ["eu-central-1"],
            "depends_on": ["source"],
            "capabilities": ["CAPABILITY_NAMED_IAM"],
            "parameters": {
                "CodeKey": {"package": "booker"},
                "CodeSha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "Url": {"output": {"stack": "source", "region": "eu-central-1", "name": "Url"}},
            },
        },
    ]


def test_an_output_that_does_not_exist_is_refused():
    what, remedy = refused({**PARAMETERS, "Url": OutputOf("source", "Uri", Where.PRIMARY)})
    assert what == (
        "ledger/user parameter Url: takes output 'Uri' of 'source', which has no such output"
    )
    assert remedy == "declare it in that stack's module; it has Url"


def test_a_value_for_no_parameter_is_refused():
    what, remedy = refused({**PARAMETERS, "Depht": "3"})
    assert what == (
        "ledger/user parameter Depht: is given a value, but the template has no such parameter"
    )
    assert "it has Application, CodeKey" in remedy


def test_a_parameter_without_a_value_is_refused():
    what, remedy = refused({key: PARAMETERS[key] for key in ("CodeKey", "CodeSha256")})
    assert what == "ledger/user parameter Url: has no default and is given no value"
    assert remedy == "add 'Url' to the parameters of stack 'user' in the system module"
