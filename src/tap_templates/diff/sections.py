"""Compare what is not a resource: outputs, parameters, mappings, conditions and the rest.

What a parameter, mapping or condition does to resources is told at those resources; here is only
what changes for whoever deploys the template.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tap_templates.diff.compare import Difference, differences
from tap_templates.diff.draft import Draft
from tap_templates.diff.model import Action, Flag, FlagName
from tap_templates.diff.resources import SAME_MEANING, distinct_in
from tap_templates.diff.values import ABSENT, same, scalar_text, surely_differ
from tap_templates.diff.view import View

# What CloudFormation shows or keeps, and never acts on.
_REMARKS: Final = frozenset({"Description", "Metadata", "AWSTemplateFormatVersion"})
_PARAMETER_REMARKS: Final = frozenset({"Description", "ConstraintDescription"})
_OWN: Final = frozenset({"Resources", "Outputs", "Parameters", "Mappings", "Conditions"})


def compare_sections(before: View | None, after: View | None) -> dict[str, Draft]:
    """Compare all sections but the resources; ids are as in `Outputs/Name`."""
    if before is None and after is None:
        return {}
    found = [*_outputs(before, after)]
    if before and after:  # otherwise they come and go with their template
        found += [*_parameters(before, after), *_mappings(before, after)]
        found += [*_conditions(before, after), *_rest(before, after)]
    return {draft.id: draft for draft in found}


def export_name(output: Any) -> Any:
    """Give the canonical name an output is exported under, `ABSENT` if it is not."""
    export = output.get("Export") if isinstance(output, Mapping) else None
    return export.get("Name", ABSENT) if isinstance(export, Mapping) else ABSENT


def consumers(view: View, name: str) -> list[str]:
    """List the stacks whose parameters take an output, by the manifest."""
    stacks = view.manifest.get("stacks", ())
    own = next((s["name"] for s in stacks if s.get("template") == _file_name(view)), None)
    found: list[str] = []
    for stack in stacks if own is not None else ():
        for value in (stack.get("parameters") or {}).values():
            match value:
                case {"output": {"stack": from_stack, "name": output}}:
                    if (from_stack, output) == (own, name):
                        found.append(str(stack.get("name")))
    return sorted(set(found))


def _file_name(view: View) -> str:
    return view.path.rpartition("/")[2]


def _section(view: View | None, name: str) -> Mapping[str, Any]:
    found = view.template.body.get(name, {}) if view else {}
    return found if isinstance(found, Mapping) else {}


def _names(before: View | None, after: View | None, section: str) -> list[str]:
    return sorted({*_section(before, section), *_section(after, section)})


def _action(before: Any, after: Any) -> Action:
    if before is ABSENT:
        return Action.ADD
    return Action.REMOVE if after is ABSENT else Action.MODIFY


def _outputs(before: View | None, after: View | None) -> Iterator[Draft]:
    for name in _names(before, after, "Outputs"):
        raw = [_section(view, "Outputs").get(name, ABSENT) for view in (before, after)]
        old, new = (view.output(name) if view else ABSENT for view in (before, after))
        is_same = same(*raw)
        if same(_texts(old), _texts(new)):
            if not is_same:
                yield _cosmetic("Outputs", name, _action(*raw))
            continue
        draft = Draft(id=f"Outputs/{name}", section="Outputs", action=_action(old, new))
        draft.direct = not is_same
        draft.differences = (
            list(differences(_texts(old), _texts(new))) if draft.action is Action.MODIFY else []
        )
        distinct = distinct_in(before, after)
        draft.certain = draft.action is not Action.MODIFY or any(
            surely_differ(each.before, each.after, distinct) for each in draft.differences
        )
        _flag_export(draft, name, before, (old, new))
        yield draft


def _flag_export(draft: Draft, name: str, before: View | None, sides: tuple[Any, Any]) -> None:
    old, new = sides
    exported, exports = export_name(old), export_name(new)
    if draft.action is Action.ADD:
        return
    value_differs = draft.action is Action.REMOVE or not same(old.get("Value"), new.get("Value"))
    if exported is not ABSENT and (not same(exported, exports) or value_differs):
        reason = "CloudFormation refuses to change or remove an export that another stack imports"
        draft.flags.append(Flag(FlagName.EXPORT_CHANGED, reason))
    takers = consumers(before, name) if before and value_differs else []
    if takers:
        reason = f"by the manifest, parameters of {', '.join(takers)} take this output"
        draft.flags.append(Flag(FlagName.EXPORT_CHANGED, reason))


def _texts(output: Any) -> Any:
    """Write an output's value as the text that it is."""
    if not isinstance(output, Mapping):
        return output
    text = scalar_text(output.get("Value"))
    return output if text is None else {**output, "Value": text}


def _parameters(before: View, after: View) -> Iterator[Draft]:
    for name in _names(before, after, "Parameters"):
        old, new = (_section(view, "Parameters").get(name, ABSENT) for view in (before, after))
        if same(old, new):
            continue
        draft = Draft(id=f"Parameters/{name}", section="Parameters", action=_action(old, new))
        if draft.action is Action.MODIFY:
            draft.differences = list(differences(_declared(old), _declared(new)))
            draft.cosmetic = not draft.differences
        elif draft.action is Action.ADD:
            draft.cosmetic = after.knows_parameter(name)
            if not draft.cosmetic:
                draft.explain("it has no default, so every deployment must give it a value")
        else:
            draft.explain("a deployment that still gives it a value is refused")
        if draft.cosmetic:
            draft.explain(SAME_MEANING)
        yield draft


def _declared(parameter: Any) -> Any:
    if not isinstance(parameter, Mapping):
        return parameter
    found = {key: each for key, each in parameter.items() if key not in _PARAMETER_REMARKS}
    if str(found.get("NoEcho", "")).lower() == "true" and "Default" in found:
        found["Default"] = {"Tap::Secret": scalar_text(found["Default"])}
    return {
        key: each if (text := scalar_text(each)) is None else text for key, each in found.items()
    }


def _mappings(before: View, after: View) -> Iterator[Draft]:
    for name in _names(before, after, "Mappings"):
        old, new = (_section(view, "Mappings").get(name, ABSENT) for view in (before, after))
        if same(old, new):
            continue
        draft = Draft(id=f"Mappings/{name}", section="Mappings", action=_action(old, new))
        found = list(differences(_scalars(old), _scalars(new)))
        # What comes and goes matters where it is looked up, and is told there.
        changed = [e for e in found if e.before is not ABSENT and e.after is not ABSENT]
        draft.cosmetic = not changed
        draft.differences = found if changed else []
        if draft.cosmetic:
            draft.explain(SAME_MEANING)
        yield draft


def _scalars(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _scalars(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_scalars(each) for each in value]
    text = scalar_text(value)
    return value if text is None else text


def _conditions(before: View, after: View) -> Iterator[Draft]:
    for name in _names(before, after, "Conditions"):
        old, new = (_section(view, "Conditions").get(name, ABSENT) for view in (before, after))
        if same(old, new):
            continue
        action = _action(old, new)
        results = [view.condition(name) for view in (before, after)]
        if action is not Action.MODIFY or same(*results):
            yield _cosmetic("Conditions", name, action)
            continue
        draft = Draft(id=f"Conditions/{name}", section="Conditions", action=action)
        draft.certain = all(isinstance(each, bool) for each in results)
        draft.differences = [Difference((), (), old, new)]
        draft.explain("what it decides is told at the resources")
        yield draft


def _rest(before: View, after: View) -> Iterator[Draft]:
    old, new = before.template.body, after.template.body
    for name in sorted({*old, *new} - _OWN):
        one, other = old.get(name, ABSENT), new.get(name, ABSENT)
        if same(one, other):
            continue
        draft = Draft(id=name, section=name, action=_action(one, other))
        draft.cosmetic = name in _REMARKS
        if draft.cosmetic:
            draft.explain(SAME_MEANING)
        else:
            draft.differences = list(differences(one, other))
            if name == "Transform":
                draft.certain = False
                draft.explain("what a transform makes of the template is not known here")
        yield draft


def _cosmetic(section: str, name: str, action: Action) -> Draft:
    return Draft(
        id=f"{section}/{name}",
        section=section,
        action=action,
        cosmetic=True,
        because=[SAME_MEANING],
    )
