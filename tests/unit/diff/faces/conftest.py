"""Results made by hand: each test says only what matters to it."""

from collections.abc import Callable
from typing import Any

import pytest

from tap_templates.diff.model import (
    Action,
    Change,
    Diff,
    Flag,
    FlagName,
    PropertyChange,
    TemplateDiff,
)


def changed(name: str = "Thing", **fields: Any) -> Change:
    """Make a change of a resource; a flag may be given by its name alone."""
    flags = tuple(
        each if isinstance(each, Flag) else Flag(FlagName(each), f"{name} does {each}")
        for each in fields.pop("flags", ())
    )
    whole: dict[str, Any] = {
        "section": "Resources",
        "type": "AWS::SQS::Queue",
        "action": Action.MODIFY,
        "properties": (PropertyChange("/Properties/DelaySeconds", 1, 2),),
    }
    return Change(id=name, flags=flags, **{**whole, **fields})


def result(**by_path: list[Change]) -> Diff:
    """Make a result; `a_b` is the template `a/b.json`."""
    return Diff(
        tuple(
            TemplateDiff(f"{name.replace('_', '/')}.json", tuple(changes))
            for name, changes in by_path.items()
        )
    )


@pytest.fixture
def change() -> Callable[..., Change]:
    return changed


@pytest.fixture
def diff_of() -> Callable[..., Diff]:
    return result
