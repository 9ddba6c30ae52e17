"""Put together all that one template says about a subject."""

from collections.abc import Mapping
from typing import Any, Final

from tap_templates.diff.model import Resource, StackView
from tap_templates.diff.security.naming import account_of, arn_of
from tap_templates.diff.security.permissions import holders
from tap_templates.diff.security.permissions.holders import (
    BUS_POLICY,
    HOLDERS,
    IDENTITIES,
    PERMISSION,
    Kind,
    Subject,
    embedded,
)
from tap_templates.diff.security.permissions.reading import Reader, When, branches
from tap_templates.diff.security.permissions.statements import (
    EVERYTHING,
    MANAGED,
    Clause,
    Policies,
    Statement,
)
from tap_templates.diff.security.texts import STAR, Encoder

_MANAGED_POLICY: Final = "AWS::IAM::ManagedPolicy"
# What AWS's most used managed policies allow; of all others only the name is known.
_LOGS: Final = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
_KNOWN: Final[Mapping[str, list[str]]] = {
    "AdministratorAccess": ["*"],
    "service-role/AWSLambdaBasicExecutionRole": _LOGS,
    "service-role/AWSLambdaSQSQueueExecutionRole": [
        *_LOGS, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
    ],
    "service-role/AWSLambdaVPCAccessExecutionRole": [
        *_LOGS, "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ],
}  # fmt: skip
# What holds where a type's policy is left out.
_DEFAULTS: Final[Mapping[str, Any]] = {
    "AWS::EC2::VPCEndpoint": {
        "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
    },
    "AWS::KMS::Key": {
        "Effect": "Allow", "Principal": {"AWS": {"Ref": "AWS::AccountId"}},
        "Action": "kms:*", "Resource": "*",
    },
}  # fmt: skip
# Properties of a function's permission, as Lambda writes them into the function's policy.
_PERMISSION_CLAUSES: Final = {
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "SourceAccount": ("StringEquals", "aws:SourceAccount"),
    "SourceArn": ("ArnLike", "aws:SourceArn"),
}
# What a policy at a resource of the type can be about, besides the resource.
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::Events::EventBus": ("",),
    "AWS::S3::Bucket": ("", f"/{STAR}"),
    "AWS::SNS::Topic": ("",),
    "AWS::SQS::Queue": ("",),
}


def assemble(
    subject: Subject, view: StackView | None, encode: Encoder, only: Resource | None = None
) -> Policies:
    """Put together the policies of a subject; `only` what one resource says, if given."""
    if view is None:
        return Policies()
    reader = Reader(encode, account_of(encode))
    if subject.kind is Kind.TRUST:
        role = view.resource(subject.name)
        if role is not None and _takes_part(role, only):
            reader.read(role.properties.get("AssumeRolePolicyDocument"), needs_principal=True)
    elif subject.kind is Kind.USE:
        for holder in [only] if only is not None else holders.holders(subject, view):
            _read_use(holder, reader)
    else:
        return _identity(subject, view, reader, only)
    return Policies(frozenset(reader.statements), None, frozenset(reader.unread))


def _is_same(one: Resource, other: Resource | None) -> bool:
    return other is not None and one.logical_id == other.logical_id


def _takes_part(resource: Resource, only: Resource | None) -> bool:
    return only is None or _is_same(only, resource)


def _identity(subject: Subject, view: StackView, reader: Reader, only: Resource | None) -> Policies:
    own = view.resource(subject.name)
    boundary: Reader | None = None
    if own is not None and _takes_part(own, only):
        if own.type in IDENTITIES:
            boundary = _read_identity(own, view, reader, is_whole=only is None)
        else:
            reader.read(own.properties.get("PolicyDocument"))
    for policy in holders.attached(subject, view):
        if _takes_part(policy, only) and policy is not own:
            reader.read(policy.properties.get("PolicyDocument"))
    if (
        only is not None
        and only.type == _MANAGED_POLICY
        and not _is_same(only, own)
        and subject in set(holders.subjects(only, view))
    ):
        reader.read(only.properties.get("PolicyDocument"))
    return Policies(
        frozenset(reader.statements),
        None if boundary is None else frozenset(boundary.statements),
        frozenset(reader.unread | (boundary.unread if boundary else set())),
    )


def _read_identity(
    own: Resource, view: StackView, reader: Reader, *, is_whole: bool
) -> Reader | None:
    """Read what is in an identity itself; give its boundary.

    If not `is_whole`, a policy of the template that it takes is known by name: its text is its
    own resource's.
    """
    for given, when in _all_branches(own.properties.get("Policies")):
        document = given.get("PolicyDocument") if isinstance(given, Mapping) else given
        reader.read(document, when=when)
    for given, when in _all_branches(own.properties.get("ManagedPolicyArns")):
        _read_managed(given, view if is_whole else None, reader, when)
    for given, when in _all_branches(own.properties.get("Groups")):  # a user's
        _read_managed(given, None, reader, when)
    given = own.properties.get("PermissionsBoundary")
    if given is None:
        return None
    boundary = Reader(reader.encoder, reader.account)
    for branch, when in branches(given):
        _read_managed(branch, view if is_whole else None, boundary, when)
    return boundary


def _all_branches(value: Any) -> list[tuple[Any, When]]:
    found: list[tuple[Any, When]] = []
    for listed, when in branches(value):
        for each in listed if isinstance(listed, list) else [] if listed is None else [listed]:
            found += branches(each, when)
    return found


def _read_managed(given: Any, view: StackView | None, reader: Reader, when: When) -> None:
    target = view.target(given) if view is not None else None
    if target is not None and target.type == _MANAGED_POLICY:
        reader.read(target.properties.get("PolicyDocument"), when=when)
        return
    text = reader.encoder.text(given)
    head, slash, name = text.partition(":iam::aws:policy/")
    if slash and head.startswith("arn:") and name in _KNOWN:
        statement = {"Effect": "Allow", "Action": _KNOWN[name], "Resource": "*"}
        reader.read_statement(statement, when=when, needs_principal=False)
        return
    clause = Clause(MANAGED, MANAGED, frozenset({text}))
    reader.statements.add(Statement(allow=True, actions=EVERYTHING, clauses=when | {clause}))


def _read_use(holder: Resource, reader: Reader) -> None:
    properties = holder.properties
    if holder.type == PERMISSION:
        reader.read_statement(_of_permission(properties))
    elif holder.type == BUS_POLICY:
        reader.read_statement(_of_bus_policy(properties))
    elif known := HOLDERS.get(holder.type):
        document = properties.get(known.document)
        if document is not None:
            reader.read(document, needs_principal=True)
        elif holder.type in _DEFAULTS:
            reader.read_statement(_DEFAULTS[holder.type])
    else:
        for _, document in embedded(holder):
            reader.read(document)


def _of_permission(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write a function's permission as the statement that Lambda makes of it."""
    conditions: dict[str, dict[str, Any]] = {}
    for name, value in properties.items():
        if name not in ("Action", "FunctionName", "Principal"):
            operator, key = _PERMISSION_CLAUSES.get(name, ("StringEquals", f"lambda:{name}"))
            conditions.setdefault(operator, {})[key] = value
    principal = properties.get("Principal")
    is_service = isinstance(principal, str) and ".amazonaws.com" in principal
    return {
        "Effect": "Allow",
        "Action": properties.get("Action", "lambda:*"),
        "Principal": "*" if principal == "*" else {"Service" if is_service else "AWS": principal},
        "Condition": conditions,
    }


def _of_bus_policy(properties: Mapping[str, Any]) -> Any:
    """Write a bus policy as a statement, also in its older form."""
    if "Statement" in properties:
        return properties["Statement"]
    principal = properties.get("Principal")
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": properties.get("Action", "events:*"),
        "Principal": "*" if principal == "*" else {"AWS": principal},
    }
    condition = properties.get("Condition")
    if isinstance(condition, Mapping):
        key = str(condition.get("Key"))
        statement["Condition"] = {str(condition.get("Type")): {key: condition.get("Value")}}
    return statement


def about(subject: Subject, view: StackView | None, encode: Encoder) -> tuple[str, ...]:
    """List the patterns of what the policies at a resource can be about; () for anything."""
    owner = view.resource(subject.name) if view is not None else None
    if view is None or owner is None or subject.kind is not Kind.USE:
        return ()
    parts = _PARTS.get(owner.type)
    arn = arn_of(view, owner, encode) if parts else None
    return () if arn is None or parts is None else tuple(f"{arn}{part}" for part in parts)
