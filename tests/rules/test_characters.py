"""Which characters a parameter can carry, by its pattern: never fewer than the pattern lets in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_templates.rules._parameters import QUOTING, STRUCTURE, accepts, carries

HARMLESS = [
    "[a-z0-9]{1,12}",
    "^[a-z]{2}(-[a-z]+)+-[0-9]$",
    r"[A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,63}",
    r"^(?:\d+|\w*[.])$",
    r"(?!.*\(x\))[a-c]+",
    r"(?P<name>[-a]|[]a-c]|b{1,2}?)",
    r"a\.b\-c\+",
    r'[^"\\\s\n\r\t\f\v' + "".join(map(chr, range(0x20))) + "]+",
    r"(?<=a)b|",
]
HARMFUL = [
    ".",
    r'"',
    r"\\",
    r"[\\]",
    "[A-z]",
    "[ -~]",
    r"[^a]",
    r"\S",
    r"\W",
    r"\D",
    r"\s",
    r"[\S]",
    r"[+-\]]",
    r"\x22",
    r"\p{L}",
    r"(?i)a",
    r"(a)\1",
    "[[:alpha:]]",
    "[a-z&&[^b]]",
    "a\n",
    r"(?!x[)]).",
]


@pytest.mark.parametrize("pattern", HARMLESS)
def test_a_pattern_without_quotes_carries_none(pattern):
    assert not carries({"AllowedPattern": pattern}, QUOTING)


@pytest.mark.parametrize("pattern", HARMFUL)
def test_a_pattern_that_may_let_one_in_is_not_trusted(pattern):
    assert carries({"AllowedPattern": pattern}, QUOTING)


LETTERS = ["a", "[a-z]", "[^a]", ".", r"\d", r"\W", r"\s", r"\\", r"\.", '"']
CLASSES = ["[+-,]", r"[\]-a]", "[]x]", r'[^"\\]', "[ -~]"]
PIECES = st.sampled_from([*LETTERS, *CLASSES, "(b|c)", "(?!d)", "(?:e)", "{2}", "?", "*"])


@given(pieces=st.lists(PIECES, min_size=1, max_size=5), data=st.data())
def test_what_is_said_not_to_be_carried_never_is(pieces, data):
    pattern = "".join(pieces)
    try:
        compiled = re.compile(pattern)
    except re.error:
        return
    text = data.draw(st.from_regex(compiled, fullmatch=True))
    for forbidden in (QUOTING, STRUCTURE):
        if forbidden & set(text):
            assert carries({"AllowedPattern": pattern}, forbidden)


@pytest.mark.parametrize(
    ("declared", "forbidden", "expected"),
    [
        ({}, QUOTING, True),
        ({"Type": "Number"}, STRUCTURE, False),
        ({"Type": "List<Number>"}, QUOTING, False),
        ({"Type": "List<Number>"}, STRUCTURE, True),
        ({"Type": "CommaDelimitedList", "AllowedPattern": "a"}, STRUCTURE, True),
        ({"Type": "CommaDelimitedList", "AllowedPattern": "a"}, QUOTING, False),
        ({"Type": "AWS::EC2::Subnet::Id"}, STRUCTURE, False),
        ({"Type": "List<AWS::EC2::Subnet::Id>"}, QUOTING, False),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "AllowedPattern": "a"}, QUOTING, True),
        ({"AllowedValues": ["a", 1]}, STRUCTURE, False),
        ({"AllowedValues": ["a,b"]}, STRUCTURE, True),
        ({"AllowedPattern": ["a"]}, QUOTING, True),
    ],
    ids=str,
)
def test_a_type_or_a_list_of_values_decides_before_a_pattern(declared, forbidden, expected):
    assert carries(declared, forbidden) is expected


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({}, True),
        ({"AllowedValues": ["NONE"]}, True),
        ({"AllowedValues": ["JWT"]}, False),
        ({"AllowedPattern": "NONE|JWT"}, True),
        ({"AllowedPattern": "NON"}, False),
        ({"AllowedPattern": "("}, True),
    ],
    ids=str,
)
def test_a_parameter_accepts_a_text(declared, expected):
    assert accepts(declared, "NONE") is expected
