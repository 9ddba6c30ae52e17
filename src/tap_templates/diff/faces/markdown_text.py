"""Text of a template as Markdown that stays text: no link, mention, HTML or table comes of it."""

import re
from typing import Final

from tap_templates.diff.faces.words import printable

# Words that mean nothing to GitHub: no letter of them is markup, and they are no number of an
# issue, no digest of a commit, no address.
_HARMLESS = re.compile(
    r"[(]?[A-Za-z]+(?:['-][A-Za-z]+)*[)]?[,.;:?!]?|[(]?[0-9][0-9,]*[)]?[,;:%]?|[→…]"
)
_DIGEST = re.compile(r"[0-9a-fA-F]{7,}")
_TAIL = re.compile(r"[,.;:)]+$")
_SPACE: Final = " "


def code(text: str) -> str:
    """Write a text on one line as a code span, whatever it holds."""
    flat = printable(text).replace("\n", " ⏎ ").replace("\t", " ") or " "
    fence = "`" * (_longest_run(flat) + 1)
    # The space inside is taken away again by whoever reads it.
    pad = " " if flat[0] in "` " or flat[-1] in "` " else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def prose(text: str) -> str:
    """Write a sentence: plain words as they are, everything else as code spans."""
    written: list[str] = []
    unusual: list[str] = []

    def close() -> None:
        if unusual:
            joined = _SPACE.join(unusual)
            tail = _TAIL.search(joined)
            end = tail.group() if tail and len(tail.group()) < len(joined) else ""
            written.append(code(joined.removesuffix(end)) + end)
            unusual.clear()

    for word in text.split():
        if _is_harmless(word):
            close()
            written.append(word)
        else:
            unusual.append(word)
    close()
    return _SPACE.join(written)


def fenced(text: str, language: str = "") -> str:
    """Write a text as a code block, whatever it holds."""
    text = printable(text)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _is_harmless(word: str) -> bool:
    return _HARMLESS.fullmatch(word) is not None and _DIGEST.search(word) is None


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
