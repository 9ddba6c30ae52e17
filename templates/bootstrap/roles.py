"""The roles that stack sets work with, for what the workloads' templates hold."""

from collections.abc import Sequence

from troposphere import GetAtt, Ref

from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.stack_sets import stack_set_roles
from tap_templates.model.names import STACKSET_ADMINISTRATION, STACKSET_EXECUTION
from tap_templates.model.system import System, Where

NAMES = (STACKSET_ADMINISTRATION.text(), STACKSET_EXECUTION.text())


def _named(workload: System) -> set[str]:
    regions = workload.regions
    return {*regions.of(Where.BOTH), *([regions.witness] if regions.witness else [])}


_REGIONS = ("PrimaryRegion", "SecondaryRegion", "WitnessRegion")


def build(workloads: Sequence[System]) -> StackTemplate:
    """The administration role, and the execution role with its policies."""
    stack = StackTemplate("bootstrap: the roles that stack sets work with")
    seen = {each for workload in workloads for each in _named(workload)}
    witnessed = len(seen) > len(workloads[0].regions.of(Where.BOTH))
    made = stack_set_roles(
        (
            str(resource.resource_type)
            for workload in workloads
            for each in workload.stacks
            for resource in each.build().resources.values()
        ),
        regions=[Ref(name) for name in _REGIONS if name != "WitnessRegion" or witnessed],
    )
    stack.add(made.administration, made.execution, *made.policies)
    stack.output(
        "AdministrationRoleArn", "Role of every stack set", GetAtt(made.administration, "Arn")
    )
    stack.output("ExecutionRoleName", "Role that provisions", Ref(made.execution))
    return stack
