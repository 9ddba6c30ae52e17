"""Who may call a function by its own address: principals of this account who sign with IAM.

Lambda asks for two permissions, for the address and for the function through it. The policy of the
function leaves both to the account, whose IAM policies say who it is; no service is admitted.
https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""

from collections.abc import Iterator

from tap_templates.iam.codes import Code
from tap_templates.iam.needs import Problem
from tap_templates.iam.service_use import URL_TYPE, VIA_URL, Outcome, ServiceUse, unjudged
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.view import Located, SystemView

_SIGNED = "AWS_IAM"
_JUDGED = frozenset({"AuthType", "Cors", "InvokeMode", "Qualifier", "TargetFunctionArn"})


def url_uses(view: SystemView, url: Located) -> Iterator[Outcome]:
    """Judge the address of a function."""
    properties = url.resource.properties
    for name in sorted(properties.keys() - _JUDGED):
        yield unjudged(url, f"/Properties/{name}", f"sets {name}")
    if properties.get("AuthType") != _SIGNED:
        yield Problem(
            Code.PRINCIPAL_UNEXPLAINED,
            url,
            "/Properties/AuthType",
            f"admits anyone to the address, by AuthType {properties.get('AuthType')}",
            f"ask for a signature: AuthType {_SIGNED} (blocks/function_url.py)",
        )
        return
    arn = _called(view, url)
    function = view.find(arn)
    if function is None:
        path = "/Properties/TargetFunctionArn"
        yield unjudged(url, path, f"leads to {arn}, which is no function of this system")
        return
    for action, key, value in (
        ("lambda:InvokeFunctionUrl", URL_TYPE, _SIGNED),
        ("lambda:InvokeFunction", VIA_URL, "true"),
    ):
        yield ServiceUse(
            arn=arn,
            owner=function,
            principal=view.account,
            action=action,
            sends={key: value},
            demands=frozenset({key}),
            why=f"{url.place} /Properties/AuthType",
        )


def _called(view: SystemView, url: Located) -> str:
    """Spell the ARN of what is called: the function, or its alias."""
    properties, region = url.resource.properties, url.stack.region
    name = bare_name(str(properties.get("TargetFunctionArn")))
    arn = f"arn:{view.partition}:lambda:{region}:{view.account}:function:{name}"
    return f"{arn}:{properties['Qualifier']}" if "Qualifier" in properties else arn
