"""From an event to the object that keeps it. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orders.failures import BadRequest

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T[0-9:.]{8,15}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """An event as the bucket keeps it."""

    key: str
    body: bytes


def record_of(event: Mapping[str, Any], region: str) -> Record:
    """Name and write an event as it came; the same event, the same bytes. Raises BadRequest.

    `region` is where it is recorded: an event that is forwarded is recorded in both.
    """
    event_id, at = event.get("id"), event.get("time")
    if not isinstance(event_id, str) or not _ID.fullmatch(event_id):
        raise BadRequest("id")
    moment = _TIME.fullmatch(at) if isinstance(at, str) else None
    if moment is None:
        raise BadRequest("time")
    year, month, day = moment.groups()
    body = json.dumps(event, sort_keys=True, separators=(",", ":")).encode()
    return Record(f"events/{year}/{month}/{day}/{region}/{event_id}.json", body)
