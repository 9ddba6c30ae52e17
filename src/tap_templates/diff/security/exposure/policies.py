"""Policies at resources that let strangers in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tap_templates.diff.model import Resource, StackView
from tap_templates.diff.security.choices import alternatives
from tap_templates.diff.security.exposure.found import Exposure, Exposures
from tap_templates.diff.security.naming import encoder
from tap_templates.diff.security.permissions.assembly import assemble
from tap_templates.diff.security.permissions.containment import Verdict, compare
from tap_templates.diff.security.permissions.holders import PERMISSION, Kind, subjects
from tap_templates.diff.security.permissions.statements import (
    EVERYTHING,
    NOTHING,
    Clause,
    Policies,
    Statement,
    words,
)
from tap_templates.diff.security.texts import STAR, Atoms
from tap_templates.diff.values import scalar_text

# A condition on one of these ties a request to an account, an organisation or a network.
_BINDING: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)
# Their policies narrow what else is decided elsewhere: they let nobody in by themselves.
_NOT_ALONE: Final = frozenset({"AWS::ApiGateway::RestApi", "AWS::EC2::VPCEndpoint"})
_STRANGER: Final = "a stranger's account"


def exposures(resource: Resource, view: StackView) -> Exposures:
    """Find what the resource policies that a resource takes part in open to strangers."""
    if resource.type == PERMISSION:
        return _permission(resource)
    if resource.type in _NOT_ALONE:
        return {}
    found: dict[str, Exposure] = {}
    for subject in subjects(resource, view):
        if subject.kind is Kind.IDENTITY:
            continue
        atoms = Atoms()
        encode = encoder(view, atoms)
        policies = assemble(subject, view, encode)
        witness = _open_to_strangers(policies, atoms, view.region)
        if witness:
            because = f"{subject.name} {subject.kind} anyone: nothing ties it to an account"
            found[f"{subject.kind} {subject.name}"] = Exposure(because, witness)
    return found


def _open_to_strangers(policies: Policies, atoms: Atoms, region: str) -> str:
    """Find a request that a principal of another account may make, bound by nothing."""
    if not any(map(_is_for_strangers, policies.statements)):
        return ""
    stranger = words([f"AWS:{atoms.fixed(_STRANGER)}:{STAR}"])
    used = {clause.key for statement in policies.statements for clause in statement.clauses}
    unbound = frozenset(Clause("null", key, frozenset({"true"})) for key in _BINDING & used)
    boundary = Statement(allow=True, actions=EVERYTHING, principals=stranger, clauses=unbound)
    statements = frozenset(map(_without_empty_bounds, policies.statements))
    opened = Policies(statements, frozenset({boundary}))
    found = compare(NOTHING, opened, atoms=atoms, region=region or "us-east-1")
    if found.verdict is not Verdict.BROADER or found.witness is None:
        return ""
    on = f" on {found.witness.resource}" if found.witness.resource else ""
    return f"{found.witness.action}{on} by anyone"


def _is_for_strangers(statement: Statement) -> bool:
    """Tell whether a statement allows anything to principals of any account at all."""
    principals = statement.principals
    return statement.allow and (
        principals.negated
        or any(each.text.startswith((STAR, f"AWS:{STAR}")) for each in principals.patterns)
    )


def _without_empty_bounds(statement: Statement) -> Statement:
    """Leave out conditions that any value meets: they bind nothing."""
    if not statement.allow:
        return statement
    kept = frozenset(
        clause
        for clause in statement.clauses
        if not (clause.key in _BINDING and clause.values & {STAR, "0.0.0.0/0", "::/0"})
    )
    return replace(statement, clauses=kept)


def _permission(resource: Resource) -> Exposures:
    """Look at a function's permission, as Lambda makes a statement of it."""
    properties = resource.properties
    if _is_bound(properties):
        return {}
    found: dict[str, Exposure] = {}
    for principal in alternatives(properties.get("Principal")):
        text = scalar_text(principal) or ""
        action = scalar_text(properties.get("Action")) or "lambda:InvokeFunction"
        if text == "*" and properties.get("FunctionUrlAuthType") != "AWS_IAM":
            because = "anyone may call the function: nothing ties the permission to an account"
            found["Principal *"] = Exposure(because, f"{action} by anyone")
        elif ".amazonaws.com" in text:
            because = (
                f"{text} may call the function for any account: "
                "the permission has neither SourceArn nor SourceAccount"
            )
            witness = f"{action} by {text} for another account"
            found[f"Principal {text}"] = Exposure(because, witness)
    return found


def _is_bound(properties: Mapping[str, Any]) -> bool:
    if any(properties.get(key) for key in ("SourceAccount", "PrincipalOrgID", "EventSourceToken")):
        return True
    source = properties.get("SourceArn")
    text = scalar_text(source)
    if text is None:
        return source is not None
    parts = text.split(":", 5)
    # An account that is any account, or a bucket, which has none, that is any bucket.
    return len(parts) == 6 and parts[4] != "*" and not (parts[4] == "" and parts[5][:1] == "*")
