"""Block: the role that API Gateway logs requests to REST APIs with, and the setting that names it.

A stage of a REST API that logs is refused unless its account names such a role in its region ("role
ARN must be set in account settings to enable logging"), other than one of an HTTP API. Region and
account have one setting, so it is nobody's environment's: the bootstrap makes it. Else two
environments would overwrite each other's, and the first to go would take the other's role along.
Deleting the setting leaves it as it is; without the role, APIs serve, and log nothing.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html

Who has REST APIs besides ours in the account, and logs them under a role of their own, keeps that
one, and rolls this out nowhere: it admits our log groups alone.
"""

from awacs import logs
from troposphere import apigateway, iam

from tap_templates.blocks.policy import allow, document, trust_service
from tap_templates.blocks.text import arn_text, sub
from tap_templates.model.names import ACCOUNT, Kind, Name

ACCESS_LOGS = Name(Kind.ROLE, "api-access-logs", once_per_account=True)
OUR_LOG_GROUPS = f"log-group:/aws/vendedlogs/apis/{Kind.API.word}-*"
WELCOME = "log-group:/aws/apigateway/welcome"
"""What API Gateway writes to when the role is set, to see whether it can.

https://repost.aws/knowledge-center/api-gateway-cloudwatch-logs
"""


def access_log_role() -> iam.Role:
    """Declare the role, for all regions: names of log groups do not tell environments.

    The managed policy that AWS proposes may create, read and write every log group; that this much
    narrower one is taken for enough when the setting is made was not tried in an account.
    """
    groups = [
        sub(arn_text("logs", f"{group}:*", region="*")) for group in (WELCOME, OUR_LOG_GROUPS)
    ]
    everything = [sub(arn_text("logs", "log-group:*", region="*"))]
    return iam.Role(
        "AccessLogRole",
        RoleName=sub(ACCESS_LOGS.text()),
        Description="What API Gateway logs requests to REST APIs with",
        AssumeRolePolicyDocument=trust_service("apigateway.amazonaws.com"),
        Policies=[
            iam.Policy(
                PolicyName="grants",
                PolicyDocument=document(
                    allow("CreateWelcome", [logs.CreateLogGroup], groups[:1]),
                    allow("FindGroups", [logs.DescribeLogGroups], everything),
                    allow(
                        "WriteLogs",
                        [logs.CreateLogStream, logs.DescribeLogStreams, logs.PutLogEvents],
                        groups,
                    ),
                ),
            )
        ],
    )


def access_log_account() -> apigateway.Account:
    """Name the role in this region's settings of the account; it has to be there."""
    arn = sub(f"arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/{ACCESS_LOGS.text()}")
    return apigateway.Account("ApiAccount", CloudWatchRoleArn=arn)
