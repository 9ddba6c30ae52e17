"""Block: a function that CloudFormation runs while it deploys, such as schema migrations."""

from typing import Any

from troposphere import AWSHelperFn, AWSObject, awslambda, cloudformation
from troposphere.validators import integer

from tap_templates.blocks.function import Function
from tap_templates.blocks.network import Vpc
from tap_templates.blocks.text import Text


class DeployStep(cloudformation.CustomResource):
    """A custom resource with the property that makes it run again.

    A subclass is a kind of step: its type, `Custom::…`, is what drift, diff and people see.
    """

    props: dict[str, Any] = {  # noqa: RUF012 - troposphere's protocol
        **cloudformation.CustomResource.props,
        "RunsAgainWith": ((str, AWSHelperFn), True),
        "ServiceTimeout": (integer, True),
    }


class SchemaMigration(DeployStep):
    """Brings a database to the schema of a release."""

    resource_type = "Custom::SchemaMigration"


def deploy_step(
    kind: type[DeployStep],
    title: str,
    function: Function,
    alias: awslambda.Alias,
    *,
    runs_again_with: Text,
    seconds: int,
    after: tuple[str, ...] = (),
    if_wanted: str | None = None,
) -> DeployStep:
    """Run what is live of `function` when the stack is made, and when `runs_again_with` changes.

    `runs_again_with` is a digest of what the function does: of its package, where that holds the
    migrations. A failure fails the deployment; without an answer CloudFormation waits `seconds`.
    CloudFormation invokes with the rights of who deploys: no permission is given here.
    `after` names what the function needs to do its work and to answer, which no reference shows;
    for one in a VPC also `way_out`. What is not named may be deleted before it, and the answer
    to the deletion never arrives.
    """
    step = kind(
        title,
        DependsOn=[alias.title, *after],
        ServiceToken=function.live_arn,
        ServiceTimeout=seconds,
        RunsAgainWith=runs_again_with,
    )
    if if_wanted is not None:
        step.Condition = if_wanted
    return step


def way_out(vpc: Vpc, *admitted: AWSObject) -> tuple[str, ...]:
    """Name what a step in the private subnets needs to reach AWS, for `after`.

    `admitted` are the rules of its security group, and the VPC's endpoints.
    """
    tiers = (vpc.public, vpc.private)
    routed = (each for tier in tiers for each in (*tier.routes, *tier.associations))
    return tuple(str(each.title) for each in (*routed, *admitted))
