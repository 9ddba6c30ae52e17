"""Block: a function that CloudFormation runs while it deploys, such as schema migrations."""

from typing import Any

from troposphere import AWSHelperFn, awslambda, cloudformation
from troposphere.validators import integer

from tap_templates.blocks.function import Function
from tap_templates.blocks.text import Text


class DeployStep(cloudformation.CustomResource):
    """`AWS::CloudFormation::CustomResource` with the property that makes it run again."""

    props: dict[str, Any] = {  # noqa: RUF012 - troposphere's protocol
        **cloudformation.CustomResource.props,
        "RunsAgainWith": ((str, AWSHelperFn), True),
        "ServiceTimeout": (integer, True),
    }


def deploy_step(
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
    """
    step = DeployStep(
        title,
        DependsOn=[alias.title, *after],
        ServiceToken=function.live_arn,
        ServiceTimeout=seconds,
        RunsAgainWith=runs_again_with,
    )
    if if_wanted is not None:
        step.Condition = if_wanted
    return step
