"""Fixtures: two templates, and the flags of one resource between them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tap_templates.diff.model import Analyser, Context, Flag, Template
from tap_templates.diff.view import View

Judge = Callable[..., list[Flag]]


def _view(resources: Mapping[str, Any] | None, parameters: Mapping[str, Any]) -> View | None:
    if resources is None:
        return None
    body = {"Parameters": parameters, "Resources": resources}
    return View(Template(path="a/b.json", body=body, regions=("us-east-1",)), "us-east-1")


@pytest.fixture
def judge() -> Judge:
    """Ask an analyser about all resources that differ between two sets of resources."""

    def ask(
        analyser: Analyser,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        *,
        parameters: Mapping[str, Any] | None = None,
    ) -> list[Flag]:
        old, new = (_view(each, parameters or {}) for each in (before, after))
        context = Context(path="a/b.json", region="us-east-1", before=old, after=new)
        found: list[Flag] = []
        for name in sorted({*before, *after}):
            sides = [view.resource(name) if view else None for view in (old, new)]
            if sides[0] and sides[1] and sides[0].properties == sides[1].properties:
                continue
            found += analyser(sides[0], sides[1], context)
        return found

    return ask
