"""The resources behind a result, for the page: some are easier to read whole."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tap_templates.diff.api import DEFAULT_REGION
from tap_templates.diff.model import Action, Change, Diff, Template
from tap_templates.diff.security.secrets.masking import masked
from tap_templates.diff.view import View

Properties = Mapping[str, Any]
# Where properties begin that are shown as structures: Definition, DefinitionString, EventPattern.
STRUCTURED: Final = ("/Properties/Definition", "/Properties/EventPattern")


class Sides(NamedTuple):
    """A resource's evaluated properties, secrets masked; None where it does not exist."""

    before: Properties | None
    after: Properties | None


Bodies = Mapping[tuple[str, str], Sides]


def bodies(diff: Diff, before: Mapping[str, Template], after: Mapping[str, Template]) -> Bodies:
    """Give both sides of what is shown whole, by path and id, as in its first region."""
    found: dict[tuple[str, str], Sides] = {}
    for each in diff.templates:
        sides = [_view(templates.get(each.path)) for templates in (before, after)]
        for change in each.changes:
            if _is_shown_whole(change):
                found[each.path, change.id] = Sides(*(_properties(s, change.id) for s in sides))
    return found


def _is_shown_whole(change: Change) -> bool:
    if change.section != "Resources" or change.cosmetic or not change.type:
        return False
    return change.action is not Action.MODIFY or any(
        each.path.startswith(STRUCTURED) for each in change.properties
    )


def _view(template: Template | None) -> View | None:
    if template is None:
        return None
    return View(template, template.regions[0] if template.regions else DEFAULT_REGION)


def _properties(view: View | None, logical_id: str) -> Properties | None:
    resource = view.resource(logical_id) if view and logical_id in view.ids() else None
    if resource is None:
        return None
    # With the raw resource around it, as the comparison masks: a name beside a value counts.
    within = resource.raw
    return {
        key: masked(value, ("Properties", key), within=within)
        for key, value in resource.properties.items()
    }
