"""Two templates in, the changes out: what every test of the comparison says its claim with."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tap_templates.diff.api import compare_templates
from tap_templates.diff.model import Change, Template

Body = Mapping[str, Any]
Comparing = Callable[..., dict[str, Change]]


def changes_between(
    before: Body | None,
    after: Body | None,
    *,
    regions: tuple[str, ...] = ("us-east-1",),
    given: tuple[Body, Body] = ({}, {}),
    **options: Any,
) -> dict[str, Change]:
    """Give the changes by id; `given` are the manifests' parameter values before and after."""
    sides = [
        {"t.json": Template(path="t.json", body={"Resources": {}, **body}, parameters=values)}
        if body is not None
        else {}
        for body, values in zip((before, after), given, strict=True)
    ]
    diff = compare_templates(*sides, regions=regions, **options)
    return {change.id: change for template in diff.templates for change in template.changes}


def one_resource(kind: str, properties: Body, **attributes: Any) -> Body:
    return {"Resources": {"R": {"Type": kind, "Properties": properties, **attributes}}}


@pytest.fixture
def changes() -> Comparing:
    """Compare two template bodies."""
    return changes_between


@pytest.fixture
def resource() -> Callable[..., Change | None]:
    """Compare two versions of the one resource `R`; None if nothing changed."""

    def compare(
        kind: str, before: Body, after: Body, *, both: Body | None = None, **options: Any
    ) -> Change | None:
        """`both` holds sections that both templates have besides."""
        bodies = []
        for properties in (before, after):
            body = one_resource(kind, properties)
            common = dict(both or {})
            extra = common.pop("Resources", {})
            bodies.append({**common, "Resources": {**body["Resources"], **extra}})
        return changes_between(*bodies, **options).get("R")

    return compare
