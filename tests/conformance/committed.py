"""A system as it is committed under build/templates/: what others would deploy."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tap_templates.rendered.view import StackSource, SystemView, resolve_system

Template = Mapping[str, Any]


def manifest_of(root: Path, system: str) -> Mapping[str, Any]:
    return json.loads((root / "build" / "templates" / system / "manifest.json").read_bytes())


def templates_of(root: Path, manifest: Mapping[str, Any]) -> Mapping[str, Template]:
    """Read the templates by the names of their stacks."""
    folder = root / "build" / "templates" / manifest["system"]
    return {
        stack["name"]: json.loads((folder / stack["template"]).read_bytes())
        for stack in manifest["stacks"]
    }


def view_of(
    manifest: Mapping[str, Any], templates: Mapping[str, Template], **overrides: str
) -> SystemView:
    """Resolve both regions with every intrinsic, as AWS would see them."""
    return resolve_system(
        manifest["system"],
        [
            StackSource(s["name"], templates[s["name"]], s["regions"], s["parameters"])
            for s in manifest["stacks"]
        ],
        overrides=overrides,
    )


def property_finder(view: SystemView):
    """Look the resolved properties up of a stack's resource in a region, by its logical id."""

    def find(stack: str, region: str, logical_id: str) -> Mapping[str, Any]:
        found = view.stack(stack, region)
        assert found is not None, f"{stack} has no instance in {region}"
        return found.resources[logical_id].properties

    return find
