"""Moments as texts: in UTC, with six decimals always, so that texts compare as the moments do."""

from datetime import UTC, datetime, timedelta

# Before every order; what may be lost from here on is all.
BEGINNING = "0001-01-01T00:00:00.000000Z"


def written(moment: datetime) -> str:
    """Write a moment, which must know its zone."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def before(moment: str, difference: timedelta) -> str:
    """Give an earlier moment; nothing is before the beginning."""
    if moment == BEGINNING or not difference:
        return moment
    return max(BEGINNING, written(datetime.fromisoformat(moment) - difference))
