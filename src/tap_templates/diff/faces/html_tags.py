"""HTML that is escaped by construction: what `tag` made is markup, every other text is text."""

import html

VOID = frozenset({"meta", "input"})


class Html(str):
    """Markup; any other `str` is text still to be escaped."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | bool | None) -> Html:
    """Make an element; `class_` is `class`, `data_flag` is `data-flag`, None leaves one out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: str) -> Html:
    """Put texts and markup side by side."""
    return Html("".join(each if isinstance(each, Html) else escaped(each) for each in children))


def escaped(text: str) -> str:
    """Escape a text for an element's content and for a quoted attribute alike."""
    return html.escape(text, quote=True)


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escaped(str(value))}"'
