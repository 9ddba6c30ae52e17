"""What the roles of a system may do and who may take them, as the rendered templates say.

Takes a `SystemView`, gives a `RolePolicies` a role: permissions one by one, each with its place.
What a policy says that we do not read is a problem, never left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tap_templates.iam.codes import Code
from tap_templates.iam.knowledge import find_action
from tap_templates.iam.needs import Condition, Permission, Problem, condition
from tap_templates.iam.patterns import covers
from tap_templates.iam.secrets import as_named
from tap_templates.rendered.view import Located, SystemView, texts

_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}
_TRUST_ELEMENTS = {"Sid", "Effect", "Action", "Principal", "Condition"}
_RESOURCE_ELEMENTS = _ELEMENTS | {"Principal"}
_BANNED = ("NotAction", "NotResource", "NotPrincipal")
# A set operator that is true of the empty set and negated at once: nobody agrees on what it says.
_BANNED_OPERATOR = "ForAnyValue:StringNot"
_POLICY_TYPES = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission and the statement it is in."""

    permission: Permission
    located: Located
    path: str


@dataclass(frozen=True, slots=True)
class Trust:
    """One principal of a trust policy."""

    kind: str  # Service, AWS, Federated, or `*`
    principal: str
    actions: tuple[str, ...]
    condition: Condition
    path: str


@dataclass(frozen=True, slots=True)
class Admission:
    """One principal of a statement in a resource policy."""

    kind: str  # Service, AWS, Federated, or `*`
    principal: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Condition
    located: Located
    path: str
    effect: str = "Allow"


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """All that is said about one role."""

    role: Located
    grants: tuple[Grant, ...]
    trusts: tuple[Trust, ...]
    boundary: tuple[Permission, ...] | None  # None: there is none
    problems: tuple[Problem, ...]


def role_policies(view: SystemView) -> list[RolePolicies]:
    """Read the policies of every role in the view, in its order."""
    policies = list(view.resources(*_POLICY_TYPES))
    return [_read_role(view, role, policies) for role in view.resources("AWS::IAM::Role")]


def admissions(located: Located, document: Any, path: str) -> tuple[list[Admission], list[Problem]]:
    """Read whom a resource policy admits or refuses, and what of it cannot be read."""
    reader = _Reader()
    return list(reader.read_resource_policy(located, document, path)), reader.problems


def stray_policies(view: SystemView) -> Iterator[Problem]:
    """Find policies that are attached to no role of the view: nobody proves them."""
    roles = list(view.resources("AWS::IAM::Role"))
    boundaries = {str(role.resource.properties.get("PermissionsBoundary")) for role in roles}
    for policy in view.resources(*_POLICY_TYPES):
        attached = any(_is_attached(policy, role) for role in roles)
        others = policy.resource.properties.keys() & {"Users", "Groups"}
        if (not attached and policy.resource.arn not in boundaries) or others:
            yield Problem(
                Code.ROLE_USER_UNKNOWN,
                policy,
                "/Properties",
                f"is attached to {', '.join(sorted(others)) or 'no role of this system'}",
                "attach it to a role that a resource runs with, or take it out",
            )


def _is_attached(policy: Located, role: Located) -> bool:
    properties = policy.resource.properties
    names = [*properties.get("Roles", []), properties.get("RoleName")]
    return role.resource.ref in names or (
        policy.resource.arn is not None
        and policy.resource.arn in role.resource.properties.get("ManagedPolicyArns", [])
    )


def _read_role(view: SystemView, role: Located, policies: list[Located]) -> RolePolicies:
    reader = _Reader()
    properties = role.resource.properties
    for index, policy in enumerate(properties.get("Policies", [])):
        path = f"/Properties/Policies/{index}/PolicyDocument"
        reader.read_policy(role, policy.get("PolicyDocument"), path)
    for policy in policies:
        if _is_attached(policy, role):
            document = policy.resource.properties.get("PolicyDocument")
            reader.read_policy(policy, document, "/Properties/PolicyDocument")
    for index, arn in enumerate(properties.get("ManagedPolicyArns", [])):
        if view.find(arn) is None:
            reader.problem(
                Code.MANAGED_POLICY,
                role,
                f"/Properties/ManagedPolicyArns/{index}",
                f"takes {arn}, which is not ours and may change without us",
                "grant the actions that are used, in the role itself",
            )
    trusts = tuple(
        reader.read_trust(
            role,
            properties.get("AssumeRolePolicyDocument"),
            "/Properties/AssumeRolePolicyDocument",
        )
    )
    grants = tuple(reader.grants)
    boundary = _boundary(view, role, reader)
    return RolePolicies(role, grants, trusts, boundary, tuple(reader.problems))


def _boundary(view: SystemView, role: Located, reader: "_Reader") -> tuple[Permission, ...] | None:
    arn = role.resource.properties.get("PermissionsBoundary")
    if arn is None:
        return None
    policy = view.find(str(arn))
    if policy is None or policy.resource.type != "AWS::IAM::ManagedPolicy":
        path = "/Properties/PermissionsBoundary"
        what = f"is bounded by {arn}, which is not in this system"
        reader.problem(Code.BOUNDARY, role, path, what, "make the boundary in this system")
        return None
    before = len(reader.grants)
    document = policy.resource.properties.get("PolicyDocument")
    reader.read_policy(policy, document, "/Properties/PolicyDocument")
    return tuple(grant.permission for grant in reader.grants[before:])


def within(boundary: tuple[Permission, ...], permission: Permission) -> bool:
    """Tell whether a boundary lets `permission` through."""
    return any(
        each.effect == "Allow"
        and not each.condition
        and covers(each.action.lower(), permission.action.lower())
        and covers(each.resource, permission.resource)
        for each in boundary
    ) and not any(each.effect == "Deny" for each in boundary)


class _Reader:
    """Collects what the policies of one role say."""

    def __init__(self) -> None:
        self.grants: list[Grant] = []
        self.problems: list[Problem] = []

    def problem(self, code: Code, located: Located, path: str, what: str, remedy: str) -> None:
        self.problems.append(Problem(code, located, path, what, remedy))

    def read_policy(self, located: Located, document: Any, path: str) -> None:
        for place, statement in self._statements(located, document, path, _ELEMENTS):
            when = self._condition(located, statement, place)
            for action in _listed(statement.get("Action")):
                known = find_action(action)
                for resource in _listed(statement.get("Resource")):
                    permission = Permission(
                        known.name if known else action,
                        as_named(resource),
                        when,
                        statement["Effect"],
                    )
                    self.grants.append(Grant(permission, located, place))

    def read_trust(self, located: Located, document: Any, path: str) -> Iterator[Trust]:
        for place, statement in self._statements(located, document, path, _TRUST_ELEMENTS):
            if statement["Effect"] != "Allow":
                what = "denies someone the role, which we do not judge"
                self.problem(Code.TRUST_ACTION, located, place, what, "trust fewer instead")
            when = self._condition(located, statement, place)
            actions = _listed(statement.get("Action"))
            for kind, name in _principals(statement):
                yield Trust(kind, name, actions, when, place)

    def read_resource_policy(
        self, located: Located, document: Any, path: str
    ) -> Iterator[Admission]:
        for place, statement in self._statements(located, document, path, _RESOURCE_ELEMENTS):
            when = self._condition(located, statement, place)
            known = ((each, find_action(each)) for each in _listed(statement.get("Action")))
            actions = tuple(found.name if found else each for each, found in known)
            for kind, name in _principals(statement):
                yield Admission(
                    kind,
                    name,
                    actions,
                    _listed(statement.get("Resource")),
                    when,
                    located,
                    place,
                    statement["Effect"],
                )

    def _statements(
        self, located: Located, document: Any, path: str, elements: set[str]
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        found = document.get("Statement") if isinstance(document, Mapping) else None
        statements = [found] if isinstance(found, Mapping) else found
        if not isinstance(statements, list):
            self.problem(Code.MALFORMED, located, path, "has no statements", "write a policy")
            return
        for index, statement in enumerate(statements):
            place = f"{path}/Statement/{index}"
            if self._is_readable(located, statement, place, elements):
                yield place, statement

    def _is_readable(self, located: Located, statement: Any, path: str, elements: set[str]) -> bool:
        if not isinstance(statement, Mapping):
            self.problem(Code.MALFORMED, located, path, "is no statement", "write one")
            return False
        for banned in _BANNED:
            if banned in statement:
                what = f"uses {banned}, which grants whatever AWS adds later"
                self.problem(Code.BANNED_ELEMENT, located, path, what, "name what is meant")
                return False
        for at, text in texts({k: v for k, v in statement.items() if k != "Sid"}, path):
            if "${" in text:
                what = f"uses a policy variable: {text}"
                self.problem(Code.BANNED_ELEMENT, located, at, what, "write the value")
                return False
        unknown = sorted(statement.keys() - elements)
        needed = elements - {"Sid", "Condition"}
        is_whole = all(statement.get(each) for each in needed)
        if unknown or not is_whole or statement.get("Effect") not in ("Allow", "Deny"):
            what = f"needs {', '.join(sorted(needed))}, and has {', '.join(sorted(statement))}"
            self.problem(Code.MALFORMED, located, path, what, "correct the statement")
            return False
        return True

    def _condition(self, located: Located, statement: Mapping[str, Any], path: str) -> Condition:
        given = statement.get("Condition", {})
        if not isinstance(given, Mapping):
            what = "has a condition without operators"
            self.problem(Code.MALFORMED, located, f"{path}/Condition", what, "name an operator")
            return ()
        clauses: list[tuple[str, str, tuple[str, ...]]] = []
        for operator, keys in given.items():
            if operator.startswith(_BANNED_OPERATOR):
                what = f"uses {operator}, on whose meaning evaluators disagree"
                self.problem(Code.BANNED_ELEMENT, located, f"{path}/Condition", what, "name values")
            if not isinstance(keys, Mapping):
                what = f"has {operator} without keys"
                self.problem(Code.MALFORMED, located, f"{path}/Condition", what, "name a key")
                continue
            clauses += [(operator, key, _listed(values)) for key, values in keys.items()]
        return condition(*clauses)


def _principals(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    principals = statement.get("Principal")
    if isinstance(principals, str):
        principals = {principals: principals}
    for kind, names in principals.items() if isinstance(principals, Mapping) else ():
        for name in _listed(names):
            yield kind, name


def _listed(value: Any) -> tuple[str, ...]:
    """Read what may be one value or a list; a boolean is spelled as IAM compares it."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)
