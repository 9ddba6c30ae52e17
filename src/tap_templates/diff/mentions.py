"""What a piece of a template's text names, before anything is evaluated.

Whatever a value refers to once evaluated, its text mentions: so this tells cheaply what need not
be looked at.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

IMPORT: Final = "Fn::ImportValue"  # stands among the names for any import
_SUB: Final = re.compile(r"\$\{([^!}.]+)")


def mentions(raw: Any) -> Iterator[str]:
    """Iterate over the names in Ref, Fn::GetAtt, Fn::Sub and Fn::If, and `IMPORT`."""
    if isinstance(raw, dict):
        for key, each in raw.items():
            if key == "Ref" or key[:4] == "Fn::":
                yield from _called(key, each)
            if isinstance(each, dict | list):
                yield from mentions(each)
    elif isinstance(raw, list):
        for each in raw:
            if isinstance(each, dict | list):
                yield from mentions(each)


def _called(key: str, argument: Any) -> Iterator[str]:
    first = argument[0] if isinstance(argument, list) and argument else argument
    if key == IMPORT:
        yield key
    elif isinstance(first, str):
        if key == "Fn::GetAtt":
            yield first.partition(".")[0]
        elif key == "Fn::Sub":
            yield from (name.strip() for name in _SUB.findall(first))
        elif key in {"Ref", "Fn::If"}:
            yield first
