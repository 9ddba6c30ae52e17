"""trading-events as it is committed under build/templates/: what others would deploy."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tap_templates.rendered.view import StackSource, SystemView, resolve_system

NAME = "trading-events"


@pytest.fixture(scope="session")
def manifest(root) -> Mapping[str, Any]:
    return json.loads((root / "build" / "templates" / NAME / "manifest.json").read_bytes())


@pytest.fixture(scope="session")
def committed(root, manifest) -> Mapping[str, Mapping[str, Any]]:
    """Stack name to template, as committed."""
    folder = root / "build" / "templates" / NAME
    return {
        stack["name"]: json.loads((folder / stack["template"]).read_bytes())
        for stack in manifest["stacks"]
    }


@pytest.fixture(scope="session")
def view(manifest, committed) -> SystemView:
    """Both regions with every intrinsic resolved, as AWS would see them."""
    return resolve_system(
        NAME,
        [
            StackSource(s["name"], committed[s["name"]], s["regions"], s["parameters"])
            for s in manifest["stacks"]
        ],
    )


@pytest.fixture
def resource(view):
    """Look the resolved properties up of a stack's resource in a region, by its logical id."""

    def find(stack: str, region: str, logical_id: str) -> Mapping[str, Any]:
        found = view.stack(stack, region)
        assert found is not None, f"{stack} has no instance in {region}"
        return found.resources[logical_id].properties

    return find
