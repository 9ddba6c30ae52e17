"""Text with variables: names and ARNs as `Fn::Sub`, and as plain strings where nothing varies."""

from collections.abc import Iterator

from troposphere import AWSHelperFn, Sub

from tap_templates.model.names import ACCOUNT, OWN_REGION

Text = str | AWSHelperFn


def references(value: object) -> Iterator[str]:
    """Yield what a rendered value refers to: names in Ref, and `${…}` in Sub without attributes."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from _variables(text)
        case {"Fn::Sub": [str(text), dict(own)]}:
            yield from (name for name in _variables(text) if name not in own)
            yield from references(own)
        case dict():
            for inner in value.values():
                yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)


def _variables(text: str) -> Iterator[str]:
    for part in text.split("${")[1:]:
        name = part.split("}", 1)[0]
        if not name.startswith("!"):
            yield name.split(".")[0]


def sub(text: str) -> Text:
    """Substitute `${…}` where there is one: a Sub without a variable is a lint warning."""
    return Sub(text) if "${" in text else text


def arn_text(service: str, resource: str, *, region: str = OWN_REGION) -> str:
    """Spell the ARN of a resource of this account, in whatever partition the stack runs."""
    return f"arn:${{AWS::Partition}}:{service}:{region}:{ACCOUNT}:{resource}"
