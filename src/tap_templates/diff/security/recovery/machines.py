"""What a state machine does when a task fails."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tap_templates.diff.security.choices import entries
from tap_templates.diff.security.recovery.measures import Better, Measure, Measures
from tap_templates.diff.values import scalar_text

_ALL: Final = "States.ALL"
_ATTEMPTS: Final = 3  # what Step Functions takes if a retrier does not say


def measures(properties: Mapping[str, Any]) -> Measures:
    """Iterate over the retriers and catchers of all states, by the state's path and the error."""
    definition = properties.get("Definition", properties.get("DefinitionString"))
    for path, state in _states(definition, ""):
        yield path, Measure(f"state {path}", Better.SCOPE)
        for error, attempts in _attempts(entries(state.get("Retry"))).items():
            yield (
                f"{path} Retry {error}",
                Measure(
                    f"retry attempts of state {path} on {error}",
                    Better.MORE,
                    attempts,
                    witness=path,
                    instead=f"{path} Retry {_ALL}",
                    scope=path,
                ),
            )
        for error in (each for catcher in entries(state.get("Catch")) for each in _errors(catcher)):
            yield (
                f"{path} Catch {error}",
                Measure(
                    f"catch of {error} in state {path}",
                    Better.KEPT,
                    witness=path,
                    instead=f"{path} Catch {_ALL}",
                    scope=path,
                ),
            )


def _states(machine: Any, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    states = machine.get("States") if isinstance(machine, Mapping) else None
    for name, state in sorted(states.items()) if isinstance(states, Mapping) else ():
        if not isinstance(state, Mapping):
            continue
        path = f"{prefix}{name}"
        yield path, state
        branches = entries(state.get("Branches"))
        inner = [state[key] for key in ("Iterator", "ItemProcessor") if key in state]
        for machine_below in (*branches, *inner):
            yield from _states(machine_below, f"{path}/")


def _attempts(retriers: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the attempts by error; the first retrier that names one counts."""
    found: dict[str, Any] = {}
    for retrier in retriers:
        for error in _errors(retrier):
            found.setdefault(error, retrier.get("MaxAttempts", _ATTEMPTS))
    return found


def _errors(handler: Mapping[str, Any]) -> list[str]:
    listed = handler.get("ErrorEquals")
    return [scalar_text(each) or "?" for each in listed] if isinstance(listed, list) else []
