"""E9603: parameters put into a text of JSON, where a quote in a value begins a new member."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from ._index import Index, Resource
from ._parameters import QUOTING, STRUCTURE, carries
from ._rule import Fault, TapRule
from ._values import Expr, Path, Token, expression, is_intrinsic

# Texts that AWS reads as JSON whatever they look like here. What else begins and ends as JSON does
# is taken for it if it is so once the variables are filled in.
_READ_AS_JSON: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "AWS::CloudWatch::Dashboard": (("DashboardBody",),),
    "AWS::Events::Archive": (("EventPattern",),),
    "AWS::Events::Rule": (("EventPattern",), ("Targets", "Input")),
    "AWS::IAM::ManagedPolicy": (("PolicyDocument",),),
    "AWS::IAM::Policy": (("PolicyDocument",),),
    "AWS::IAM::Role": (("AssumeRolePolicyDocument",), ("Policies", "PolicyDocument")),
    "AWS::IAM::RolePolicy": (("PolicyDocument",),),
    "AWS::KMS::Key": (("KeyPolicy",),),
    "AWS::Lambda::EventSourceMapping": (("FilterCriteria", "Filters", "Pattern"),),
    "AWS::Logs::ResourcePolicy": (("PolicyDocument",),),
    "AWS::Pipes::Pipe": (("SourceParameters", "FilterCriteria", "Filters", "Pattern"),),
    "AWS::S3::BucketPolicy": (("PolicyDocument",),),
    "AWS::SNS::TopicPolicy": (("PolicyDocument",),),
    "AWS::SQS::QueuePolicy": (("PolicyDocument",),),
    "AWS::Scheduler::Schedule": (("Target", "Input"),),
    "AWS::SecretsManager::Secret": (("GenerateSecretString", "SecretStringTemplate"),),
    "AWS::StepFunctions::StateMachine": (("DefinitionString",),),
}
_TEXTS: Final = ("Fn::Sub", "Fn::Join")
_ESCAPING: Final = "Fn::ToJsonString"
_FILLED: Final = "1"  # for a variable: JSON with quotes around it and without


class ParameterInJson(TapRule):
    """Demand that a parameter in a text of JSON cannot carry what JSON is made of.

    Harmless are numbers, ids that CloudFormation checks, and parameters whose AllowedValues or
    AllowedPattern leave no way for a quote, a backslash or a control character; outside of
    quotes also for a comma, a colon, a bracket or a brace. A pattern that we cannot read counts
    as one that lets them in, and so does the value of an SSM parameter. Silent about a text that
    is one parameter as a whole, and about what resources and other stacks give.
    """

    id = "E9603"
    shortdesc = "A parameter in a text of JSON must not be able to change what the text says"
    description = (
        "Fn::Sub and Fn::Join escape nothing: a value with a quote in it adds states to a machine "
        "or statements to a policy, and no check of the template sees them."
    )
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
        "intrinsic-function-reference-sub.html"
    )
    tags: ClassVar[list[str]] = ["resources", "security"]  # type: ignore[misc]  # an instance variable upstream

    def check(self, index: Index) -> Iterator[Fault]:
        for resource in index.resources.values():
            for path, value in _texts(resource.properties.value, resource.properties.path):
                parts = expression(value)
                if _is_json(parts) or _is_read_as_json(resource, path):
                    yield from _faults(index, path, parts)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield every Fn::Sub and Fn::Join, the outermost where they are nested."""
    if is_intrinsic(value) and any(name in value for name in _TEXTS):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _texts(each, (*path, position))


def _is_json(parts: Expr) -> bool:
    filled = "".join(part if isinstance(part, str) else _FILLED for part in parts).strip()
    if not filled.startswith(("{", "[")) or not any(isinstance(part, str) for part in parts):
        return False
    try:
        json.loads(filled)
    except (ValueError, RecursionError):
        return False
    return True


def _is_read_as_json(resource: Resource, path: Path) -> bool:
    below = path[len(resource.properties.path) :]
    names = tuple(
        each
        for position, each in enumerate(below)
        if isinstance(each, str)
        and each != "Fn::If"
        and below[position - 1 : position] != ("Fn::If",)
    )
    return names in _READ_AS_JSON.get(resource.type, ())


def _faults(index: Index, path: Path, parts: Expr) -> Iterator[Fault]:
    if not any(isinstance(part, str) for part in parts):
        return  # the text is the parameter: whoever gives it writes all of it
    quoted = False
    for part in parts:
        if isinstance(part, str):
            quoted = _quoted_after(part, quoted=quoted)
            continue
        for name in _parameters(index, part):
            declared = index.parameter(name)
            if declared is not None and carries(declared, QUOTING if quoted else STRUCTURE):
                what = "a quote or a backslash" if quoted else "a quote, a comma or a bracket"
                yield Fault(
                    path,
                    f"The parameter {name} stands in a text of JSON and may carry {what}: give it "
                    "an AllowedPattern without them, or write the value as an object",
                )


def _quoted_after(text: str, *, quoted: bool) -> bool:
    """Say whether what follows `text` is between quotes."""
    position = 0
    while position < len(text):
        if text[position] == "\\" and quoted:
            position += 1
        elif text[position] == '"':
            quoted = not quoted
        position += 1
    return quoted


def _parameters(index: Index, token: Token) -> list[str]:
    """List the parameters that a token takes its text from, sorted."""
    if token.logical_id:
        return [] if token.attribute else [token.logical_id]
    try:
        return sorted(set(_inside(json.loads(token.attribute), index)))
    except (ValueError, RecursionError):
        return []


def _inside(value: Any, index: Index) -> Iterator[str]:
    """Yield what an expression that cannot be taken apart (Fn::If, Fn::Select …) refers to."""
    if isinstance(value, Mapping):
        if _ESCAPING in value:
            return
        for key, each in value.items():
            if key in {"Ref", "Fn::Sub"} and isinstance(each, str):
                parts = expression({key: each})
                yield from (p.logical_id for p in parts if isinstance(p, Token) and not p.attribute)
            else:
                yield from _inside(each, index)
    elif isinstance(value, list):
        for each in value:
            yield from _inside(each, index)


RULES = (ParameterInJson,)
