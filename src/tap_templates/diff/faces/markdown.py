"""The pull request's face: a comment of limited length, the verdict and all danger above the fold.

What does not fit is left out whole, from the least important up, and counted; so no block is ever
cut, and what is worst is there whatever the length.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from tap_templates.diff.faces.grouping import (
    Kind,
    Level,
    Telling,
    Told,
    flag_words,
    flags_by_weight,
    flags_shown,
    reasons,
    witness,
)
from tap_templates.diff.faces.markdown_text import code, fenced, prose
from tap_templates.diff.faces.words import (
    block,
    clipped,
    counted,
    line,
    listed,
    printable,
    sentence,
)
from tap_templates.diff.model import PropertyChange

MARKER: Final = "<!-- tap-diff -->"  # the comment that is found by it is written anew
LIMIT: Final = 65_536  # what GitHub takes; counted in bytes, which is never less than letters
_SHORTEST: Final = 2_000  # the verdict, the rest of the frame and one change always fit
_LONGEST_NAME: Final = 200
_LONGEST_SENTENCE: Final = 600
_LONGEST_VALUE: Final = 120  # on one line; longer ones are blocks
_LONGEST_BLOCK: Final = 3_000
_MOST_REASONS: Final = 8
_MOST_FLAGS: Final = 6  # of one name
_MOST_PLACES: Final = 40
_MARKS: Final = {Level.DANGER: "🛑", Level.CAUTION: "⚠️", Level.CHANGE: "✅", Level.NONE: "✅"}


@dataclass(slots=True)
class _Section:
    """A heading or a fold with what it holds; without any entry it is not written."""

    opening: str
    closing: str = ""
    entries: list[str] = field(default_factory=list)

    def text(self) -> str:
        return f"{self.opening}{''.join(self.entries)}{self.closing}" if self.entries else ""

    @property
    def frame(self) -> int:
        return _size(self.opening) + _size(self.closing)


class _Entry(NamedTuple):
    """A piece that is written whole or not at all, and of how many changes it tells."""

    write: Callable[[], str]
    number: int = 1
    shorter: Callable[[], str] | None = None  # if it does not fit


@dataclass(slots=True)
class _Page:
    """Sections in order, filled as long as there is room."""

    room: int
    sections: list[_Section] = field(default_factory=list)
    is_full: bool = False

    def section(self, opening: str, closing: str = "") -> _Section:
        made = _Section(opening, closing)
        self.sections.append(made)
        return made

    def fill(self, section: _Section, entries: Iterable[_Entry]) -> int:
        """Add entries until one does not fit, after which nothing does; count what is left out."""
        left = 0
        for entry in entries:
            text = self._fitting(section, entry)
            if text:
                self.room -= self._cost(section, text)
                section.entries.append(text)
            else:
                self.is_full = True
                left += entry.number
        return left

    def _fitting(self, section: _Section, entry: _Entry) -> str:
        for write in (entry.write, entry.shorter):
            text = "" if self.is_full or write is None else write()
            if text and self._cost(section, text) <= self.room:
                return text
        return ""

    @staticmethod
    def _cost(section: _Section, text: str) -> int:
        return _size(text) + (0 if section.entries else section.frame)


def render(telling: Telling, *, limit: int = LIMIT, elsewhere: str = "") -> str:
    """Write the comment in at most `limit` bytes; `elsewhere` says where all of it is."""
    mark = _MARKS[telling.level]
    head = f"{MARKER}\n### {mark} {prose(clipped(telling.verdict, _LONGEST_SENTENCE))}\n"
    tail = f"\n{prose(elsewhere)}\n" if elsewhere else ""
    note_room = 400
    page = _Page(max(_SHORTEST, limit) - _size(head) - _size(tail) - note_room)
    left = _fill(page, telling)
    note = _left_out(left)
    body = "".join(section.text() for section in page.sections)
    return f"{head}{note}{body}{tail}"


def _fill(page: _Page, telling: Telling) -> dict[str, int]:
    """Put the most important in first, whatever its place on the page is."""
    above = [page.section(f"\n#### {group.title}\n\n") for group in telling.groups]
    details = page.section(_fold("Details of the dangerous changes"), "\n</details>\n")
    others = page.section(_fold(counted(len(telling.others), "other change")), "\n</details>\n")
    cosmetic = page.section(
        _fold(f"{counted(len(telling.cosmetic), 'cosmetic difference')}: the meaning is equal"),
        "\n</details>\n",
    )
    left = {
        "dangerous change": sum(
            page.fill(section, _dangers(group.told))
            for section, group in zip(above, telling.groups, strict=True)
        )
    }
    detailed = [told for told in telling.dangerous if told.change.properties]
    left["detail of a dangerous change"] = page.fill(details, _each(_detail, detailed))
    left["other change"] = page.fill(others, _each(_other, telling.others))
    left["cosmetic difference"] = page.fill(cosmetic, _cosmetic(telling.cosmetic))
    return left


def _dangers(all_told: Iterable[Told]) -> Iterator[_Entry]:
    for told in all_told:
        yield _Entry(partial(_danger, told), shorter=partial(_danger_alone, told))


def _each(write: Callable[[Told], str], all_told: Iterable[Told]) -> Iterator[_Entry]:
    return (_Entry(partial(write, told)) for told in all_told)


def _left_out(left: dict[str, int]) -> str:
    parts = [
        counted(number, name, _PLURALS.get(name, "")) for name, number in left.items() if number
    ]
    if not parts:
        return ""
    return f"\n**Left out, because a comment has a limit:** {listed(parts)}.\n"


_PLURALS: Final = {"detail of a dangerous change": "details of dangerous changes"}


def _fold(summary: str) -> str:
    return f"\n<details><summary>{summary}</summary>\n\n"


def _danger(told: Told) -> str:
    lines = [f"- {_name(told)}: {told.what}"]
    for flag, left in flags_shown(told.change, _MOST_FLAGS):
        reason = prose(clipped(sentence(flag.because), _LONGEST_SENTENCE))
        lines.append(f"  - **{flag_words(flag)}**: {reason}")
        if witness(flag):
            lines.append(f"    - for example {code(clipped(witness(flag), _LONGEST_SENTENCE))}")
        lines += [f"    - and {left:,} more of that kind"] if left else []
    if not told.change.flags or told.kind in (Kind.REPLACED, Kind.MAY_BE_REPLACED):
        lines += _reasons(told)
    return "\n".join(lines) + "\n"


def _danger_alone(told: Told) -> str:
    """Write a dangerous change without its reasons."""
    words = dict.fromkeys(map(flag_words, flags_by_weight(told.change)))
    flags = f"; **{', '.join(words)}**" if words else ""
    return f"- {_name(told)}: {told.what}{flags}\n"


def _detail(told: Told) -> str:
    lines = [f"- {_name(told)}", *(_reasons(told) if told.change.flags else ())]
    return "\n".join([*lines, *_places(told.change.properties)]) + "\n"


def _other(told: Told) -> str:
    lines = [f"- {_name(told)}: {told.what}"]
    lines += [
        f"  - **{flag_words(flag)}**: {prose(clipped(sentence(flag.because), _LONGEST_SENTENCE))}"
        for flag, _ in flags_shown(told.change, _MOST_FLAGS)
    ]
    return "\n".join([*lines, *_reasons(told), *_places(told.change.properties)]) + "\n"


def _cosmetic(all_told: Sequence[Told]) -> Iterator[_Entry]:
    """Write a line for each template: a list of names is all that anybody wants."""
    by_place: dict[str, list[str]] = {}
    for told in all_told:
        by_place.setdefault(_where(told), []).append(_code(told.change.id))
    for where, names in by_place.items():
        for start in range(0, len(names), 50):
            some = names[start : start + 50]
            yield _Entry(partial("- {}: {}\n".format, where, ", ".join(some)), len(some))


def _name(told: Told) -> str:
    kind = f" {_code(told.change.type)}" if told.change.type else ""
    return f"**{_code(told.change.id)}**{kind} in {_where(told)}"


def _where(told: Told) -> str:
    shown = [_code(path) for path in told.paths[:6]]
    if len(told.paths) > len(shown):
        shown.append(counted(len(told.paths) - len(shown), "more template"))
    return f"{listed(shown)}{f', {told.everywhere}' if told.everywhere else ''}"


def _code(text: str) -> str:
    return code(clipped(printable(text), _LONGEST_NAME))


def _reasons(told: Told) -> list[str]:
    found = reasons(told.change)
    shown = [f"  - {prose(clipped(each, _LONGEST_SENTENCE))}" for each in found[:_MOST_REASONS]]
    if len(found) > len(shown):
        shown.append(f"  - and {counted(len(found) - len(shown), 'more reason')}")
    return shown


def _places(properties: Sequence[PropertyChange]) -> Iterator[str]:
    for each in properties[:_MOST_PLACES]:
        yield from _place(each)
    if len(properties) > _MOST_PLACES:
        yield f"  - and {counted(len(properties) - _MOST_PLACES, 'more place')}"


def _place(each: PropertyChange) -> Iterator[str]:
    path = _code(each.path or "/")
    sides = [line(value, each.path) for value in (each.before, each.after)]
    if max(map(len, sides)) <= _LONGEST_VALUE:
        yield f"  - {path}: {code(sides[0])} → {code(sides[1])}"
        return
    yield f"  - {path}"
    for label, value in (("before", each.before), ("after", each.after)):
        text = clipped(block(value, each.path), _LONGEST_BLOCK)
        yield _indented(f"{label}:\n\n{fenced(text, 'json')}\n", 4)


def _indented(text: str, letters: int) -> str:
    lead = " " * letters
    return "\n".join(lead + each if each else each for each in text.split("\n"))


def _size(text: str) -> int:
    return len(text.encode())
