"""A state machine as a list of states, each with where it leads and how it fails. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tap_templates.diff.faces.words import line

_LEADING: Final = frozenset(
    {"Type", "Next", "End", "Default", "Choices", "Catch", "Retry", "Branches", "Iterator",
     "ItemProcessor"}
)  # fmt: skip


class State(NamedTuple):
    """A state; `path` names the states around it, outermost first, itself last."""

    path: tuple[str, ...]
    type: str
    is_start: bool
    leads: tuple[str, ...]  # `→ Record`, `on InvalidEvent → Reject`
    facts: tuple[str, ...]  # retries and everything else it says

    @property
    def name(self) -> str:
        return " ▸ ".join(self.path)


class Row(NamedTuple):
    """A state before and after; None where there is no such state."""

    name: str
    before: State | None
    after: State | None

    @property
    def change(self) -> str:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "same" if self.before == self.after else "changed"


def is_machine(value: Any) -> bool:
    """Tell whether a value is a definition with states to list."""
    return isinstance(value, Mapping) and isinstance(value.get("States"), Mapping)


def rows(before: Any, after: Any) -> list[Row]:
    """Pair the states of two definitions by name, in the order in which they are reached."""
    old, new = ({each.name: each for each in states(side)} for side in (before, after))
    names = [*new, *(name for name in old if name not in new)]
    return [Row(name, old.get(name), new.get(name)) for name in names]


def states(definition: Any, around: tuple[str, ...] = ()) -> Iterator[State]:
    """Iterate over the states, from the first one on, those of branches after their own."""
    if not is_machine(definition):
        return
    found = definition["States"]
    for name in _reached(definition):
        state = found[name]
        if isinstance(state, Mapping):
            path = (*around, name)
            yield _state(path, state, is_start=name == definition.get("StartAt"))
            yield from _inner(path, state)


def _inner(path: tuple[str, ...], state: Mapping[str, Any]) -> Iterator[State]:
    branches = state.get("Branches")
    several = branches if isinstance(branches, list) else []
    for number, branch in enumerate(several, 1):
        yield from states(branch, (*path, f"branch {number}"))
    for key in ("ItemProcessor", "Iterator"):
        yield from states(state.get(key), (*path, "each"))


def _reached(definition: Mapping[str, Any]) -> list[str]:
    found = definition["States"]
    order: list[str] = []
    waiting = [definition.get("StartAt"), *found]
    while waiting:
        name = waiting.pop(0)
        if isinstance(name, str) and name in found and name not in order:
            order.append(name)
            waiting[:0] = _targets(found[name])
    return order


def _targets(state: Any) -> list[Any]:
    if not isinstance(state, Mapping):
        return []
    ruled = [each for key in ("Choices", "Catch") for each in _objects(state.get(key))]
    return [state.get("Next"), state.get("Default"), *(each.get("Next") for each in ruled)]


def _state(path: tuple[str, ...], state: Mapping[str, Any], *, is_start: bool) -> State:
    return State(
        path=path,
        type=line(state.get("Type", "")),
        is_start=is_start,
        leads=tuple(_leads(state)),
        facts=(*_retries(state), *_rest(state)),
    )


def _leads(state: Mapping[str, Any]) -> Iterator[str]:
    for choice in _objects(state.get("Choices")):
        rule = {key: each for key, each in choice.items() if key not in {"Next", "Comment"}}
        yield f"if {line(rule)} → {line(choice.get('Next'))}"
    if "Default" in state:
        yield f"otherwise → {line(state['Default'])}"
    if "Next" in state:
        yield f"→ {line(state['Next'])}"
    for catch in _objects(state.get("Catch")):
        rest = {k: v for k, v in catch.items() if k not in {"ErrorEquals", "Next", "Comment"}}
        kept = f" with {line(rest)}" if rest else ""
        yield f"on {_errors(catch)} → {line(catch.get('Next'))}{kept}"
    if state.get("End") is True or state.get("Type") in {"Succeed", "Fail"}:
        yield "ends"


def _retries(state: Mapping[str, Any]) -> Iterator[str]:
    for retry in _objects(state.get("Retry")):
        times = line(retry.get("MaxAttempts", 3))
        rest = {k: v for k, v in retry.items() if k not in {"ErrorEquals", "MaxAttempts"}}
        yield f"retries {times} times on {_errors(retry)}{f', {line(rest)}' if rest else ''}"


def _rest(state: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(state):
        if key not in _LEADING:
            yield f"{key}: {line(state[key], f'/{key}')}"
    # What has not the shape it should have is still told.
    for key in ("Choices", "Catch", "Retry"):
        value = state.get(key)
        if value is not None and (not isinstance(value, list) or len(_objects(value)) < len(value)):
            yield f"{key}: {line(value)}"
    for key in ("Branches", "Iterator", "ItemProcessor"):
        value = state.get(key)
        each = value if isinstance(value, list) else [value]
        if value is not None and not all(map(is_machine, each)):
            yield f"{key}: {line(value)}"


def _errors(rule: Mapping[str, Any]) -> str:
    errors = rule.get("ErrorEquals")
    return ", ".join(map(line, errors)) if isinstance(errors, list) else line(errors)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
