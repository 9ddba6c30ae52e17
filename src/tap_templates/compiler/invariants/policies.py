"""Reading policy documents: statements with their place, and which table actions are granted."""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.values import as_list
from tap_templates.iam.patterns import covers_action
from tap_templates.rendered.view import Located

_POLICY_TYPES = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")
PERMISSION_TYPES = ("AWS::IAM::Role", *_POLICY_TYPES)


def statements(document: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Iterate over the statements of a document; a lone statement need not be in a list."""
    if not isinstance(document, Mapping):
        return
    for index, statement in enumerate(as_list(document.get("Statement"))):
        if isinstance(statement, Mapping):
            yield f"{path}/Statement/{index}", statement


def permissions(located: Located) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Iterate over what a role or an IAM policy permits, without the role's trust policy."""
    properties = located.resource.properties
    if located.resource.type in _POLICY_TYPES:
        yield from statements(properties.get("PolicyDocument"), "/Properties/PolicyDocument")
    for index, policy in enumerate(as_list(properties.get("Policies"))):
        path = f"/Properties/Policies/{index}/PolicyDocument"
        yield from statements(policy.get("PolicyDocument"), path)


def allows(statement: Mapping[str, Any], *actions: str) -> bool:
    """Tell whether a statement allows at least one of these actions."""
    if statement.get("Effect") != "Allow":
        return False
    given = as_list(statement.get("Action"))
    return any(covers_action(str(each), action) for each in given for action in actions)
