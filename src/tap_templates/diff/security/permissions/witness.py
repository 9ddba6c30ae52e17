"""Choose and spell the request that proves a difference, so that a person believes it.

The search gives a class of requests by its shortest texts; here a real action, a plausible ARN
and a named principal of the same class are looked for, and taken only if they are in it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tap_templates.diff.security.permissions import catalogue
from tap_templates.diff.security.permissions.search import Match
from tap_templates.diff.security.permissions.statements import MANAGED, Statement, Witness, Words
from tap_templates.diff.security.texts import ONE, SEGMENT, STAR, Atoms

# Actions of these beginnings tell a reader most, the first one best.
_TELLING: Final = ("Delete", "Put", "Create", "Update", "Send", "Invoke", "Pass", "Get")
_MAX_CANDIDATES: Final = 3_000
_STRANGER: Final = "AWS:444455556666:root"
_FILLINGS: Final = ("example", "x", "")
_UNKNOWN_ACTION: Final = "an action that IAM does not know today"

_MEETING: Final = f"meeting {MANAGED} "


class Request(NamedTuple):
    """A class of requests by its shortest text in each dimension, and what that matches."""

    labels: Mapping[str, str]
    matches: Mapping[str, Match]  # of action, resource and principal


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is needed to spell a request."""

    atoms: Atoms
    allowing: Sequence[Statement]  # of the side that allows it
    region: str  # for an ARN that no policy names
    match_of: Callable[[str, str], Match]  # dimension and text to what the text matches


class _Choice(NamedTuple):
    rank: int
    action: str
    note: str
    request: Request


def describe(requests: Sequence[Request], around: Surroundings) -> Witness:
    """Spell the most telling of the requests."""
    left = _MAX_CANDIDATES
    best: _Choice | None = None
    for request in requests:
        choice, looked = _action(request, around, left)
        left -= looked
        if best is None or (choice.rank, choice.action) < (best.rank, best.action):
            best = choice
        if best.rank == 0:
            break
    assert best is not None  # noqa: S101 - there is a request
    request = best.request
    if managed := _managed(request):
        return Witness(action=f"whatever {around.atoms.spell(managed)} allows")
    principal = _principal(request, around) if "principal" in request.labels else ""
    conditions = {
        key: around.atoms.spell(label)
        for key, label in request.labels.items()
        if key not in ("action", "resource", "principal") and label
    }
    return Witness(
        action=around.atoms.spell(best.action),
        resource=around.atoms.spell(_resource(request, around, best.action)),
        principal=_spell_principal(around.atoms.spell(principal)),
        conditions=conditions,
        note=best.note,
    )


def _managed(request: Request) -> str:
    """Name the managed policy that allows the request, if it is known by its name alone."""
    label = request.labels.get(MANAGED, "")
    return label.removeprefix(_MEETING) if label.startswith(_MEETING) else ""


def _patterns(statements: Sequence[Statement], words_of: Callable[[Statement], Words]) -> list[str]:
    found = {
        pattern.text
        for statement in statements
        if not words_of(statement).negated
        for pattern in words_of(statement).patterns
    }
    return sorted(found, key=lambda text: (STAR in text, text))


def _action(request: Request, around: Surroundings, left: int) -> tuple[_Choice, int]:
    """Look for a real action among at most `left`; also tell how many were looked at."""
    label = request.labels["action"]
    wanted = request.matches["action"]
    service = label.partition(":")[0]
    services = [service] if catalogue.actions(service) else catalogue.TELLING_SERVICES
    found: list[tuple[int, str]] = []
    looked = 0
    named = [text for text in _candidates(around) if _is_in(request, around, text)]
    for service in services:
        for name in catalogue.actions(service):
            if looked == left:
                break
            looked += 1
            if around.match_of("action", f"{service}:{name.lower()}") == wanted:
                action = f"{service}:{name}"
                # An action that is never done to such a thing proves little to a reader.
                fits = not named or any(catalogue.applies(action, text) for text in named)
                found.append((_telling(name) + (0 if fits else len(_TELLING) + 1), action))
        if found:
            # Short names are the plain ones: DeleteItem before DeleteGlobalTableWitness.
            rank, action = min(found, key=lambda each: (each[0], len(each[1]), each[1]))
            return _Choice(rank, action, "", request), looked
    return _Choice(2 * len(_TELLING) + 2, label, _UNKNOWN_ACTION, request), looked


def _telling(name: str) -> int:
    return next((i for i, each in enumerate(_TELLING) if name.startswith(each)), len(_TELLING))


def _filled(pattern: str) -> Iterator[str]:
    if not {STAR, SEGMENT, ONE} & set(pattern):
        yield pattern
        return
    for filling in _FILLINGS:
        yield re.sub(f"[{STAR}{SEGMENT}]", filling, pattern).replace(ONE, "x")


def _resource(request: Request, around: Surroundings, action: str) -> str:
    if "resource" not in request.labels:
        return ""
    known = catalogue.is_action(action)
    # What the action is done to, first.
    candidates = sorted(
        _candidates(around), key=lambda text: not (known and catalogue.applies(action, text))
    )
    for candidate in (*candidates, *catalogue.arns(action, around.region), "*"):
        if _is_in(request, around, candidate):
            return candidate
    return request.labels["resource"]


def _candidates(around: Surroundings) -> list[str]:
    patterns = _patterns(around.allowing, lambda statement: statement.resources)
    return [text for each in patterns if each != STAR for text in _filled(each)]


def _is_in(request: Request, around: Surroundings, text: str) -> bool:
    if "resource" not in request.labels:
        return False
    return around.match_of("resource", text) == request.matches["resource"]


def _principal(request: Request, around: Surroundings) -> str:
    patterns = _patterns(around.allowing, lambda statement: statement.principals)
    candidates = [text for each in patterns if each != STAR for text in _principal_filled(each)]
    for candidate in (*candidates, _STRANGER):
        if around.match_of("principal", candidate) == request.matches["principal"]:
            return candidate
    return request.labels["principal"]


def _principal_filled(pattern: str) -> Iterator[str]:
    if pattern.startswith("AWS:") and pattern.endswith(f":{STAR}"):
        yield pattern.replace(STAR, "root")
    yield from _filled(pattern)


def _spell_principal(text: str) -> str:
    kind, _, name = text.partition(":")
    if kind != "AWS":
        return name
    account, _, rest = name.partition(":")
    if rest == "root":
        return f"AWS account {account}"
    return f"arn:aws:iam::{account}:{rest}" if account and not rest.startswith("${") else rest
