"""What is told, in which order, and how often."""

import pytest

from tap_templates.diff.api import compare_templates
from tap_templates.diff.faces.grouping import Kind, Level, tell
from tap_templates.diff.model import (
    Action,
    Diff,
    Flag,
    FlagName,
    PropertyChange,
    Replacement,
    Template,
    TemplateDiff,
)


def test_nothing_is_told_of_nothing():
    telling = tell(Diff(()))
    assert (telling.level, telling.verdict) == (Level.NONE, "No difference")


def test_cosmetic_differences_are_no_change(change, diff_of):
    telling = tell(diff_of(a=[change(cosmetic=True)]))
    assert telling.level is Level.NONE
    assert telling.verdict == "No difference in meaning; 1 cosmetic difference"


def test_a_plain_change_is_not_dangerous(change, diff_of):
    telling = tell(diff_of(a=[change("One"), change("Two")]))
    assert telling.level is Level.CHANGE
    assert telling.verdict == "Nothing dangerous found in 2 changes"
    assert not telling.dangerous


def test_narrower_permissions_are_not_dangerous(change, diff_of):
    assert tell(diff_of(a=[change(flags=["iam_narrowing"])])).level is Level.CHANGE


@pytest.mark.parametrize("flag", [each for each in FlagName if each != "iam_narrowing"])
def test_every_other_flag_is_a_danger(flag, change, diff_of):
    telling = tell(diff_of(a=[change(), change("Bad", flags=[flag])]))
    assert telling.level is Level.DANGER
    assert [told.change.id for told in telling.dangerous] == ["Bad"]


@pytest.mark.parametrize(
    ("replacement", "certain", "kind"),
    [
        (Replacement.ALWAYS, True, Kind.REPLACED),
        (Replacement.ALWAYS, False, Kind.MAY_BE_REPLACED),
        (Replacement.MAY, True, Kind.MAY_BE_REPLACED),
    ],
)
def test_replacement_alone_asks_for_caution(replacement, certain, kind, change, diff_of):
    telling = tell(diff_of(a=[change(replacement=replacement, certain=certain)]))
    assert telling.level is Level.CAUTION
    assert telling.groups[0].kind is kind


def test_the_worst_comes_first_whatever_the_order_of_templates(change, diff_of):
    diff = diff_of(
        a=[change("Moved", replacement=Replacement.ALWAYS), change("Open", flags=["exposure"])],
        b=[change("Gone", flags=["iam_broadening", "data_loss"])],
    )
    telling = tell(diff)
    assert [group.kind for group in telling.groups] == [
        Kind.DATA_LOSS,
        Kind.EXPOSURE,
        Kind.REPLACED,
    ]
    assert telling.verdict == "Data loss: Gone in b.json. 3 of 3 changes dangerous"


def test_what_is_certain_comes_before_what_is_possible(change, diff_of):
    unsure = Flag(FlagName.DATA_LOSS, "may lose it", certain=False)
    diff = diff_of(a=[change("Maybe", flags=[unsure]), change("Surely", flags=["data_loss"])])
    assert [told.change.id for told in tell(diff).dangerous] == ["Surely", "Maybe"]


def test_a_verdict_on_guesses_only_says_so(change, diff_of):
    unsure = Flag(FlagName.DATA_LOSS, "may lose it", certain=False)
    assert tell(diff_of(a=[change(flags=[unsure])])).verdict.startswith("Possibly data loss: ")


def test_a_change_that_two_stacks_have_alike_is_told_once(change, diff_of):
    telling = tell(diff_of(a=[change(flags=["exposure"])], b=[change(flags=["exposure"])]))
    assert [told.paths for told in telling.dangerous] == [("a.json", "b.json")]
    assert "Thing in a.json and b.json" in telling.verdict


def test_a_change_that_differs_anywhere_is_told_twice(change, diff_of):
    other = change(properties=(PropertyChange("/Properties/DelaySeconds", 1, 3),))
    assert len(tell(diff_of(a=[change()], b=[other])).others) == 2


def test_folders_of_regions_are_told_once_with_their_own_names_in_the_texts(change):
    diff = Diff(
        tuple(
            TemplateDiff(
                f"{region}/db.json",
                (change(properties=(PropertyChange("/Properties/Name", "x", f"q-{region}"),)),),
            )
            for region in ("us-east-1", "us-west-2")
        )
    )
    (told,) = tell(diff).others
    assert told.where == "us-east-1/db.json and us-west-2/db.json, in both regions"


def test_a_stack_of_two_regions_is_said_to_change_in_both(change, diff_of):
    (told,) = tell(diff_of(a=[change()]), {"a.json": ("us-east-1", "us-west-2")}).others
    assert told.where == "a.json, in both regions"
    (told,) = tell(diff_of(a=[change()]), {"a.json": ("us-east-1",)}).others
    assert told.where == "a.json"


def test_what_the_comparison_says_of_one_region_is_not_said_of_both():
    body = {"AWS::Region": "us-east-1"}
    regions = ("us-east-1", "us-west-2")
    sides = [
        {
            "a.json": Template(
                path="a.json",
                regions=regions,
                body={
                    "Conditions": {
                        "East": {"Fn::Equals": [{"Ref": "AWS::Region"}, *body.values()]}
                    },
                    "Resources": {
                        "Q": {
                            "Type": "AWS::SQS::Queue",
                            "Properties": {"DelaySeconds": {"Fn::If": ["East", seconds, 1]}},
                        }
                    },
                },
            )
        }
        for seconds in (1, 2)
    ]
    (told,) = tell(compare_templates(*sides), {"a.json": regions}).others
    assert told.where == "a.json"
    assert "us-east-1" in told.change.because[0]


def test_additions_and_removals_are_named(change, diff_of):
    diff = diff_of(a=[change("New", action=Action.ADD), change("Old", action=Action.REMOVE)])
    assert [told.what for told in tell(diff).others] == ["added", "removed"]
