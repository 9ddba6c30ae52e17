"""The pull request's face: what is above the fold, how long it is, what nobody can inject."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_templates.diff.faces import markdown
from tap_templates.diff.faces.grouping import tell
from tap_templates.diff.faces.markdown_text import code, fenced, prose
from tap_templates.diff.model import Flag, FlagName, PropertyChange, Replacement


def above_the_fold(comment: str) -> str:
    return comment.partition("<details>")[0]


def without_code(comment: str) -> str:
    """Take code blocks and code spans out, as CommonMark finds them."""
    kept, fence = [], ""
    for line in comment.splitlines():
        mark = re.match(r" *(`{3,})", line)
        if fence:
            fence = "" if line.strip() == fence else fence
        elif mark and "`" not in line[mark.end() :]:
            fence = mark[1]
        else:
            kept.append(re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", line))
    assert not fence, "a code block is open at the end"
    return "\n".join(kept)


def test_the_marker_and_the_verdict_come_first(change, diff_of):
    lines = markdown.render(tell(diff_of(a=[change("Db", flags=["data_loss"])]))).splitlines()
    assert lines[0] == "<!-- tap-diff -->"
    assert lines[1].startswith("### 🛑 Data loss: Db in `a.json`")


def test_no_difference_is_said_in_two_lines(diff_of):
    assert markdown.render(tell(diff_of())) == "<!-- tap-diff -->\n### ✅ No difference\n"


def test_every_dangerous_change_is_above_the_fold_and_the_rest_below(change, diff_of):
    flag = Flag(FlagName.IAM_BROADENING, "it may do more", "s3:GetObject on arn:aws:s3:::a/*")
    comment = markdown.render(
        tell(
            diff_of(
                a=[
                    change("Role", flags=[flag]),
                    change("Moved", replacement=Replacement.ALWAYS, because=("Name is fixed",)),
                    change("Plain"),
                    change("Same", cosmetic=True),
                ]
            )
        )
    )
    top = above_the_fold(comment)
    for text in ("Role", "it may do more", "`s3:GetObject on arn:aws:s3:::a/*`", "Moved", "fixed"):
        assert text in top
    assert "Plain" not in top
    assert "Same" not in top
    assert "`Plain`" in comment
    assert "<summary>1 cosmetic difference: the meaning is equal</summary>" in comment


def test_details_open_and_close(change, diff_of):
    comment = markdown.render(
        tell(diff_of(a=[change(flags=["exposure"]), change("B"), change("C", cosmetic=True)]))
    )
    assert comment.count("<details>") == comment.count("</details>") == 3


def many(change, number, **fields):
    wide = {f"key{n}": "value" * 10 for n in range(20)}
    place = (PropertyChange("/Properties/P", wide, {**wide, "more": "`````"}),)
    return [change(f"R{n}", properties=place, **fields) for n in range(number)]


@pytest.mark.parametrize("size", [1, 20, 60, 400, 3000])
def test_the_limit_holds_and_nothing_is_cut(size, change, diff_of):
    diff = diff_of(a=many(change, size, flags=["exposure"]), b=many(change, size))
    comment = markdown.render(tell(diff))
    assert len(comment.encode()) <= 65_536
    assert "<details>" not in without_code(above_the_fold(comment))
    assert comment.count("<details>") == comment.count("</details>")


def test_the_worst_is_kept_and_what_is_not_is_counted(change, diff_of):
    diff = diff_of(
        a=[
            *many(change, 900, flags=["iam_broadening"]),
            change("Worst", flags=["data_loss"]),
        ],
        b=many(change, 50),
        c=[change(f"C{n}", cosmetic=True) for n in range(7)],
    )
    comment = markdown.render(tell(diff))
    assert "**`Worst`**" in above_the_fold(comment)
    shown = len(re.findall(r"^- \*\*`R", above_the_fold(comment), re.MULTILINE))
    note = next(line for line in comment.splitlines() if line.startswith("**Left out"))
    assert f"{900 - shown:,} dangerous changes" in note
    assert "50 other changes" in note
    assert "7 cosmetic differences" in note
    assert note in above_the_fold(comment)


def test_what_fits_is_not_said_to_be_left_out(change, diff_of):
    assert "Left out" not in markdown.render(tell(diff_of(a=many(change, 3))))


def test_one_huge_change_still_fits(change, diff_of):
    huge = change(
        "N" * 9_000,
        type="T" * 9_000,
        flags=[Flag(FlagName.EXPOSURE, "because " * 9_000, "w" * 90_000)],
        because=tuple("reason " * 900 + str(n) for n in range(90)),
        properties=tuple(PropertyChange("/p" * 900, "x" * 90_000, "y") for _ in range(90)),
    )
    comment = markdown.render(tell(diff_of(a=[huge])))
    assert len(comment.encode()) <= 65_536
    assert "because" in above_the_fold(comment)


def test_flags_of_one_kind_are_shown_in_part_and_counted(change, diff_of):
    many = [Flag(FlagName.RECOVERY_REGRESSION, f"retry {n} dropped") for n in range(900)]
    loss = Flag(FlagName.DATA_LOSS, "it deletes the old one")
    comment = markdown.render(tell(diff_of(a=[change("M", flags=[*many, loss])])))
    top = above_the_fold(comment)
    assert "it deletes the old one" in top
    assert "retry 0 dropped" in top
    assert "and 894 more of that kind" in top
    assert "Left out" not in comment


def test_a_change_too_long_for_its_reasons_is_told_without_them(change, diff_of):
    wordy = [Flag(name, "𝄞 " * 9_000, "𝄞" * 9_000 + str(n)) for name in FlagName for n in range(9)]
    diff = diff_of(a=[change("Worst", flags=wordy), change("Next", flags=["exposure"])])
    comment = markdown.render(tell(diff))
    assert len(comment.encode()) <= 65_536
    assert "**`Worst`**" in above_the_fold(comment)
    assert "data loss" in above_the_fold(comment)
    assert "**`Next`**" in above_the_fold(comment)


HOSTILE = [
    "@everyone",
    "<img src=x onerror=alert(1)>",
    "</details>",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "https://evil.example",
    "www.evil.example",
    "#123",
    "GH-123",
    "a1b2c3d4e5f6a7b8",
    "| a | b |",
    "``` \n</details> @you",
    "`@you`",
    "<!-- tap-diff -->",
    "**bold** __x__ ~~y~~",
    ":tada:",
    "a\\`b",
    "$x$",
    "someone@evil.example",
    "line\n\n# heading",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_template_cannot_inject_markup_anywhere(text, change, diff_of):
    bad = change(
        text,
        type=text,
        flags=[Flag(FlagName.EXPOSURE, f"because of {text} it is", text)],
        because=(text,),
        properties=(
            PropertyChange(f"/{text}", text, {text: text}),
            PropertyChange("/long", [text] * 50, None),
        ),
    )
    plain = change("Q", because=(text,))
    comment = markdown.render(tell(diff_of(a=[bad, plain])))
    bare = without_code(comment.removeprefix("<!-- tap-diff -->"))
    ours = re.sub(r"</?(?:details|summary)>|^#{3,4} |\*\*", "", bare, flags=re.MULTILINE)
    assert not re.search(r"[<>@\[\]|#\\~_$]|://|www\.|GH-|[0-9a-f]{7}", ours), ours
    assert bare.count("<details>") == bare.count("</details>")


@given(st.text())
def test_code_is_one_span_whatever_it_holds(text):
    assert without_code(f"x {code(text)} y") == "x  y"


@given(st.text())
def test_prose_leaves_nothing_but_words(text):
    assert re.fullmatch(r"[A-Za-z0-9 (),.;:?!'%→…-]*", without_code(prose(text).replace("\n", " ")))


@given(st.text(alphabet="`~ab\n ", max_size=60))
def test_a_block_ends_where_it_should(text):
    assert without_code(f"{fenced(text)}\nafter") == "after"


def test_plain_words_stay_plain():
    assert prose("it may do more: s3:Get* on a/*, now") == "it may do more: `s3:Get*` on `a/*`, now"


def test_secrets_are_masked(change, diff_of):
    key = "AKIA" + "A" * 16
    secret = change(
        flags=[Flag(FlagName.EXPOSURE, f"shows {key}", key)],
        properties=(PropertyChange("/Properties/MasterUserPassword", "hunter2", ["hunter3"] * 99),),
    )
    comment = markdown.render(tell(diff_of(a=[secret])))
    assert key not in comment
    assert "hunter" not in comment
