"""Resolve a rendered template for one region: plain data, with every intrinsic function gone.

Takes the template as parsed from the bytes that ship, and the parameter values; touches nothing
else. What AWS generates becomes a token (`tokens`). What we cannot evaluate raises `ResolveError`:
a template we do not understand is not judged at all, rather than in part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tap_templates.rendered.evaluator import Evaluator, ResolveError, Scope
from tap_templates.rendered.texts import texts

__all__ = ["ACCOUNT", "ResolveError", "ResolvedResource", "ResolvedStack", "resolve_stack"]

ACCOUNT = "111122223333"  # stands for the account, which a template cannot know; AWS's own example


@dataclass(frozen=True, slots=True)
class ResolvedResource:
    """One resource as AWS will see it in this region."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    name: str | None  # physical name; None if AWS generates it
    arn: str | None  # None if the type is not in `arns.SHAPES`, or has no ARN
    ref: str
    raw: Mapping[str, Any]  # as the template has it, with DependsOn, DeletionPolicy, Metadata
    # The texts in its properties, with their JSON pointers below the resource: asked for so often
    # that they are read off once.
    texts: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", tuple(texts(self.properties, "/Properties")))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedStack:
    """One stack in one region."""

    stack: str
    region: str
    resources: Mapping[str, ResolvedResource]
    outputs: Mapping[str, Any]
    exports: Mapping[str, str]  # output → the name it is exported under
    parameters: Mapping[str, Any]


def resolve_stack(
    template: Mapping[str, Any],
    *,
    stack: str,
    region: str,
    parameters: Mapping[str, str],
    account: str = ACCOUNT,
    partition: str = "aws",
) -> ResolvedStack:
    """Resolve `template`; a parameter is what is given, else its default, else a token.

    Raises ResolveError for an intrinsic we do not evaluate, a reference to nothing (or to a
    resource whose condition is false), and a condition that hangs on an unknown value.
    """
    scope = Scope(
        template=template,
        stack=stack,
        region=region,
        parameters=parameters,
        account=account,
        partition=partition,
    )
    evaluator = Evaluator(scope)
    resources = {
        logical_id: _resource(evaluator, logical_id)
        for logical_id in template.get("Resources", {})
        if evaluator.exists("Resources", logical_id)
    }
    outputs: dict[str, Any] = {}
    exports: dict[str, str] = {}
    for name, output in template.get("Outputs", {}).items():
        if evaluator.exists("Outputs", name):
            outputs[name] = evaluator.value(output["Value"], f"/Outputs/{name}/Value")
            if "Export" in output:
                path = f"/Outputs/{name}/Export/Name"
                exports[name] = str(evaluator.value(output["Export"]["Name"], path))
    return ResolvedStack(
        stack=stack,
        region=region,
        resources=resources,
        outputs=outputs,
        exports=exports,
        parameters=evaluator.parameters(),
    )


def _resource(evaluator: Evaluator, logical_id: str) -> ResolvedResource:
    raw = evaluator.scope.template["Resources"][logical_id]
    path = f"/Resources/{logical_id}/Properties"
    identity = evaluator.identity(logical_id, path)
    return ResolvedResource(
        logical_id=logical_id,
        type=raw["Type"],
        properties=evaluator.value(raw.get("Properties", {}), path),
        name=identity.name,
        arn=identity.arn,
        ref=identity.ref,
        raw=raw,
    )
