"""The engine's own functions that we replace, each known by the digest of its source.

A patch is safe only on the code it was written for, so `patch` refuses an engine that changed. It
is the one place that changes the engine; `/_tap/patches` lists what was done and why.
"""

import hashlib
import importlib.metadata
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

ENGINE = "ministack"
VERSION = "1.5.33"
_DIGITS = 12


class EngineChangedError(RuntimeError):
    """The engine is not the one that our patches were written for."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A change to the engine that was made."""

    place: str
    why: str


PATCHES: list[Patch] = []


def check_version() -> None:
    """Refuse any version of the engine but ours."""
    found = importlib.metadata.version(ENGINE)
    if found != VERSION:
        raise EngineChangedError(f"{ENGINE} is {found}; our patches are for {VERSION}")


def digest(function: Callable[..., Any]) -> str:
    """Digest the source of `function`."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:_DIGITS]


def patch(
    module: ModuleType,
    name: str,
    source: str,
    replace: Callable[[Callable[..., Any]], Callable[..., Any]],
    *,
    why: str,
    also: tuple[ModuleType, ...] = (),
) -> None:
    """Put `replace(original)` where `module` has `name`, and where `also` imported it by name.

    Raises EngineChangedError unless the original's source has the digest `source`.
    """
    place = f"{module.__name__}.{name}"
    original = getattr(module, name, None)
    if original is None:
        raise EngineChangedError(f"{place} is gone; look how the engine does it now")
    if digest(original) != source:
        raise EngineChangedError(
            f"{place} has changed to {digest(original)}; read it, mend the patch, then its digest"
        )
    replacement = replace(original)
    for holder in (module, *also):
        if getattr(holder, name, None) is not original:
            raise EngineChangedError(f"{holder.__name__} no longer imports {place}")
        setattr(holder, name, replacement)
    PATCHES.append(Patch(place, why))


def set_value(module: ModuleType, name: str, *, was: object, value: object, why: str) -> None:
    """Change a constant of the engine; refuse if it was another."""
    if getattr(module, name, None) != was:
        raise EngineChangedError(f"{module.__name__}.{name} is no longer {was!r}")
    setattr(module, name, value)
    PATCHES.append(Patch(f"{module.__name__}.{name}", why))
