"""Block: the role that API Gateway logs requests to REST APIs with, and the setting that names it.

A stage of a REST API that logs is refused unless its account names such a role in its region ("role
ARN must be set in account settings to enable logging"), other than one of an HTTP API. A region of
an account has one such setting, so it is no environment's: the bootstrap makes it. Else two
environments would overwrite each other's, and the first to go would take the role of both along.
Deleting the setting leaves it as it is; without the role, APIs serve, and log nothing.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html

It admits our log groups alone. Who has other REST APIs in the account, and logs them, keeps the
role that they log with, and does not roll this out.
"""

from typing import NamedTuple

from awacs import logs
from troposphere import GetAtt, apigateway, iam

from tap_templates.blocks.policy import allow, document, trust_service
from tap_templates.blocks.text import arn_text, sub
from tap_templates.model.names import OWN_REGION, Kind, Name

ACCESS_LOGS = Name(Kind.ROLE, "api-access-logs", once_per_account=True)
# What API Gateway writes to when the role is set, to see whether it can.
# https://repost.aws/knowledge-center/api-gateway-cloudwatch-logs
_WELCOME = "log-group:/aws/apigateway/welcome"
_OURS = f"log-group:/aws/vendedlogs/apis/{Kind.API.word}-*"  # see RestApi.log_group


class AccessLogs(NamedTuple):
    role: iam.Role
    account: apigateway.Account


def access_logs() -> AccessLogs:
    """Declare both for this region, once for all REST APIs that are called by our rule.

    The managed policy that AWS proposes may create, read and write every log group; that this much
    narrower one is taken for enough when the setting is made was not tried in an account.
    """
    groups = [sub(arn_text("logs", f"{group}:*")) for group in (_WELCOME, _OURS)]
    write = [logs.CreateLogStream, logs.DescribeLogStreams, logs.PutLogEvents]
    grants = document(
        allow("CreateWelcome", [logs.CreateLogGroup], groups[:1]),
        allow("FindGroups", [logs.DescribeLogGroups], [sub(arn_text("logs", "log-group:*"))]),
        allow("WriteLogs", write, groups),
    )
    role = iam.Role(
        "AccessLogRole",
        # Each region has its own, so that no region's logs hang on another's stack.
        RoleName=sub(f"{ACCESS_LOGS.text()}-{OWN_REGION}"),
        Description="What API Gateway logs requests to REST APIs with",
        AssumeRolePolicyDocument=trust_service("apigateway.amazonaws.com"),
        Policies=[iam.Policy(PolicyName="grants", PolicyDocument=grants)],
    )
    return AccessLogs(role, apigateway.Account("ApiAccount", CloudWatchRoleArn=GetAtt(role, "Arn")))
