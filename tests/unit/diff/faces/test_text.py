"""The terminal's face."""

import io

import pytest
from rich.console import Console

from tap_templates.diff.faces import text
from tap_templates.diff.faces.grouping import tell
from tap_templates.diff.model import Flag, FlagName, PropertyChange, Replacement


def test_the_verdict_is_the_first_line(change, diff_of):
    shown = text.render(tell(diff_of(a=[change(), change("Db", flags=["data_loss"])])))
    assert shown.splitlines()[0] == "DANGER  Data loss: Db in a.json. 1 of 2 changes dangerous"


def test_danger_stands_before_the_rest_with_its_reason_and_witness(change, diff_of):
    flag = Flag(FlagName.IAM_BROADENING, "it may do more", "s3:GetObject on arn:aws:s3:::a/*")
    shown = text.render(tell(diff_of(a=[change("Plain"), change("Role", flags=[flag])])))
    order = [shown.index(each) for each in ("Role AWS", "it may do more", "s3:Get", "Plain AWS")]
    assert order == sorted(order)


def test_a_witness_that_the_reason_says_already_is_not_repeated(change, diff_of):
    flag = Flag(FlagName.IAM_BROADENING, "newly allowed is s3:GetObject", "s3:GetObject")
    assert "for example" not in text.render(tell(diff_of(a=[change(flags=[flag])])))


def test_cosmetic_differences_are_a_count(change, diff_of):
    cosmetic = [change(f"Cosmetic{n}", cosmetic=True) for n in range(20)]
    shown = text.render(tell(diff_of(a=cosmetic)))
    assert "20 cosmetic differences in 1 template" in shown
    assert "Cosmetic7" not in shown


def test_why_a_replacement_comes_is_told(change, diff_of):
    moved = change(replacement=Replacement.ALWAYS, because=("/Properties/Name is create-only",))
    shown = text.render(tell(diff_of(a=[moved])))
    assert "because /Properties/Name is create-only" in shown
    assert shown.startswith("CAUTION")


@pytest.mark.parametrize("width", [30, 40, 80])
def test_no_line_is_wider_than_the_terminal(width, change, diff_of):
    long = change(because=("word " * 60,), properties=(PropertyChange("/P", "x" * 500, "y"),))
    lines = text.render(tell(diff_of(a=[long])), width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_a_pipe_gets_whole_lines(change, diff_of):
    shown = text.render(tell(diff_of(a=[change(because=("word " * 60,))])))
    assert max(map(len, shown.splitlines())) > 200


def test_a_terminal_gets_the_same_words_in_colour(change, diff_of):
    telling = tell(diff_of(a=[change("Db", flags=["data_loss"]), change("[bold]Q")]))
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, markup=False, highlight=False)
    for line in text.rich_lines(telling, 60):
        console.print(line, soft_wrap=True)
    coloured = out.getvalue()
    assert "\x1b[" in coloured
    plain = Console(file=(bare := io.StringIO()), width=60, markup=False, highlight=False)
    for line in text.rich_lines(telling, 60):
        plain.print(line, soft_wrap=True)
    assert bare.getvalue() == text.render(telling, width=60)


def test_a_template_cannot_steer_the_terminal(change, diff_of):
    hostile = change(
        "\x1b[2J", properties=(PropertyChange("/P\x1b]0;x\x07", "a\x9b1m", "b\u202ec"),)
    )
    flag = Flag(FlagName.EXPOSURE, "see\x1b[1m", "w\x08")
    shown = text.render(tell(diff_of(a=[hostile, change(flags=[flag])])))
    assert not any(ord(each) < 32 and each != "\n" for each in shown)
    assert not {"\x9b", "\u202e", "\x07"} & set(shown)
    assert "\\u001b[2J" in shown


def test_secrets_are_masked(change, diff_of):
    key = "AKIA" + "A" * 16
    secret = change(
        properties=(
            PropertyChange("/Properties/Environment/Variables/DB_PASSWORD", "hunter2", "hunter3"),
            PropertyChange("/Properties/Other", key, "b"),
        ),
        because=(f"it was {key}",),
    )
    shown = text.render(tell(diff_of(a=[secret])))
    assert "hunter" not in shown
    assert key not in shown
