"""Carry replacements along references: to dependants, to outputs, and through exports on.

A reference counts wherever it stands: inside Join, Sub, If, Select or a JSON text. References are
read from normalised properties, so that their places are places of the schema.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from tap_templates.diff.compare import Steps, pointer
from tap_templates.diff.draft import Comparison, Draft
from tap_templates.diff.mentions import IMPORT
from tap_templates.diff.model import Action, Flag, FlagName, Replacement
from tap_templates.diff.replacement import judge_reference
from tap_templates.diff.schemas import schema_of
from tap_templates.diff.sections import consumers, export_name
from tap_templates.diff.values import ABSENT, call_of, sort_key
from tap_templates.diff.view import View


class _Use(NamedTuple):
    """A place that takes something: a resource's property, or an output (`path` is empty)."""

    id: str
    path: Steps
    place: Steps


class _Source(NamedTuple):
    """What changes for those who refer to it."""

    key: str
    words: str
    replacement: Replacement
    certain: bool


def propagate(comparisons: Sequence[Comparison]) -> None:
    """Add to the drafts of all templates and regions what replacements entail."""
    pending = [(index, source) for index, each in enumerate(comparisons) for source in _seeds(each)]
    if not pending:
        return
    uses = [_Uses(each) for each in comparisons]
    done: dict[tuple[int, str], Replacement] = {}
    while pending:
        index, source = pending.pop()
        worst = done.get((index, source.key))
        if worst is not None and worst.rank >= source.replacement.rank:
            continue
        done[index, source.key] = source.replacement
        for use in uses[index].of(source.key):
            for reached in _reach(comparisons[index], use, source):
                others = [index]
                if reached.key.startswith(("import ", "output ")):
                    others = [
                        other
                        for other, each in enumerate(comparisons)
                        if each.region == comparisons[index].region
                        or reached.key.startswith("output ")
                    ]
                pending.extend((other, reached) for other in others)


def _seeds(comparison: Comparison) -> Iterator[_Source]:
    for draft in list(comparison.drafts.values()):
        if draft.cosmetic:
            continue
        if draft.section == "Resources" and draft.replacement is not Replacement.NEVER:
            yield _replaced(draft)
        elif draft.section == "Outputs" and draft.flags:
            yield from _exports(comparison, draft.id.removeprefix("Outputs/"))


def _replaced(draft: Draft) -> _Source:
    words = "is replaced" if draft.replacement is Replacement.ALWAYS else "may be replaced"
    return _Source(
        f"resource {draft.id}", f"{draft.id}, which {words}", draft.replacement, draft.certain
    )


def _exports(comparison: Comparison, name: str) -> Iterator[_Source]:
    """Iterate over the names by which other stacks take an output; what they get is uncertain."""
    view = comparison.before or comparison.after
    if view is None:
        return
    for each in (comparison.before, comparison.after):
        exported = export_name(each.output(name)) if each else ABSENT
        if exported is not ABSENT:
            words = f"output {name} of {comparison.path}, which changes"
            yield _Source(f"import {sort_key(exported)}", words, Replacement.MAY, certain=False)
    stacks = view.manifest.get("stacks", ())
    file = comparison.path.rpartition("/")[2]
    for stack in stacks:
        if stack.get("template") == file:
            key = f"output {sort_key([stack.get('name'), comparison.region, name])}"
            words = f"output {name} of {stack.get('name')}, which changes"
            yield _Source(key, words, Replacement.MAY, certain=False)


class _Uses:
    """The places of a template by what they refer to, looked for when asked."""

    def __init__(self, comparison: Comparison) -> None:
        self._view = comparison.after
        self._before = comparison.before
        self._found: dict[str, list[tuple[str, Steps, Steps]]] = {}

    def of(self, key: str) -> Iterator[_Use]:
        """Iterate over the places that take what `key` names."""
        if self._view is None or self._before is None:
            return
        names = self._names(key, self._view)
        users = dict.fromkeys(user for name in names for user in self._mentioning.get(name, ()))
        for user in users:
            if user not in self._found:
                self._found[user] = list(self._references(user, self._view))
            for found, path, place in self._found[user]:
                if found == key:
                    yield _Use(user, path, place)

    @cached_property
    def _mentioning(self) -> dict[str, list[str]]:
        """Index who mentions a name; not those that are new, which refer to nothing old."""
        view, before = self._view, self._before
        if view is None or before is None:
            return {}
        users = [each for each in view.ids() if before.existence(each) is not False]
        users += [
            f"Outputs/{name}"
            for name in view.template.body.get("Outputs", {})
            if view.output(name) is not ABSENT and before.output(name) is not ABSENT
        ]
        found: dict[str, list[str]] = {}
        for user in users:
            for name in view.mentions(user):
                found.setdefault(name, []).append(user)
        return found

    @staticmethod
    def _names(key: str, view: View) -> list[str]:
        kind, _, name = key.partition(" ")
        if kind == "resource":
            return [name]
        if kind == "import":
            return [IMPORT]
        given = view.template.parameters.items()
        return [name for name, value in given if isinstance(value, dict)]

    @staticmethod
    def _references(user: str, view: View) -> Iterator[tuple[str, Steps, Steps]]:
        if user.startswith("Outputs/"):
            for key, _, _ in _references(view.output(user.removeprefix("Outputs/")), (), ()):
                yield key, (), ()
        elif (resource := view.resource(user)) is not None:
            yield from _references(resource.properties, ("Properties",), ("Properties",))


def _references(value: Any, path: Steps, place: Steps) -> Iterator[tuple[str, Steps, Steps]]:
    """Iterate over what a value refers to, with the place of the innermost property."""
    if isinstance(value, dict):
        called = call_of(value)
        if called is None:
            for key, each in value.items():
                yield from _references(each, (*path, key), (*place, key))
            return
        key = _key(called, value[called])
        if key:
            yield key, path, place
        for each in _arguments(value[called]):
            for found, _, _ in _references(each, (), ()):
                yield found, path, place
    elif isinstance(value, list):
        origins = getattr(value, "origins", range(len(value)))
        for index, each in zip(origins, value, strict=True):
            yield from _references(each, (*path, str(index)), (*place, "*"))


def _arguments(argument: Any) -> list[Any]:
    if isinstance(argument, dict):
        return [argument]
    return argument if isinstance(argument, list) else []


def _key(called: str, argument: Any) -> str | None:
    match called, argument:
        case "Ref", str():
            return f"resource {argument}"
        case "Fn::GetAtt", [str(name), *_]:
            return f"resource {name}"
        case "Fn::ImportValue", _:
            return f"import {sort_key(argument)}"
        case "Tap::Output", _:
            return f"output {sort_key(argument)}"
    return None


def _reach(comparison: Comparison, use: _Use, source: _Source) -> Iterator[_Source]:
    """Add what a change of `source` does to one use of it; give what that changes in turn."""
    view = comparison.after
    if view is None or source.key == f"resource {use.id}":
        return
    if use.id.startswith("Outputs/"):
        yield from _reach_output(comparison, view, use, source)
        return
    draft = _draft_of(comparison, use.id)
    if draft.action is not Action.MODIFY or draft.type != view.raw(use.id)["Type"]:
        return
    verdict = judge_reference(draft.type, schema_of(draft.type), use.place)
    replacement = min(verdict.replacement, source.replacement, key=lambda each: each.rank)
    _open(draft, source)
    where = f"{pointer(use.path)} refers to {source.words}"
    if replacement.rank > draft.replacement.rank:
        draft.replacement = replacement
        draft.certain = source.certain and verdict.certain
        is_sure = replacement is Replacement.ALWAYS
        draft.explain(f"{where}{', and is create-only' if is_sure else ': it may be, too'}")
        yield _replaced(draft)
    else:
        draft.explain(where)


def _open(draft: Draft, source: _Source) -> None:
    """Make a change of what, by its own text, is none."""
    if draft.cosmetic:
        draft.cosmetic = False
        draft.direct = False
        draft.because.clear()
        draft.certain = source.certain and source.replacement is Replacement.ALWAYS


def _reach_output(
    comparison: Comparison, view: View, use: _Use, source: _Source
) -> Iterator[_Source]:
    name = use.id.removeprefix("Outputs/")
    draft = _draft_of(comparison, use.id, section="Outputs")
    if draft.action is not Action.MODIFY:
        return
    _open(draft, source)
    draft.explain(f"it refers to {source.words}")
    exported = export_name(view.output(name)) is not ABSENT
    takers = consumers(view, name)
    if exported or takers:
        who = f"; {', '.join(takers)} take it by the manifest" if takers else ""
        flag = Flag(FlagName.EXPORT_CHANGED, f"its value changes with {source.words}{who}")
        if not any(each.name is flag.name for each in draft.flags):
            draft.flags.append(flag)
        yield from _exports(comparison, name)


def _draft_of(comparison: Comparison, name: str, section: str = "Resources") -> Draft:
    """Give the draft of a name, made if nothing has changed there so far."""
    if name not in comparison.drafts:
        before = comparison.before.resource(name) if comparison.before else None
        after = comparison.after.resource(name) if comparison.after else None
        comparison.drafts[name] = Draft(
            id=name,
            section=section,
            type=after.type if after else "",
            action=Action.MODIFY,
            before=before,
            after=after,
            cosmetic=True,  # until something reaches it
            direct=False,
        )
    return comparison.drafts[name]
