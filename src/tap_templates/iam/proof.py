"""The proof that every role may do what is done with it, and nothing else.

What services do without a role is proven the same way, in `resource_policies`.

    templates of both regions ─▶ uses of roles ─▶ needs ┐
    code of the handlers ──────▶ AWS calls ────▶ needs ─┼─ equal, permission by permission?
    templates of both regions ─▶ policies ─────▶ grants ┘

A permission is one action on one resource under one condition, and the two sides must be the same
set: a need without its grant fails at run time, a grant without its need is a privilege nobody
uses. Whatever cannot be judged on the way is a finding too. Nothing here touches AWS; what a need
is rests on the tables in `actions`, `integrations`, `services` and the modules named `…_needs`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tap_templates.iam.codes import Code
from tap_templates.iam.effective import Grant, RolePolicies, role_policies, stray_policies, within
from tap_templates.iam.endpoint_policies import CodeNeeds, check_endpoints
from tap_templates.iam.function_code import HandlerCode, Handlers, code_of
from tap_templates.iam.knowledge import find_action
from tap_templates.iam.needs import Need, Permission, Problem, RoleUse, spell
from tap_templates.iam.patterns import covers, covers_action, is_pattern
from tap_templates.iam.platform_needs import role_uses
from tap_templates.iam.resource_policies import check_resource_policies, demanded, derive
from tap_templates.iam.service_use import ServiceUse
from tap_templates.iam.trust import check_operated_trust, check_trust
from tap_templates.model.findings import Finding, Severity
from tap_templates.rendered.view import Located, SystemView

__all__ = ["HandlerCode", "Handlers", "Privilege", "privileges", "prove"]

_VARIABLE = re.compile(r"\$\{[^}]+\}")
_NONE_OPERATED: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, order=True)
class Privilege:
    """A row of the privilege table: what a role may do, and what for."""

    region: str
    stack: str
    role: str  # its name
    action: str
    resource: str
    condition: str
    why: str


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All that bears on the roles of a system."""

    policies: list[RolePolicies]
    uses: dict[str, list[RoleUse]]  # by role ARN
    needs: dict[str, list[Need]]
    services: list[ServiceUse]  # what is done without a role
    code: list[CodeNeeds]  # of the functions
    problems: list[Problem]


def prove(
    view: SystemView,
    handlers: Handlers | HandlerCode,
    operated: Mapping[str, str] = _NONE_OPERATED,
) -> list[Finding]:
    """Compare needs and grants of every role and resource policy; no finding: they are equal.

    Of a role in `operated` (name → who runs with it) nobody here knows the needs: its policies are
    only judged by themselves, and whom it trusts must be held to this account.

    `handlers` gives the sources of each package: name → path → text, the path as Python imports it
    (`trading_processor/app.py`). Who proves more than one view passes a `HandlerCode` instead, and
    the code is read once.
    """
    evidence = _gather(view, handlers)
    problems = [*evidence.problems, *stray_policies(view)]
    needs = [need for each in evidence.needs.values() for need in each]
    problems += check_resource_policies(view, needs, evidence.services)
    problems += check_endpoints(view, evidence.code)
    for policies in evidence.policies:
        arn = str(policies.role.resource.arn)
        problems += policies.problems
        if is_operated(policies.role.resource.name or "", operated):
            problems += _check_operated(policies, view.account)
            problems += [found for grant in policies.grants for found in _read(grant)]
            continue
        if arn not in evidence.uses:
            what = "is a role nothing runs with"
            remedy = "take it out"
            problems.append(Problem(Code.ROLE_UNUSED, policies.role, "", what, remedy))
        problems += check_trust(policies, evidence.uses.get(arn, []), view.account)
        problems += [*_check_boundary(policies), *_check_repeats(policies)]
        problems += _compare(policies, evidence.needs.get(arn, []))
        problems += [found for grant in policies.grants for found in _read(grant)]
    return sorted({_finding(view, problem) for problem in problems})


def privileges(view: SystemView, handlers: Handlers | HandlerCode) -> list[Privilege]:
    """List what each role needs and why: of a proven system, all it may do.

    A service that needs no role is listed by its principal, at the resource that admits it.
    """
    evidence = _gather(view, handlers)
    return sorted(
        {_service_privilege(use) for use in evidence.services}
        | {
            Privilege(
                policies.role.stack.region,
                policies.role.stack.stack,
                policies.role.resource.name or policies.role.resource.ref,
                need.permission.action
                if need.permission.effect == "Allow"
                else f"not {need.permission.action}",
                need.permission.resource,
                spell(need.permission.condition) if need.permission.condition else "",
                need.why,
            )
            for policies in evidence.policies
            for need in evidence.needs.get(str(policies.role.resource.arn), [])
        }
    )


def is_operated(name: str, operated: Mapping[str, str]) -> bool:
    """Tell whether a role is among those; their names may have variables, such as the suffix."""
    return any(
        re.fullmatch("[a-z0-9-]+".join(map(re.escape, _VARIABLE.split(each))), name)
        for each in operated
    )


def _service_privilege(use: ServiceUse) -> Privilege:
    when, stack = demanded(use), use.owner.stack
    return Privilege(
        stack.region,
        stack.stack,
        use.principal,
        use.action,
        use.arn,
        spell(when) if when else "",
        use.why,
    )


def _gather(view: SystemView, handlers: Handlers | HandlerCode) -> _Evidence:
    code = code_of(handlers)
    uses: dict[str, list[RoleUse]] = defaultdict(list)
    needs: dict[str, list[Need]] = defaultdict(list)
    functions: list[CodeNeeds] = []
    services, problems = derive(view)
    for outcome in role_uses(view):
        match outcome:
            case Problem():
                problems.append(outcome)
            case RoleUse():
                problems += _check_role(view, outcome)
                uses[outcome.role_arn].append(outcome)
                needs[outcome.role_arn] += outcome.needs
                if outcome.user.resource.type == "AWS::Lambda::Function":
                    called, untold = code.needs(view, outcome.user)
                    needs[outcome.role_arn] += called
                    functions.append(CodeNeeds(outcome.user, tuple(called)))
                    problems += untold
    return _Evidence(role_policies(view), dict(uses), dict(needs), services, functions, problems)


def _check_role(view: SystemView, use: RoleUse) -> Iterator[Problem]:
    role = view.find(use.role_arn)
    if role is None or role.resource.type != "AWS::IAM::Role":
        yield Problem(
            Code.ROLE_USER_UNKNOWN,
            use.user,
            use.path,
            f"runs with {use.role_arn}, which is no role of this system",
            "make the role in this system, so that its policy is proven too",
        )


def _compare(policies: RolePolicies, needs: Iterable[Need]) -> Iterator[Problem]:
    """Compare the two sets of one role."""
    wanted: dict[Permission, str] = {}
    for need in sorted(needs):
        wanted.setdefault(need.permission, need.why)
    granted = {grant.permission for grant in policies.grants}
    explained: set[Permission] = set()  # needs some other finding already speaks of
    for grant in policies.grants:
        if grant.permission not in wanted:
            problem, about = _explain(grant, wanted)
            explained |= about
            yield problem
    for permission, why in wanted.items():
        if permission not in granted | explained:
            what = f"lacks {permission}, needed by {why}"
            remedy = f"allow {permission.action} on exactly that resource"
            yield Problem(Code.MISSING, policies.role, "", what, remedy)


def _check_operated(policies: RolePolicies, account: str) -> Iterator[Problem]:
    """Judge a role whose user is outside the templates by what it says."""
    yield from check_operated_trust(policies, account)
    for grant in policies.grants:
        if is_pattern(grant.permission.action):
            what = f"may {grant.permission}, a pattern of actions"
            yield _about(Code.WILDCARD_ACTION, grant, what, "list the actions that are used")


def _check_boundary(policies: RolePolicies) -> Iterator[Problem]:
    for grant in policies.grants if policies.boundary is not None else ():
        permission = grant.permission
        if permission.effect == "Allow" and not within(policies.boundary or (), permission):
            what = f"may not {permission}: its boundary stops it"
            remedy = "allow it in the boundary, or take the boundary out"
            path = "/Properties/PermissionsBoundary"
            yield Problem(Code.MISSING, policies.role, path, what, remedy)


def _check_repeats(policies: RolePolicies) -> Iterator[Problem]:
    seen: set[Permission] = set()
    for grant in policies.grants:
        if grant.permission in seen:
            what = f"may twice: {grant.permission}"
            yield _about(Code.REPEATED, grant, what, "keep one of the statements")
        seen.add(grant.permission)


def _explain(grant: Grant, wanted: dict[Permission, str]) -> tuple[Problem, set[Permission]]:
    """Say how a grant that nobody needs as it is differs from what is needed."""
    permission = grant.permission
    alike = [
        need
        for need in wanted
        if need.effect == permission.effect and covers_action(permission.action, need.action)
    ]
    if is_pattern(permission.action):
        what = f"may {permission}, a pattern of actions"
        names = ", ".join(sorted({need.action for need in alike})) or "the actions that are used"
        return _about(Code.WILDCARD_ACTION, grant, what, f"list {names}"), set(alike)
    for need in alike:
        if need.resource == permission.resource:
            if not permission.condition:
                what = f"may {permission} without the condition {spell(need.condition)}"
                remedy = f"add {spell(need.condition)}"
                return _about(Code.NO_CONDITION, grant, what, remedy), {need}
            what = f"may {permission}, where {spell(need.condition)} is what holds"
            remedy = f"say {spell(need.condition)}"
            return _about(Code.CONDITION_DIFFERS, grant, what, remedy), {need}
    covered = [need for need in alike if covers(permission.resource, need.resource)]
    if covered:
        what = f"may {permission}, which is more than {covered[0].resource}"
        remedy = f"name {', '.join(sorted(need.resource for need in covered))}"
        return _about(Code.BROADER, grant, what, remedy), set(covered)
    verb = "may" if permission.effect == "Allow" else "has a"
    what = f"{verb} {permission}, which nothing uses"
    return _about(Code.UNUSED, grant, what, "take it out, or correct it if it is meant"), set()


def _read(grant: Grant) -> Iterator[Problem]:
    """Judge a grant by itself, whoever needs it."""
    permission = grant.permission
    action = find_action(permission.action)
    if action is None:
        if not is_pattern(permission.action):
            what = f"names {permission.action}, which IAM does not know"
            remedy = "take the action from the service authorization reference"
            yield _about(Code.UNKNOWN_ACTION, grant, what, remedy)
        return
    is_anything = not permission.resource.strip("*?:")
    held = permission.condition or permission.effect == "Deny"
    if is_anything and action.takes_resource and not held:
        what = f"may {permission.action} on {permission.resource}, but a resource can be named"
        yield _about(Code.STAR_BUT_RESOURCE_LEVEL, grant, what, "name the ARN")
    for clause in permission.condition:
        if not action.supports(clause.key):
            what = f"has a condition on {clause.key}, which {permission.action} does not carry"
            remedy = "take a key the service authorization reference lists for the action"
            yield _about(Code.CONDITION_KEY_UNSUPPORTED, grant, what, remedy)


def _about(code: Code, grant: Grant, what: str, remedy: str) -> Problem:
    return Problem(code, grant.located, grant.path, what, remedy)


def _finding(view: SystemView, problem: Problem) -> Finding:
    located: Located = problem.located
    return Finding(
        system=view.system,
        stack=located.stack.stack,
        logical_id=located.resource.logical_id,
        path=problem.path,
        code=problem.code.code,
        severity=Severity.ERROR,
        what=f"{problem.what} (in {located.stack.region})",
        remedy=problem.remedy,
        source_url=problem.code.source_url,
    )
