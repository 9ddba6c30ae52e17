"""Finds what may be a card number (PAN), so that it is refused before anything keeps it. Pure.

A number of 13 to 19 digits that passes the check digit of ISO/IEC 7812-1 (Luhn) is one, written in
one piece or in several, with spaces, dashes, dots, underscores or slashes between them, in any
script. Inside of a longer number only what looks like a card of a known network is one. So one in
ten numbers of 13 to 19 digits that are no card is refused as well: identifiers should have letters.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

SHORTEST, LONGEST = 13, 19
_RUN = re.compile(r"[0-9](?:[\s._/-]{0,3}[0-9]){12,}", re.ASCII)
_PIECE = re.compile(r"[0-9]+")
# American Express, Diners Club, Discover, JCB, Mastercard, UnionPay, Visa: first digits, length.
_NETWORKS = re.compile(
    r"(?=(3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11}|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}"
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}|5[1-5][0-9]{14}"
    r"|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}|62[0-9]{14}|4[0-9]{15}))"
)
# An identifier that is no card number, though one of some thousands has digits enough.
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[1-8][0-9a-f]{3}\1[89ab][0-9a-f]{3}\1[0-9a-f]{12}")
_DIGITS_MAX = 200  # nobody writes longer numbers, and looking through them takes time
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def has_card_number(value: object) -> bool:
    """Tell whether a card number may be anywhere in a JSON value, names of fields included."""
    return any(_is_suspicious(text) for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    """List all texts; without recursion, as the depth is the caller's choice."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case Mapping() as fields:
                waiting += [*fields.keys(), *fields.values()]
            case Sequence() as items:
                waiting += items
            case _:
                continue


def _is_suspicious(text: str) -> bool:
    if _UUID.fullmatch(text):
        return False
    return any(_holds_card(_PIECE.findall(run[0])) for run in _RUN.finditer(_plain(text)))


def _holds_card(pieces: Sequence[str]) -> bool:
    digits = "".join(pieces)
    if len(digits) > _DIGITS_MAX:
        return True
    if any(passes_luhn(found[1]) for found in _NETWORKS.finditer(digits)):
        return True
    ends = [0, *accumulate(len(piece) for piece in pieces)]
    return any(
        SHORTEST <= end - start <= LONGEST and passes_luhn(digits[start:end])
        for index, start in enumerate(ends)
        for end in ends[index + 1 : index + 1 + LONGEST]
    )


def _plain(text: str) -> str:
    """Spell digits, spaces and dashes of all scripts in ASCII; drop what is not seen."""
    if text.isascii():
        return text
    spelled = []
    for character in unicodedata.normalize("NFKC", text):
        kind = unicodedata.category(character)
        if kind == "Nd":
            spelled.append(str(unicodedata.digit(character)))
        elif kind in ("Pd", "Zs"):
            spelled.append("-")
        elif kind not in ("Cf", "Mn"):
            spelled.append(character)
    return "".join(spelled)


def passes_luhn(number: str) -> bool:
    """Tell whether the last digit is the check digit of the others."""
    digits = [int(digit) for digit in number]
    total = sum(digits[-1::-2]) + sum(_DOUBLED[digit] for digit in digits[-2::-2])
    return total % 10 == 0
