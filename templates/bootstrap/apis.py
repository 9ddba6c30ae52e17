"""The role that the REST APIs of a region log requests with, and the setting that names it."""

from troposphere import GetAtt, apigateway

from tap_templates.blocks.rest_api_account import access_logs
from tap_templates.blocks.stack import StackTemplate
from tap_templates.model.system import System


def has_rest_apis(workload: System) -> bool:
    return any(
        isinstance(resource, apigateway.RestApi)
        for each in workload.stacks
        for resource in each.build().resources.values()
    )


def build() -> StackTemplate:
    """The role and the setting, of which a region of an account has one."""
    stack = StackTemplate("bootstrap: the role that REST APIs of this region log requests with")
    made = access_logs()
    stack.add(*made)
    stack.output("AccessLogRoleArn", "Role that requests are logged with", GetAtt(made.role, "Arn"))
    return stack
