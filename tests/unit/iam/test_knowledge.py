"""IAM's data and IAM's patterns."""

import pytest

from tap_templates.iam.actions import _OPERATIONS, _TRANSACTED
from tap_templates.iam.knowledge import action_names, find_action
from tap_templates.iam.patterns import covers, covers_action, overlaps
from tap_templates.iam.sources import read_sources


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dynamodb:putitem", "dynamodb:PutItem"),
        ("sqs:SendMessageBatch", None),
        ("nothing:PutItem", None),
        ("PutItem", None),
        ("*", None),
    ],
)
def test_an_action_is_known_or_not(text, name):
    found = find_action(text)
    assert (found.name if found else None) == name


def test_actions_know_their_resources_and_keys():
    put_item, trace = find_action("dynamodb:PutItem"), find_action("xray:PutTraceSegments")
    tag = find_action("sqs:CreateQueue")
    assert put_item
    assert trace
    assert tag
    assert put_item.takes_resource
    assert not trace.takes_resource
    assert put_item.supports("dynamodb:LeadingKeys")
    assert put_item.supports("AWS:SourceAccount")
    assert not put_item.supports("events:source")
    assert tag.supports("aws:RequestTag/Team")
    assert action_names("nothing") == ()


def test_every_operation_in_the_table_belongs_to_a_service_iam_knows():
    prefixes = {"stepfunctions": "states"}
    for service, _ in _OPERATIONS:
        assert action_names(prefixes.get(service, service))
    assert all(find_action(action) for action in _TRANSACTED.values())


@pytest.mark.parametrize(
    ("pattern", "narrower", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("*", "arn:x", True),
        ("a*", "abc", True),
        ("a*", "ab*", True),
        ("ab*", "a*", False),
        ("a?c", "abc", True),
        ("a?", "a*", False),
        ("a.c", "abc", False),
    ],
)
def test_a_pattern_covers_what_is_narrower(pattern, narrower, expected):
    assert covers(pattern, narrower) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("route53:*", "route53:Get*", True),
        ("s3:Put*", "s3:PutBucket*", True),
        ("s3:*Tagging", "s3:PutBucket*", True),
        ("*", "s3:CreateBucket", True),
        ("a?c", "ab*", True),
        ("", "*", True),
        ("s3:PutObject", "s3:PutBucket*", False),
        ("s3:Get*", "s3:Put*", False),
        ("a?", "a", False),
        ("", "a", False),
    ],
)
def test_patterns_overlap_if_one_text_matches_both(one, other, expected):
    assert overlaps(one, other) is overlaps(other, one) is expected


def test_the_case_of_an_action_does_not_matter():
    assert covers_action("DynamoDB:put*", "dynamodb:PutItem")


def test_sources_are_named_as_python_imports_them(tmp_path):
    folder = tmp_path / "trading_processor"
    (folder / "inner").mkdir(parents=True)
    (folder / "app.py").write_text("A = 1\n")
    (folder / "inner" / "more.py").write_text("B = 1\n")
    (folder / "README.md").write_text("no code\n")
    assert read_sources(folder) == {
        "trading_processor/app.py": "A = 1\n",
        "trading_processor/inner/more.py": "B = 1\n",
    }
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "keys.py").write_text("C = 1\n")
    assert read_sources(folder, ["shared"])["shared/keys.py"] == "C = 1\n"
