"""State machines and event patterns on the page: as what they are, side by side."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tap_templates.diff.faces import machines, patterns
from tap_templates.diff.faces.html_bodies import Sides
from tap_templates.diff.faces.html_tags import Html, join, tag

_MACHINES: Final = ("Definition", "DefinitionString")


def structures(sides: Sides) -> Html:
    """Show what structures a resource has, if any of them changed or is new."""
    return join(*_machine(sides), *_pattern(sides))


def _machine(sides: Sides) -> Iterator[Html]:
    before, after = (_first(side, _MACHINES) for side in sides)
    if before == after or not any(map(machines.is_machine, (before, after))):
        return
    rows = machines.rows(before, after)
    head = tag("tr", tag("th", "State", scope="col"), *_heads())
    yield tag(
        "table",
        tag("caption", "State machine"),
        tag("thead", head),
        tag("tbody", *map(_state, rows)),
        class_="states",
    )


def _state(row: machines.Row) -> Html:
    named = row.after or row.before
    kind = named.type if named else ""
    start = tag("span", "starts here", class_="note") if named and named.is_start else ""
    name = tag(
        "th",
        tag("b", row.name),
        " ",
        tag("span", kind, class_="note"),
        " ",
        start,
        " " if row.change != "same" else "",
        tag("span", row.change, class_=f"mark {row.change}") if row.change != "same" else "",
        scope="row",
    )
    if row.change == "same":
        leads = named.leads if named else ()
        return tag("tr", name, tag("td", _list(leads, ()), colspan="2"), class_="same")
    old, new = ((*side.leads, *side.facts) if side else () for side in (row.before, row.after))
    return tag(
        "tr",
        name,
        tag("td", _list(old, new, gone="del")),
        tag("td", _list(new, old, gone="ins")),
        class_=row.change,
    )


def _list(items: Sequence[str], others: Sequence[str], gone: str = "") -> Html:
    if not items:
        return tag("span", "—", class_="note")
    return tag("ul", *(_item(each, gone if each not in others else "") for each in items))


def _item(text: str, kind: str) -> Html:
    return tag("li", tag(kind, text)) if kind else tag("li", text, class_="note")


def _pattern(sides: Sides) -> Iterator[Html]:
    before, after = (_first(side, ("EventPattern",)) for side in sides)
    if before == after or not any(map(patterns.is_pattern, (before, after))):
        return
    head = tag("tr", tag("th", "Field", scope="col"), *_heads())
    yield tag(
        "table",
        tag("caption", "Event pattern"),
        tag("thead", head),
        tag(
            "tbody",
            *(
                tag(
                    "tr",
                    tag("th", tag("code", row.field or "(all)"), scope="row"),
                    tag("td", _chips(row.before, row.after, "del", "anything")),
                    tag("td", _chips(row.after, row.before, "ins", "anything")),
                    class_="same" if row.before == row.after else "changed",
                )
                for row in patterns.rows(before, after)
            ),
        ),
        class_="pattern",
    )


def _chips(choices: Sequence[str], others: Sequence[str], gone: str, empty: str) -> Html:
    if not choices:
        return tag("span", empty, class_="note")
    return join(
        *(
            join(tag("code", tag(gone, each) if each not in others else each), " ")
            for each in choices
        )
    )


def _heads() -> tuple[Html, Html]:
    return tag("th", "Before", scope="col"), tag("th", "After", scope="col")


def _first(side: Any, names: Sequence[str]) -> Any:
    return next((side[name] for name in names if name in side), None) if side else None
