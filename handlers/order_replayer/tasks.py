"""What the replayer is asked to do, read from its payload. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orders.failures import BadRequest
from orders.role import FIRST_EPOCH

# What Step Functions takes for a name, also from a person who starts a machine by hand; no slash.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
_RUN = re.compile(r"""[^\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}""")
_EPOCH_MAX = 999_999_999


@dataclass(frozen=True, slots=True)
class Prepare:
    """Take hold of a promoted database, and say what it may have lost."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Raise:
    """Raise the fence, before the database is given to the other region."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Apply what is pending and what may be lost; the counts are those of calls before."""

    epoch: int
    applied: int
    restored: int


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Look for acknowledged orders that are not in the books, and write down what was found."""

    epoch: int
    run: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Apply what waits for too long, and what may be lost."""


Task = Prepare | Raise | Replay | Reconcile | Sweep


def task_of(payload: Mapping[str, Any]) -> Task:
    """Read the payload; raise BadRequest, which names what is wrong."""
    operation = payload.get("operation")
    if operation == "sweep":
        return Sweep()
    if operation == "raise":
        return Raise(_epoch(payload))
    if operation == "prepare":
        return Prepare(_later(payload))
    if operation == "replay":
        return Replay(_later(payload), _count(payload, "applied"), _count(payload, "restored"))
    if operation == "reconcile":
        run = payload.get("run")
        if not isinstance(run, str) or not _RUN.fullmatch(run):
            raise BadRequest("run")
        return Reconcile(_later(payload), run)
    raise BadRequest("operation")


def _later(payload: Mapping[str, Any]) -> int:
    """Read an epoch that another one came before."""
    epoch = _epoch(payload)
    if epoch == FIRST_EPOCH:
        raise BadRequest("epoch")
    return epoch


def _epoch(payload: Mapping[str, Any]) -> int:
    epoch = payload.get("epoch")
    if not isinstance(epoch, int) or isinstance(epoch, bool):
        raise BadRequest("epoch")
    if not FIRST_EPOCH <= epoch <= _EPOCH_MAX:
        raise BadRequest("epoch")
    return epoch


def _count(payload: Mapping[str, Any], name: str) -> int:
    count = payload.get(name, 0)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise BadRequest(name)
    return count
