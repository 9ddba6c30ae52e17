"""Mutants of a proven system: each widens or breaks one role a little, and has to be found.

`survivors(view, handlers)` is for any view, also that of the compiled systems.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from tap_templates.iam.knowledge import action_names
from tap_templates.iam.proof import HandlerCode, Handlers, prove
from tap_templates.rendered.view import SystemView

OTHER_REGION = "eu-west-1"
OTHER_ACCOUNT = "999999999999"


def survivors(view: SystemView, handlers: Handlers) -> tuple[list[str], int]:
    """Name the mutants the proof does not find, and count all; the view itself must be proven."""
    code = HandlerCode(handlers)
    assert prove(view, code) == []
    count, alive = 0, []
    for name, mutant in mutants(view):
        count += 1
        if not prove(mutant, code):
            alive.append(name)
    return alive, count


def mutants(view: SystemView) -> Iterator[tuple[str, SystemView]]:
    """Iterate over the mutants of all roles, each with its name."""
    for role in view.resources("AWS::IAM::Role"):
        for name, properties in _role(dict(role.resource.properties)):
            yield f"{role.place}: {name}", view.with_properties(role, properties)


def _role(properties: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for i, policy in enumerate(properties["Policies"]):
        statements = policy["PolicyDocument"]["Statement"]
        for j, statement in enumerate(statements):
            for name, changed in _statement(statement):
                mutant = deepcopy(properties)
                mutant["Policies"][i]["PolicyDocument"]["Statement"][j : j + 1] = changed
                yield f"{statement.get('Sid', j)}: {name}", mutant
    trust = properties["AssumeRolePolicyDocument"]["Statement"]
    for j, statement in enumerate(trust):
        for name, changed in _trust(statement):
            mutant = deepcopy(properties)
            mutant["AssumeRolePolicyDocument"]["Statement"][j] = changed
            yield f"trust: {name}", mutant
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    yield "add a managed policy", properties | {"ManagedPolicyArns": [administrator]}
    all_of_it = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    extra = {"PolicyName": "extra", "PolicyDocument": {"Statement": all_of_it}}
    yield "add a policy", properties | {"Policies": [*properties["Policies"], extra]}


def _statement(statement: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
    yield "drop the statement", []
    yield "say it twice", [statement, statement]
    yield "allow another account", [statement | {"Resource": _swap_account(resources)}]
    yield "NotAction", [_renamed(statement, "Action", "NotAction")]
    yield "NotResource", [_renamed(statement, "Resource", "NotResource")]
    yield "any action", [statement | {"Action": "*"}]
    yield "any action and resource", [statement | {"Action": "*", "Resource": "*"}]
    for action in actions:
        rest = [each for each in actions if each != action]
        service, _, name = action.partition(":")
        if rest:
            yield f"drop {action}", [statement | {"Action": rest}]
        yield f"{service}:*", [statement | {"Action": [*rest, f"{service}:*"]}]
        yield f"{action[:-1]}*", [statement | {"Action": [*rest, f"{action[:-1]}*"]}]
        yield f"misspell {action}", [statement | {"Action": [*rest, f"{action}s"]}]
        others = [each for each in action_names(service) if f"{service}:{each}" not in actions]
        for other in (others[0], others[-1]) if others else ():
            yield f"add {other}", [statement | {"Action": [*actions, f"{service}:{other}"]}]
            yield f"{name} → {other}", [statement | {"Action": [*rest, f"{service}:{other}"]}]
    for resource in resources:
        rest = [each for each in resources if each != resource]
        if rest:
            yield f"drop {resource}", [statement | {"Resource": rest}]
        for name, wider in _wider(resource):
            yield f"{name} {resource}", [statement | {"Resource": [*rest, wider]}]
            yield f"add {name} {resource}", [statement | {"Resource": [*resources, wider]}]
    for name, condition in _conditions(statement.get("Condition", {})):
        changed = {key: each for key, each in statement.items() if key != "Condition"}
        yield name, [changed | ({"Condition": condition} if condition else {})]


def _wider(resource: str) -> Iterator[tuple[str, str]]:
    """Iterate over ARNs that are wider than `resource`, or beside it."""
    if resource == "*":
        return
    parts = resource.split(":")
    yield "anything for", "*"
    yield "suffix on", f"{resource}*"
    yield "any name for", ":".join([*parts[:5], "*"])
    yield "question mark in", f"{resource[:-1]}?"
    if parts[3]:
        yield "any region for", ":".join([*parts[:3], "*", *parts[4:]])
        yield "another region for", ":".join([*parts[:3], OTHER_REGION, *parts[4:]])
    if parts[4]:
        yield "any account for", ":".join([*parts[:4], "*", *parts[5:]])
        yield "another account for", ":".join([*parts[:4], OTHER_ACCOUNT, *parts[5:]])
    yield "another name for", resource.replace("dev", "prod") + "-other"


def _conditions(condition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if condition:
        yield "drop the condition", {}
    else:
        yield "add a condition", {"StringEquals": {"aws:SourceAccount": OTHER_ACCOUNT}}
        yield "add a nonsense condition", {"StringEquals": {"sqs:Nonsense": "x"}}
    for operator, keys in condition.items():
        rest = {key: each for key, each in condition.items() if key != operator}
        yield f"drop {operator}", rest
        yield f"negate {operator}", rest | {f"{operator}IfExists": keys}
        for key, values in keys.items():
            others = {each: value for each, value in keys.items() if each != key}
            listed = _listed(values)
            if others:
                yield f"drop {key}", condition | {operator: others}
            yield f"change {key}", condition | {operator: others | {key: f"{listed[0]}-other"}}
            yield f"widen {key}", condition | {operator: others | {key: [*listed, "other"]}}
            yield f"any {key}", rest | {"StringLike": {key: "*"}, operator: others or {key: "*"}}


def _trust(statement: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    service = statement["Principal"]["Service"]
    for name, principal in (
        ("anyone", "*"),
        ("any account", {"AWS": "*"}),
        ("any service", {"Service": "*"}),
        ("another service", {"Service": "ec2.amazonaws.com"}),
        ("one more service", {"Service": [service, "ec2.amazonaws.com"]}),
        ("the own account too", {"Service": service, "AWS": "arn:aws:iam::111122223333:root"}),
        ("another account", {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}),
    ):
        yield name, statement | {"Principal": principal}
    yield "any action of sts", statement | {"Action": "sts:*"}
    yield "one more action", statement | {"Action": ["sts:AssumeRole", "sts:TagSession"]}
    yield "deny", statement | {"Effect": "Deny"}
    yield "NotPrincipal", _renamed(statement, "Principal", "NotPrincipal")
    for name, condition in _conditions(statement.get("Condition", {})):
        changed = {key: each for key, each in statement.items() if key != "Condition"}
        yield name, changed | ({"Condition": condition} if condition else {})


def _renamed(statement: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if key == old else key: value for key, value in statement.items()}


def _swap_account(resources: list[str]) -> list[str]:
    return [each.replace("111122223333", OTHER_ACCOUNT) + "!" * (each == "*") for each in resources]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
