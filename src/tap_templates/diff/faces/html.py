"""The page: one file that asks nothing of any network, to search, filter and read side by side.

Its policy lets no script and no style run but its own, by their digests; so even markup that got
past the escaping would do nothing.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tap_templates.diff.faces.grouping import (
    FLAG_TITLES,
    Telling,
    Told,
    flag_words,
    flags_by_weight,
    reasons,
    witness,
)
from tap_templates.diff.faces.html_assets import SCRIPT, STYLE
from tap_templates.diff.faces.html_bodies import Bodies, Sides
from tap_templates.diff.faces.html_structures import structures
from tap_templates.diff.faces.html_tags import Html, join, tag
from tap_templates.diff.faces.words import block, clipped, counted, line, printable, sentence
from tap_templates.diff.model import Action, FlagName, PropertyChange, Replacement

_LONGEST_VALUE: Final = 20_000
_NO_BODIES: Final[Bodies] = {}
_NOTHING: Final = Sides(None, None)


def render(telling: Telling, bodies: Bodies = _NO_BODIES, *, title: str = "Template diff") -> str:
    """Write the page; with `bodies`, definitions and patterns are shown as structures."""
    stacks = sorted({path for told in _all(telling) for path in told.paths})
    sections = (
        *(_section(group.title, group.told, bodies, is_danger=True) for group in telling.groups),
        _section("Other changes", telling.others, bodies),
        _folded(telling.cosmetic),
    )
    page = tag(
        "html",
        _head(title),
        tag(
            "body",
            tag("h1", telling.verdict, class_=telling.level.value),
            _form(telling, stacks),
            tag("main", *sections),
            tag("script", Html(SCRIPT)),
        ),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{page}\n"


def _head(title: str) -> Html:
    policy = (
        f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}';"
        " base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", printable(title)),
        tag("style", Html(STYLE)),
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _form(telling: Telling, stacks: Sequence[str]) -> Html:
    present = {name for told in _all(telling) for name in _marks(told)}
    boxes = (
        tag("label", tag("input", type="checkbox", name="flag", value=name), f" {words}")
        for name, words in _MARK_WORDS.items()
        if name in present
    )
    return tag(
        "form",
        tag("input", type="search", name="search", placeholder="Search (/)", aria_label="Search"),
        tag(
            "label",
            "Stack ",
            tag(
                "select",
                tag("option", "all", value=""),
                *(tag("option", printable(path), value=path) for path in stacks),
                name="stack",
            ),
        ),
        tag("fieldset", tag("legend", "Only"), *boxes) if present else "",
        tag("button", "Open all", type="button", name="open", title="e"),
        tag("button", "Close all", type="button", name="close", title="c"),
        tag("output", name="count", aria_live="polite", class_="note"),
        hidden=True,  # without scripts there is nothing it could do
    )


_MARK_WORDS: Final[Mapping[str, str]] = {
    **{name.value: FLAG_TITLES[name] for name in FlagName},
    "replaced": "replaced",
    "added": "added",
    "removed": "removed",
    "uncertain": "not certain",
}


def _marks(told: Told) -> list[str]:
    """Name what the filter can ask for."""
    change = told.change
    if change.cosmetic:
        return []
    found = list(change.flag_names)
    found += ["replaced"] if change.replacement is not Replacement.NEVER else []
    found += ["added"] if change.action is Action.ADD else []
    found += ["removed"] if change.action is Action.REMOVE else []
    return [*found, *([] if change.certain else ["uncertain"])]


def _section(
    title: str, all_told: Sequence[Told], bodies: Bodies, *, is_danger: bool = False
) -> Html:
    if not all_told:
        return Html("")
    return tag(
        "section",
        tag("h2", f"{title} ({len(all_told):,})"),
        *(_card(told, bodies, is_danger=is_danger) for told in all_told),
    )


def _folded(all_told: Sequence[Told]) -> Html:
    """Show what is cosmetic: there for whoever looks, out of the way of everyone else."""
    if not all_told:
        return Html("")
    title = f"{counted(len(all_told), 'cosmetic difference')}: the meaning is equal"
    cards = (_card(told, _NO_BODIES, is_danger=False) for told in all_told)
    inside = tag("div", *cards, class_="inside")
    return tag("section", tag("details", tag("summary", title), inside, class_="fold"))


def _card(told: Told, bodies: Bodies, *, is_danger: bool) -> Html:
    change = told.change
    named = dict.fromkeys((flag_words(flag), flag.name) for flag in flags_by_weight(change))
    marks = (join(" ", tag("span", words, class_=_mark_class(name))) for words, name in named)
    summary = tag(
        "summary",
        tag("b", printable(change.id)),
        " ",
        tag("code", printable(change.type)),
        f" in {told.where}",
        tag("span", f": {told.what}", class_="note") if not change.cosmetic else "",
        *marks,
    )
    sides = _NOTHING if change.cosmetic else bodies.get((told.paths[0], change.id), _NOTHING)
    return tag(
        "details",
        summary,
        tag("div", _reasons(told), _shown(told, sides), class_="inside"),
        class_="change danger" if is_danger else "change",
        open=is_danger,
        data_flags=" ".join(_marks(told)),
        data_stacks=json.dumps(told.paths),
    )


def _mark_class(name: FlagName) -> str:
    return "mark good" if name is FlagName.IAM_NARROWING else "mark bad"


def _reasons(told: Told) -> Html:
    items = [
        join(
            tag("b", flag_words(flag)),
            f": {sentence(flag.because)}",
            join(" For example ", tag("code", witness(flag))) if witness(flag) else "",
        )
        for flag in flags_by_weight(told.change)
    ]
    found = [*items, *reasons(told.change)]
    return tag("ul", *(tag("li", each) for each in found), class_="reasons") if found else Html("")


def _shown(told: Told, sides: Sides) -> Html:
    shown = structures(sides)
    if told.change.properties:
        return join(shown, _places(told.change.properties))
    if told.change.action is not Action.MODIFY:
        return join(shown, *_whole(sides))
    return shown


def _places(properties: Sequence[PropertyChange]) -> Html:
    head = (tag("th", each, scope="col") for each in ("Property", "Before", "After"))
    return tag(
        "table",
        tag("caption", counted(len(properties), "property", "properties")),
        tag("thead", tag("tr", *head)),
        tag("tbody", *map(_place, properties)),
    )


def _place(each: PropertyChange) -> Html:
    return tag(
        "tr",
        tag("th", tag("code", printable(each.path)), scope="row"),
        tag("td", _value(each.before, each.path, "del")),
        tag("td", _value(each.after, each.path, "ins")),
    )


def _value(value: Any, path: str, kind: str) -> Html:
    if value is None:
        return tag("span", line(value), class_="note")
    return tag("pre", tag(kind, clipped(block(value, path), _LONGEST_VALUE)))


def _whole(sides: Sides) -> Iterator[Html]:
    for side, kind in zip(sides, ("del", "ins"), strict=True):
        if side:
            yield _places(
                tuple(
                    PropertyChange(f"/Properties/{key}", *_sided(side[key], kind))
                    for key in sorted(side)
                )
            )


def _sided(value: Any, kind: str) -> tuple[Any, Any]:
    return (value, None) if kind == "del" else (None, value)


def _all(telling: Telling) -> tuple[Told, ...]:
    return (*telling.dangerous, *telling.others, *telling.cosmetic)
