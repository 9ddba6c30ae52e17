"""Who may take a role, against who runs with it: the same services, held to the same sources."""

from collections.abc import Iterator, Sequence

from tap_templates.iam.codes import Code
from tap_templates.iam.effective import RolePolicies, Trust
from tap_templates.iam.needs import Clause, Problem, RoleUse, spell
from tap_templates.iam.patterns import is_pattern

_ASSUME = ("sts:AssumeRole",)
_ACCOUNT = "aws:SourceAccount"
_ARN = "aws:SourceArn"
_OPERATORS = {_ACCOUNT: ("StringEquals",), _ARN: ("ArnEquals", "ArnLike", "StringEquals")}
_TAKE_PATTERNS = ("ArnEquals", "ArnLike")  # to the others a `*` is a star


def check_trust(policies: RolePolicies, uses: Sequence[RoleUse], account: str) -> Iterator[Problem]:
    """Compare the trust policy of a role with its uses, in both directions."""
    expected = {use.principal for use in uses}
    for trust in policies.trusts:
        if "*" in trust.principal or trust.kind == "*":
            yield _problem(
                Code.TRUST_STAR,
                policies,
                trust.path,
                f"trusts {trust.kind} {trust.principal}",
                f"trust {' and '.join(sorted(expected)) or 'the one service that uses it'}",
            )
            continue
        if trust.kind != "Service" or trust.principal not in expected:
            yield _problem(
                Code.TRUST_PRINCIPAL,
                policies,
                trust.path,
                f"trusts {trust.kind} {trust.principal}, as which nothing runs with it",
                "take the principal out",
            )
            continue
        yield from _check_one(policies, trust, uses, account)
    trusted = [trust.principal for trust in policies.trusts]
    for principal in sorted(expected - set(trusted)):
        what = f"does not trust {principal}, which runs with it"
        remedy = f"trust {principal}"
        yield _problem(Code.TRUST_PRINCIPAL, policies, "", what, remedy)
    for principal in sorted({each for each in trusted if trusted.count(each) > 1}):
        what = f"trusts {principal} more than once: the widest statement counts"
        yield _problem(Code.TRUST_PRINCIPAL, policies, "", what, "keep one statement")


def check_operated_trust(policies: RolePolicies, account: str) -> Iterator[Problem]:
    """Hold a role that something outside the templates runs with to this account."""
    for trust in policies.trusts:
        clauses = {clause.key.lower(): clause for clause in trust.condition}
        source = clauses.get(_ACCOUNT.lower())
        if "*" in trust.principal or trust.kind == "*":
            yield _problem(
                Code.TRUST_STAR,
                policies,
                trust.path,
                f"trusts {trust.kind} {trust.principal}",
                "trust the one service or role that runs with it",
            )
        elif trust.kind == "Service" and not (source and _holds(source, _ACCOUNT, (account,))):
            yield _problem(
                Code.CONFUSED_DEPUTY,
                policies,
                trust.path,
                f"trusts {trust.principal} under {spell(trust.condition)}, and so for others",
                f"add StringEquals {_ACCOUNT} = {account}",
            )
        elif trust.principal.endswith(":root") and not _is_named(trust):
            yield _problem(
                Code.TRUST_PRINCIPAL,
                policies,
                trust.path,
                f"trusts all of {trust.principal} under {spell(trust.condition)}",
                "hold it to principals by name, with ArnLike or ArnEquals on aws:PrincipalArn",
            )
        elif trust.kind != "Service" and f":{account}:" not in trust.principal:
            yield _problem(
                Code.TRUST_PRINCIPAL,
                policies,
                trust.path,
                f"trusts {trust.kind} {trust.principal}, which is not of this account",
                "take the principal out",
            )


def _is_named(trust: Trust) -> bool:
    """Tell whether an account that is trusted is held to principals with more than a star."""
    for clause in trust.condition:
        if clause.key.lower() == "aws:principalarn" and clause.operator in (
            *_TAKE_PATTERNS,
            "StringEquals",
        ):
            return all(each.rpartition("/")[2].strip("*?") for each in clause.values)
    return False


def _check_one(
    policies: RolePolicies, trust: Trust, uses: Sequence[RoleUse], account: str
) -> Iterator[Problem]:
    if trust.actions != _ASSUME:
        what = f"trusts {trust.principal} with {', '.join(trust.actions)}"
        yield _problem(Code.TRUST_ACTION, policies, trust.path, what, "allow sts:AssumeRole alone")
    served = [use for use in uses if use.principal == trust.principal]
    clauses = {clause.key.lower(): clause for clause in trust.condition}
    wanted: dict[str, tuple[str, ...]] = {}
    if any(use.sends_source for use in served):
        wanted[_ACCOUNT] = (account,)
        sources = {use.source_arn for use in served}
        # With one user whose ARN we cannot rely on, the account is all there is to hold it to.
        if None not in sources:
            wanted[_ARN] = tuple(sorted(each for each in sources if each))
    for key, values in wanted.items():
        clause = clauses.get(key.lower())
        if clause is None or not _holds(clause, key, values):
            yield _problem(
                Code.CONFUSED_DEPUTY,
                policies,
                trust.path,
                f"trusts {trust.principal} under {spell(trust.condition)}, and so for others",
                f"add {_OPERATORS[key][0]} {key} = {', '.join(values)}",
            )
    if len(trust.condition) > len(clauses) or clauses.keys() - {key.lower() for key in wanted}:
        yield _problem(
            Code.CONDITION_DIFFERS,
            policies,
            trust.path,
            f"trusts {trust.principal} under {spell(trust.condition)}, which may never hold",
            f"hold it to {', '.join(sorted(wanted)) or 'nothing: it sends no source keys'}",
        )


def _holds(clause: Clause, key: str, values: tuple[str, ...]) -> bool:
    return (
        clause.operator in _OPERATORS[key]
        and clause.values == values
        and (clause.operator in _TAKE_PATTERNS or not any(map(is_pattern, values)))
    )


def _problem(code: Code, policies: RolePolicies, path: str, what: str, remedy: str) -> Problem:
    place = path or "/Properties/AssumeRolePolicyDocument"
    return Problem(code, policies.role, place, what, remedy)
