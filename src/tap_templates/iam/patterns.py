"""IAM's patterns: `*` is any text, `?` is any one character.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

import re
from functools import cache


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "[^*]"}  # `?` does not cover a `*` of a narrower pattern
    return re.compile("".join(parts.get(each) or re.escape(each) for each in pattern), re.DOTALL)


def is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def covers(pattern: str, narrower: str) -> bool:
    """Tell whether `pattern` matches all that `narrower`, a text or a pattern, matches."""
    return pattern == narrower or _regex(pattern).fullmatch(narrower) is not None


def covers_action(pattern: str, action: str) -> bool:
    """Tell the same of actions, whose case does not matter."""
    return covers(pattern.lower(), action.lower())


@cache
def overlaps(one: str, other: str) -> bool:
    """Tell whether there is a text that both patterns match."""
    if not one or not other:
        return not (one or other).strip("*")
    if one[0] == "*":
        return overlaps(one[1:], other) or overlaps(one, other[1:])
    if other[0] == "*":
        return overlaps(other, one)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and overlaps(one[1:], other[1:])
