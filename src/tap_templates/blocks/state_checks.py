"""What can be wrong in a state or a flow of states, told where it is made: raises ModelError."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from troposphere import AWSHelperFn

from tap_templates.errors import ModelError
from tap_templates.rendered.machines import (
    ALL_ERRORS,
    AWS_ERRORS,
    LONGEST_STATE_NAME,
    RESERVED,
    finishing,
    reachable,
)

_LONGEST_SECONDS = 99_999_999  # of a task, a wait and a run
_COMPUTED = ("$", RESERVED)  # how a path and an intrinsic begin


def seconds(where: str, does: str, given: timedelta) -> None:
    """Demand a whole number of seconds that Step Functions takes."""
    count = given.total_seconds()
    if count != int(count) or not 1 <= count <= _LONGEST_SECONDS:
        raise ModelError(where, f"{does} {given}", "give it whole seconds, at least one")


def path(where: str, given: str) -> None:
    if not given.startswith("$"):
        raise ModelError(where, f"has {given!r} where a path is needed", "begin it with $")


def template(where: str, value: object) -> None:
    """Demand that what looks computed is, and that what is computed can be.

    A path under a key without `.$` is passed as text, and CloudFormation refuses null.
    """
    if value is None:
        raise ModelError(
            where, "passes null, which no template may hold", "leave the key out, or pass a path"
        )
    if isinstance(value, Mapping):
        for key, each in value.items():
            if str(key).endswith(".$"):
                if not isinstance(each, str) or not each.startswith(_COMPUTED):
                    raise ModelError(
                        where,
                        f"has {each!r} under {key}, which is no path",
                        "give it a path or an intrinsic function, or take `.$` away",
                    )
            elif isinstance(each, str) and each.startswith(("$.", "$$.", f"{RESERVED}Format(")):
                raise ModelError(
                    where,
                    f"passes the text {each!r} under {key}",
                    f"write {key}.$, for what stands there",
                )
            else:
                template(where, each)
    elif isinstance(value, list | tuple):
        for each in value:
            template(where, each)
    elif not isinstance(value, str | int | float | AWSHelperFn):
        raise ModelError(where, f"passes {value!r}", "pass what JSON has: it goes into a template")


def own_error(where: str, name: str) -> None:
    if name.startswith(RESERVED):
        raise ModelError(
            where, f"names its error {name}, as AWS names its own", f"begin it without {RESERVED}"
        )


def errors(where: str, does: str, lists: Sequence[Sequence[str]]) -> None:
    """Demand error names that exist, each in one handler only, and ALL alone and at the end."""
    for position, names in enumerate(lists):
        if not names:
            raise ModelError(where, f"{does} no error", "name one, or take the handler away")
        if unknown := sorted(
            each for each in names if each.startswith(RESERVED) and each not in AWS_ERRORS
        ):
            raise ModelError(
                where,
                f"{does} {', '.join(unknown)}, which AWS does not define",
                "take the name from Step Functions' list of errors",
            )
        if ALL_ERRORS in names and (len(names) > 1 or position < len(lists) - 1):
            raise ModelError(
                where,
                f"{does} {ALL_ERRORS} beside or before other errors",
                "put it alone into the last handler",
            )
    counts = Counter(name for names in lists for name in names)
    if twice := sorted(name for name, count in counts.items() if count > 1):
        raise ModelError(
            where, f"{does} {', '.join(twice)} twice", "only the first counts: take one away"
        )


def unique(names: Sequence[str]) -> None:
    """Demand that no two states of a machine share a name, branches included."""
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise ModelError(
            "machine", f"has two states called {', '.join(twice)}", "rename one of them"
        )


def graph(start: str, edges: Mapping[str, Collection[str]], ends: Collection[str]) -> None:
    """Demand that all states can be reached, and that each can come to an end."""
    if start not in edges:
        raise ModelError("flow", f"begins with {start!r}, which is none of its states", "name one")
    for name in sorted(edges):
        if not 0 < len(name) <= LONGEST_STATE_NAME:
            raise ModelError(
                f"state {name!r}", f"has a name of {len(name)} characters", "give it 1 to 80"
            )
        if beyond := sorted(set(edges[name]) - set(edges)):
            raise ModelError(
                f"state {name!r}",
                f"goes on to {', '.join(beyond)}, which is no state of the same machine or branch",
                "name a state beside it; a branch ends in itself and leaves by its end only",
            )
    if lonely := sorted(set(edges) - reachable(start, edges)):
        raise ModelError(
            f"state {lonely[0]!r}",
            f"cannot be reached ({', '.join(lonely)})",
            "lead to it, or take it away",
        )
    if endless := sorted(set(edges) - finishing(ends, edges)):
        raise ModelError(
            f"state {endless[0]!r}",
            f"has no way to an end ({', '.join(endless)})",
            "lead it to a Succeed, a Fail, or a state that ends (then=None)",
        )


def goes_round(edges: Mapping[str, Collection[str]]) -> bool:
    """Tell whether a state can follow itself."""
    return any(
        name in reachable(target, edges) for name, targets in edges.items() for target in targets
    )
