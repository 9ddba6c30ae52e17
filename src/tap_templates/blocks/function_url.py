"""Block: a function's own address, for callers of this account who sign with IAM.

Lambda asks for two permissions, for the URL and for the function through it
(https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html). Both name the account, which hands
the decision to its IAM policies: `FunctionUrl.call` is what a caller's role needs.

The address cannot move between regions: its TLS and its signature are bound to its host.
"""

from dataclasses import dataclass
from typing import NamedTuple

from awacs import aws
from awacs import awslambda as actions
from troposphere import GetAtt, Ref, awslambda

from tap_templates.blocks.function import LIVE, Function
from tap_templates.blocks.policy import allow
from tap_templates.blocks.text import Text


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    """The typed reference to the URL of a function."""

    function: Function

    def call(self) -> tuple[aws.Statement, aws.Statement]:
        """Grant calling it: the URL when it asks for a signature, the function through a URL."""
        live = self.function.live_arn
        return (
            allow(
                "CallUrl",
                [actions.InvokeFunctionUrl],
                [live],
                aws.StringEquals({"lambda:FunctionUrlAuthType": "AWS_IAM"}),
            ),
            allow(
                "InvokeThroughUrl",
                [actions.InvokeFunction],
                [live],
                aws.Bool({"lambda:InvokedViaFunctionUrl": "true"}),
            ),
        )


class SignedUrl(NamedTuple):
    url: awslambda.Url
    call: awslambda.Permission
    invoke: awslambda.Permission

    @property
    def address(self) -> Text:
        return GetAtt(self.url, "FunctionUrl")


def signed_url(title: str, function: awslambda.Function, alias: awslambda.Alias) -> SignedUrl:
    """Give what is live of `function` an address that asks for a signature of this account."""
    url = awslambda.Url(
        f"{title}Url",
        DependsOn=[alias.title],  # the qualifier is a plain name, so CloudFormation sees no edge
        AuthType="AWS_IAM",
        Qualifier=LIVE,
        TargetFunctionArn=Ref(function),
    )
    call = awslambda.Permission(
        f"{title}UrlCall",
        Action="lambda:InvokeFunctionUrl",
        FunctionName=Ref(alias),
        FunctionUrlAuthType="AWS_IAM",
        Principal=Ref("AWS::AccountId"),
    )
    invoke = awslambda.Permission(
        f"{title}UrlInvoke",
        Action="lambda:InvokeFunction",
        FunctionName=Ref(alias),
        InvokedViaFunctionUrl=True,
        Principal=Ref("AWS::AccountId"),
    )
    return SignedUrl(url, call, invoke)
