"""What cannot be read is refused with a status and a name, by each system in its own way."""

import base64

import pytest

from json_requests.reading import Unread, check_type, loaded, mapping, only, text_of, told_by

MOST = 8


def refusal(call, *given, **named):
    with pytest.raises(Unread) as raised:
        call(*given, **named)
    return raised.value.status, raised.value.error


def encoded(raw):
    return {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}


@pytest.mark.parametrize("given", [{"body": "{}"}, encoded(b"{}")])
def test_a_body_is_read_in_both_forms(given):
    assert text_of(given, MOST) == "{}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, (400, "EmptyBody")),
        ({"body": ""}, (400, "EmptyBody")),
        ({"body": {}}, (400, "UnreadableBody")),
        ({"body": "{}", "isBase64Encoded": "no"}, (400, "UnreadableBody")),
        ({"body": "e30", "isBase64Encoded": True}, (400, "NotBase64")),
        ({"body": "\u00e9", "isBase64Encoded": True}, (400, "NotBase64")),
        ({"body": "\ud800"}, (400, "NotUtf8")),
        (encoded(b"\xff"), (400, "NotUtf8")),
        ({"body": " " * (MOST + 1)}, (413, "BodyTooLarge")),
        ({"body": "\u00e9" * (MOST - 1)}, (413, "BodyTooLarge")),
        (encoded(b" " * (MOST + 1)), (413, "BodyTooLarge")),
    ],
)
def test_a_body_that_is_not_read(given, said):
    assert refusal(text_of, given, MOST) == said


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "NotJson"),
        ("NaN", "NotJson"),
        ("x", "NotJson"),
        ('{"a": 1, "a": 2}', "DuplicateName"),
        ("[" * 100_000, "TooDeep"),
    ],
)
def test_what_is_no_json_or_is_read_two_ways(text, error):
    assert refusal(loaded, text, parse_float=str, parse_int=str) == (400, error)
    assert loaded('{"a": [1, 2.50]}', parse_float=str, parse_int=int) == {"a": [1, "2.50"]}


def test_content_and_method():
    for said in ("application/json", "Application/JSON; charset=UTF-8"):
        check_type(said)
    for said in (None, 5, "", "text/plain", "application/json; charset=latin1"):
        assert refusal(check_type, said) == (415, "UnsupportedMediaType")
    only("GET", "GET")
    assert refusal(only, None, "GET") == (405, "MethodNotAllowed")
    assert mapping([1]) == {}


def test_a_system_refuses_in_its_own_way():
    class RefusedError(Exception):
        def __init__(self, status, error, *, headers):
            super().__init__(status, error, dict(headers))

    @told_by(RefusedError)
    def read():
        only("PUT", "GET")

    for _ in range(2):
        with pytest.raises(RefusedError) as raised:
            read()
        assert raised.value.args == (405, "MethodNotAllowed", {"allow": "GET"})
