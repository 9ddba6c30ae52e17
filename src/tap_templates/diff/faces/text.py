"""The terminal's face: verdict first, then what is dangerous, then the rest, cosmetic as a count.

Lines are made of styled pieces, so that a pipe gets the same words without any colour.
"""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from tap_templates.diff.faces.grouping import (
    Level,
    Telling,
    Told,
    flag_words,
    flags_shown,
    reasons,
    witness,
)
from tap_templates.diff.faces.words import clipped, counted, line, printable, sentence
from tap_templates.diff.model import FlagName

if TYPE_CHECKING:
    from rich.text import Text

LONGEST_VALUE: Final = 160
MOST_PROPERTIES: Final = 12
MOST_FLAGS: Final = 6  # of one name
NARROWEST: Final = 30
_WORDS: Final = {
    Level.DANGER: "DANGER",
    Level.CAUTION: "CAUTION",
    Level.CHANGE: "OK",
    Level.NONE: "OK",
}
_STYLES: Final = {
    Level.DANGER: "bold red",
    Level.CAUTION: "bold yellow",
    Level.CHANGE: "bold green",
    Level.NONE: "bold green",
}


class Piece(NamedTuple):
    text: str
    style: str = ""


class Line(NamedTuple):
    """A line to be wrapped; what wraps stands `hang` letters further in."""

    indent: int
    pieces: tuple[Piece, ...]
    hang: int = 2


def lines(telling: Telling) -> Iterator[Line]:
    """Give the whole face as lines."""
    level = telling.level
    yield Line(0, (Piece(_WORDS[level], _STYLES[level]), Piece(f"  {telling.verdict}", "bold")))
    for group in telling.groups:
        yield _blank()
        yield Line(0, (Piece(f"{group.title} ({len(group.told):,})", _STYLES[level]),))
        for told in group.told:
            yield from _change(told)
    if telling.others:
        yield _blank()
        yield Line(0, (Piece(f"Other changes ({len(telling.others):,})", "bold"),))
        for told in telling.others:
            yield from _change(told)
    if telling.cosmetic:
        templates = len({path for told in telling.cosmetic for path in told.paths})
        count = counted(len(telling.cosmetic), "cosmetic difference")
        yield _blank()
        yield Line(
            0, (Piece(f"{count} in {counted(templates, 'template')}: the meaning is equal", "dim"),)
        )


def render(telling: Telling, *, width: int | None = None) -> str:
    """Write the face without colours; without a width nothing is wrapped."""
    return "".join(
        f"{text}\n" for each in lines(telling) for text in _wrapped(each, _usable(width))
    )


def rich_lines(telling: Telling, width: int) -> Iterator["Text"]:
    """Give the face with colours, each line wrapped to a terminal's width."""
    from rich.text import Text  # noqa: PLC0415 - a pipe does without

    for each in lines(telling):
        texts = _wrapped(each, _usable(width))
        styled = Text("\n".join(texts))
        # Only the first line of a paragraph is styled: the rest of it is its explanation.
        position = each.indent
        for piece in each.pieces:
            end = min(position + len(piece.text), len(texts[0]) if texts else 0)
            if piece.style and position < end:
                styled.stylize(piece.style, position, end)
            position += len(piece.text)
        yield styled


def _usable(width: int | None) -> int | None:
    return None if width is None else max(NARROWEST, width)


def _blank() -> Line:
    return Line(0, ())


def _wrapped(each: Line, width: int | None) -> list[str]:
    text = "".join(piece.text for piece in each.pieces)
    if not text:
        return [""]
    lead = " " * each.indent
    if width is None:
        return [lead + text]
    return textwrap.wrap(
        text,
        width,
        initial_indent=lead,
        subsequent_indent=lead + " " * each.hang,
        drop_whitespace=True,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


def _change(told: Told) -> Iterator[Line]:
    change = told.change
    kind = f" {printable(change.type)}" if change.type else ""
    yield Line(
        2,
        (
            Piece(printable(change.id), "bold"),
            Piece(kind, "cyan"),
            Piece(f" in {told.where}: {told.what}"),
        ),
        hang=4,
    )
    for flag, left in flags_shown(change, MOST_FLAGS):
        style = "green" if flag.name is FlagName.IAM_NARROWING else "red"
        yield Line(
            4,
            (Piece(flag_words(flag), style), Piece(f": {sentence(flag.because)}")),
        )
        if witness(flag):
            yield Line(6, (Piece("for example: "), Piece(witness(flag), "bold")))
        if left:
            yield Line(6, (Piece(f"… and {left:,} more of that kind; json tells all", "dim"),))
    for reason in reasons(change):
        yield Line(4, (Piece(f"because {reason}"),))
    yield from _properties(told)


def _properties(told: Told) -> Iterator[Line]:
    properties = told.change.properties
    for each in properties[:MOST_PROPERTIES]:
        before, after = (
            clipped(line(value, each.path), LONGEST_VALUE) for value in (each.before, each.after)
        )
        yield Line(
            4,
            (
                Piece(f"{printable(each.path)}: ", "dim"),
                Piece(before, "red"),
                Piece(" → "),
                Piece(after, "green"),
            ),
        )
    left = len(properties) - MOST_PROPERTIES
    if left > 0:
        yield Line(4, (Piece(f"… and {counted(left, 'more place')}; json tells all", "dim"),))
