"""Event patterns, compared: does one match whatever another one matches?"""

import json
from collections.abc import Mapping
from typing import Any

from tap_templates.compiler.invariants.values import as_list

OR = "$or"


def pattern_of(value: Any) -> Mapping[str, Any] | None:
    """Read a pattern, which may be written as JSON text; None if it is no object."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, Mapping) else None


def keeps_all(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    """Tell whether `wide` surely matches every event that `narrow` matches.

    False where it cannot be told: two ways to say the same by different operators are not
    recognised.
    """
    for name, accepted in wide.items():
        if name == OR:
            ways = [each for each in as_list(accepted) if isinstance(each, Mapping)]
            if narrow.get(OR) != accepted and not any(keeps_all(way, narrow) for way in ways):
                return False
            continue
        wanted = narrow.get(name)
        if isinstance(accepted, Mapping):
            if not isinstance(wanted, Mapping) or not keeps_all(accepted, wanted):
                return False
        elif not isinstance(wanted, list) or not all(_accepts(accepted, one) for one in wanted):
            return False
    return True


def _accepts(accepted: Any, wanted: Any) -> bool:
    return any(each == wanted or _filters_in(each, wanted) for each in as_list(accepted))


def _filters_in(content_filter: Any, wanted: Any) -> bool:
    if not isinstance(content_filter, Mapping):
        return False
    if content_filter.get("exists") is True:
        return bool(wanted != {"exists": False})
    prefix, suffix = content_filter.get("prefix"), content_filter.get("suffix")
    if isinstance(prefix, str):
        return _text(wanted, "prefix").startswith(prefix)
    return isinstance(suffix, str) and _text(wanted, "suffix").endswith(suffix)


def _text(wanted: Any, operator: str) -> str:
    """Take what every matching text begins, or ends, with."""
    known = wanted.get(operator) if isinstance(wanted, Mapping) else wanted
    return known if isinstance(known, str) else ""
