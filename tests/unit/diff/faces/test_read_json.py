"""Reading back what a stranger may have written."""

import json

import pytest

from tap_templates.diff.faces import markdown, read_json, text
from tap_templates.diff.faces.grouping import tell
from tap_templates.diff.load import InputError
from tap_templates.diff.model import Action, Flag, FlagName, PropertyChange, Replacement
from tap_templates.diff.render_json import dumps, to_json


@pytest.fixture
def result(change, diff_of):
    witnessed = Flag(FlagName.IAM_BROADENING, "it may do more", "s3:Get* on *")
    return diff_of(
        a_b=[
            change("R", flags=["data_loss", witnessed], because=("why", "note: colon")),
            change("N", action=Action.ADD, properties=()),
            change("M", replacement=Replacement.MAY, certain=False, direct=False),
            change("C", cosmetic=True),
        ]
    )


def written(document) -> bytes:
    return json.dumps(document).encode()


def test_a_result_comes_back_as_it_was(result):
    again = read_json.loads(dumps(result).encode(), "r")
    assert dumps(again) == dumps(result)
    assert markdown.render(tell(again)) == markdown.render(tell(result))
    assert text.render(tell(again)) == text.render(tell(result))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(schema="tap.diff/2"),
        lambda d: d.update(more=1),
        lambda d: d.pop("summary"),
        lambda d: d["summary"].update(data_loss=0),
        lambda d: d.update(templates={}),
        lambda d: d["templates"].append(7),
        lambda d: d["templates"][0].update(path=["x"]),
        lambda d: d["templates"][0].update(path="x" * 2_000),
        lambda d: d["templates"][0]["changes"][0].update(id=None),
        lambda d: d["templates"][0]["changes"][0].update(action="destroy"),
        lambda d: d["templates"][0]["changes"][0].update(action=["add"]),
        lambda d: d["templates"][0]["changes"][0].update(replacement={}),
        lambda d: d["templates"][0]["changes"][0].update(flags=["nice"]),
        lambda d: d["templates"][0]["changes"][0].update(certain=1),
        lambda d: d["templates"][0]["changes"][0].update(cosmetic=True),
        lambda d: d["templates"][0]["changes"][0].update(because="x"),
        lambda d: d["templates"][0]["changes"][0].update(because=["x" * 30_000]),
        lambda d: d["templates"][0]["changes"][0].pop("direct"),
        lambda d: d["templates"][0]["changes"][0].update(properties=[{"path": "/x"}]),
    ],
)
def test_whatever_is_odd_is_refused(spoil, result):
    document = to_json(result)
    spoil(document)
    with pytest.raises(InputError):
        read_json.loads(written(document), "r")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"schema": NaN}',
        b'{"schema": 1, "schema": 2}',
        b" " * (read_json.LARGEST_BYTES + 1),
    ],
)
def test_what_is_no_result_is_refused_with_a_message(data):
    with pytest.raises(InputError):
        read_json.loads(data, "r")


def test_too_many_changes_are_refused(monkeypatch, result):
    monkeypatch.setattr(read_json, "MOST_CHANGES", 3)
    with pytest.raises(InputError, match=r"up to 3"):
        read_json.loads(dumps(result).encode(), "r")


def test_values_are_masked_again(change, diff_of):
    bare = diff_of(
        a=[change(properties=(PropertyChange("/Properties/MasterUserPassword", "hunter2", "b"),))]
    )
    again = read_json.loads(dumps(bare).encode(), "r")
    assert "hunter2" not in dumps(again)


def test_a_flag_without_a_reason_is_still_a_flag(result):
    document = to_json(result)
    document["templates"][0]["changes"][0]["because"] = []
    again = read_json.loads(written(document), "r")
    assert again.templates[0].changes[0].flag_names == ("data_loss", "iam_broadening")
