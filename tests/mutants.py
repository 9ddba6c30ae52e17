"""Mutants of a proven system: each widens or breaks one policy a little, and has to be found.

`survivors(view, handlers)` is for any view, also that of the compiled systems.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import islice
from types import MappingProxyType
from typing import Any

from tap_templates.iam.knowledge import action_names
from tap_templates.iam.proof import HandlerCode, Handlers, is_operated, prove
from tap_templates.rendered.view import Located, SystemView, texts

OTHER_REGION = "eu-west-1"
OTHER_ACCOUNT = "999999999999"
_NONE_OPERATED: Mapping[str, str] = MappingProxyType({})


def survivors(
    view: SystemView,
    handlers: Handlers,
    operated: Mapping[str, str] = _NONE_OPERATED,
    *,
    about: int | None = None,
) -> tuple[list[str], int]:
    """Name the mutants the proof does not find, and count those tried; the view must be proven.

    Roles in `operated` are left as they are: what people need is known to nobody here. With `about`
    so many are tried, evenly: they come statement by statement, so most statements still have some.
    """
    code = HandlerCode(handlers)
    assert prove(view, code, operated) == []
    count, alive = 0, []
    every = 1
    if about is not None:
        every = max(sum(1 for _ in mutants(view, operated)) // about, 1)
    for name, mutant in islice(mutants(view, operated), 0, None, every):
        count += 1
        if not prove(mutant, code, operated):
            alive.append(name)
    return alive, count


def mutants(
    view: SystemView, operated: Mapping[str, str] = _NONE_OPERATED
) -> Iterator[tuple[str, SystemView]]:
    """Iterate over the mutants of all roles and resource policies, each with its name.

    Of a stack in both regions one instance is changed: the other is resolved from the same bytes.
    """
    roles = _once(view, "AWS::IAM::Role")
    for role in (each for each in roles if not is_operated(str(each.resource.name), operated)):
        for name, properties in _role(dict(role.resource.properties)):
            yield f"{role.place}: {name}", view.with_properties(role, properties)
    for kind, document in _DOCUMENTS.items():
        for policy in _once(view, kind):
            for name, properties in _resource_policy(dict(policy.resource.properties), document):
                yield f"{policy.place}: {name}", view.with_properties(policy, properties)
    for queue in _sent_to(view):
        for key in ("alias/aws/sqs", "alias/other"):
            properties = dict(queue.resource.properties) | {"KmsMasterKeyId": key}
            yield f"{queue.place}: encrypted with {key}", view.with_properties(queue, properties)
    for located in _once(view, *_OF_WHOLE):
        for name, changes in _OF_WHOLE[located.resource.type]:
            properties = dict(located.resource.properties) | changes
            yield f"{located.place}: {name}", view.with_properties(located, properties)


def _once(view: SystemView, *types: str) -> Iterator[Located]:
    first: dict[str, str] = {}
    for stack in view.stacks:
        first.setdefault(stack.stack, stack.region)
    return (each for each in view.resources(*types) if first[each.stack.stack] == each.stack.region)


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


def _sent_to(view: SystemView) -> Iterator[Located]:
    """Iterate over the queues that rules send to; a role may use the AWS managed key of another."""
    rules = [rule.resource.properties for rule in view.resources("AWS::Events::Rule")]
    sent_to = {text for rule in rules for _, text in texts(rule)}
    for queue in view.resources("AWS::SQS::Queue"):
        if queue.resource.arn in sent_to:
            yield queue


# Type to the property that holds its policy. Not buckets: no service is admitted to one, and whom
# a bucket refuses is judged by TAP-ENC-02 alone.
_DOCUMENTS = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
_OF_WHOLE: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "AWS::KMS::Key": [("no policy", {"KeyPolicy": None})],
    "AWS::Lambda::Permission": [
        ("any action", {"Action": "lambda:*"}),
        ("another action", {"Action": "lambda:GetFunction"}),
        ("anyone", {"Principal": "*"}),
        ("another account", {"Principal": OTHER_ACCOUNT}),
        ("another service", {"Principal": "s3.amazonaws.com"}),
        ("another function", {"FunctionName": "other"}),
        ("any source", {"SourceArn": "*"}),
        ("another source", {"SourceArn": f"arn:aws:events:eu-west-1:{OTHER_ACCOUNT}:rule/x"}),
        ("another account's source", {"SourceAccount": OTHER_ACCOUNT}),
    ],
    "AWS::SNS::TopicPolicy": [("of no topic", {"Topics": []})],
    "AWS::SNS::Topic": [
        ("key of SNS", {"KmsMasterKeyId": "alias/aws/sns"}),
        ("key of nobody", {"KmsMasterKeyId": "alias/other"}),
    ],
    "AWS::Logs::LogGroup": [("key of nobody", {"KmsKeyId": "alias/other"})],
}


def _resource_policy(
    properties: dict[str, Any], document: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    statements = properties[document]["Statement"]
    for j, statement in enumerate(statements):
        for name, changed in _admission(statement, is_key=document == "KeyPolicy"):
            mutant = deepcopy(properties)
            mutant[document]["Statement"][j : j + 1] = changed
            yield f"{statement.get('Sid', j)}: {name}", mutant
    for name, extra in (
        ("admit anyone", {"Effect": "Allow", "Principal": "*"}),
        ("admit another service", {"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}}),
        ("admit another account", {"Effect": "Allow", "Principal": {"AWS": OTHER_ACCOUNT}}),
        ("refuse everyone", {"Effect": "Deny", "Principal": "*"}),
        ("refuse a service", {"Effect": "Deny", "Principal": {"Service": "x.amazonaws.com"}}),
    ):
        mutant = deepcopy(properties)
        like = {key: statements[0][key] for key in ("Action", "Resource")}
        mutant[document]["Statement"].append(extra | like)
        yield name, mutant


def _admission(
    statement: dict[str, Any], *, is_key: bool
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    actions = _listed(statement["Action"])
    if statement["Effect"] == "Deny":
        # Dropping or narrowing it lets plain text in: TAP-ENC-02, which no proof repeats.
        bare = {key: each for key, each in statement.items() if key != "Condition"}
        yield "refuse TLS too", [bare]
        yield (
            "refuse TLS only",
            [statement | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}],
        )
        return
    yield "drop the statement", []
    yield "say it twice", [statement, statement]
    yield "deny", [statement | {"Effect": "Deny"}]
    yield "any action", [statement | {"Action": "*"}]
    for element in ("Action", "Principal", "Resource"):
        yield f"Not{element}", [_renamed(statement, element, f"Not{element}")]
    for name, changed in _actions(actions):
        yield name, [statement | {"Action": changed}]
    for name, principal in _principals(statement["Principal"]):
        yield name, [statement | {"Principal": principal}]
    for resource in _listed(statement["Resource"]):
        for name, wider in _wider(resource):
            yield f"{name} {resource}", [statement | {"Resource": [wider]}]
            yield f"add {name} {resource}", [statement | {"Resource": [resource, wider]}]
    if is_key:
        other = f"arn:aws:kms:eu-west-1:{OTHER_ACCOUNT}:key/other"
        yield "another key", [statement | {"Resource": [other]}]
    given = statement.get("Condition", {})
    for name, condition in (*_conditions(given), *_sources(given)):
        changed = {key: each for key, each in statement.items() if key != "Condition"}
        yield name, [changed | ({"Condition": condition} if condition else {})]


def _actions(actions: list[str]) -> Iterator[tuple[str, list[str]]]:
    # `kms:GenerateDataKey*` and its like are not among them: AWS's own key policies say so, and
    # the proof takes it for the same.
    for action in actions:
        rest = [each for each in actions if each != action]
        service, _, name = action.partition(":")
        if rest:
            yield f"drop {action}", rest
        yield f"{service}:*", [*rest, f"{service}:*"]
        yield f"{action[:-1]}*", [*rest, f"{action[:-1]}*"]
        yield f"misspell {action}", [*rest, f"{action}s"]
        others = [each for each in action_names(service) if f"{service}:{each}" not in actions]
        for other in (others[0], others[-1]):
            yield f"add {other}", [*actions, f"{service}:{other}"]
            yield f"{name} → {other}", [*rest, f"{service}:{other}"]


def _principals(principal: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "anyone", "*"
    yield "any account", {"AWS": "*"}
    yield "any service", {"Service": "*"}
    yield "another account", {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}
    yield "another service", {"Service": "ec2.amazonaws.com"}
    yield (
        "another account too",
        principal | {"AWS": [*_listed(principal.get("AWS", [])), OTHER_ACCOUNT]},
    )
    if "Service" in principal:
        service = principal["Service"]
        name = service.partition(".")[0]
        yield "one more service", {"Service": [service, "ec2.amazonaws.com"]}
        yield "the own account too", principal | {"AWS": "arn:aws:iam::111122223333:root"}
        yield "another region", {"Service": f"{name}.{OTHER_REGION}.amazonaws.com"}
        yield "any region", {"Service": f"{name}.*.amazonaws.com"}
        if service != f"{name}.amazonaws.com":
            yield "no region", {"Service": f"{name}.amazonaws.com"}
    else:
        yield "a role", {"AWS": "arn:aws:iam::111122223333:role/other"}


def _sources(condition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Iterate over conditions with wider or other values; a pattern of alarms starts at words."""
    for operator, keys in condition.items():
        for key, values in keys.items():
            for value in _listed(values):
                rest = [each for each in _listed(values) if each != value]
                for name, wider in _wider(value) if value.startswith("arn:") else ():
                    changed = {operator: keys | {key: [*rest, wider]}}
                    yield f"{name} {key}", condition | changed
                    changed = {operator: keys | {key: [*rest, value, wider]}}
                    yield f"add {name} {key}", condition | changed
                for wider in _shorter(value):
                    yield f"{wider} as {key}", condition | {operator: keys | {key: [*rest, wider]}}
                if value.isdecimal():
                    changed = {operator: keys | {key: OTHER_ACCOUNT}}
                    yield f"another account in {key}", condition | changed


def _shorter(value: str) -> Iterator[str]:
    """Iterate over patterns of names that cover, or hide, more than `value` does."""
    if "*" in value:
        head, _, tail = value.partition("*")
        kind = ":".join(value.split(":")[:6])
        yield from (f"{kind}:*", f"{head}*", f"{kind}:*{tail}", f"{head}*{tail[1:]}")
        yield from (f"{head[:-1]}*{tail}", f"{head}other-*{tail}", f"{head}*-other{tail}")


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
    if not resource.endswith("?"):  # else it is what it was
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
