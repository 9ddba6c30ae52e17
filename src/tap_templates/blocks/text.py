"""Text with variables: names and ARNs as `Fn::Sub`, and as plain strings where nothing varies."""

from troposphere import AWSHelperFn, Sub

from tap_templates.model.names import ACCOUNT, OWN_REGION

Text = str | AWSHelperFn


def sub(text: str) -> Text:
    """Substitute `${…}` where there is one: a Sub without a variable is a lint warning."""
    return Sub(text) if "${" in text else text


def arn_text(service: str, resource: str, *, region: str = OWN_REGION) -> str:
    """Spell the ARN of a resource of this account, in whatever partition the stack runs."""
    return f"arn:${{AWS::Partition}}:{service}:{region}:{ACCOUNT}:{resource}"
