"""When a change loses data: every flag beside the pair that must be silent."""

from typing import Any

import pytest

_TABLE = "AWS::DynamoDB::Table"


def stack(kind: str = _TABLE, **resource: Any) -> dict[str, Any]:
    return {"Resources": {"R": {"Type": kind, **resource}, "Rest": {"Type": "AWS::SNS::Topic"}}}


NOTHING = {"Resources": {"Rest": {"Type": "AWS::SNS::Topic"}}}

REMOVALS = [
    (_TABLE, {}, True),
    (_TABLE, {"DeletionPolicy": "Delete"}, True),
    (_TABLE, {"DeletionPolicy": "Retain"}, False),
    (_TABLE, {"DeletionPolicy": "RetainExceptOnCreate"}, False),
    # It keeps what a replacement leaves, not what is removed.
    (_TABLE, {"UpdateReplacePolicy": "Retain"}, True),
    # A type without snapshots falls back to Delete.
    (_TABLE, {"DeletionPolicy": "Snapshot"}, True),
    ("AWS::RDS::DBCluster", {}, False),
    ("AWS::RDS::DBCluster", {"DeletionPolicy": "Snapshot"}, False),
    ("AWS::RDS::DBCluster", {"DeletionPolicy": "Delete"}, True),
    ("AWS::RDS::DBInstance", {}, False),
    ("AWS::RDS::DBInstance", {"Properties": {"DBClusterIdentifier": "c"}}, True),
    ("AWS::S3::Bucket", {}, True),
    ("AWS::KMS::Key", {}, True),
    ("AWS::SQS::Queue", {}, True),
    ("AWS::Logs::LogGroup", {}, True),
    ("AWS::Events::Archive", {}, True),
    ("AWS::Backup::BackupVault", {}, True),
    ("AWS::EFS::FileSystem", {}, True),
    ("AWS::Kinesis::Stream", {}, True),
    ("AWS::Cognito::UserPool", {}, True),
    ("AWS::RDS::GlobalCluster", {}, True),
    ("AWS::Lambda::Function", {}, False),
    ("AWS::IAM::Role", {}, False),
    ("AWS::CloudWatch::Alarm", {}, False),
]


@pytest.mark.parametrize(("kind", "resource", "is_lost"), REMOVALS)
def test_removals(changes, kind, resource, is_lost):
    change = changes(stack(kind, **resource), NOTHING)["R"]
    assert (change.action, change.replacement) == ("remove", "never")
    assert change.flag_names == (("data_loss",) if is_lost else ())
    if kind in {"AWS::DynamoDB::Table", "AWS::RDS::DBCluster"}:
        words = " ".join([*change.because, *(flag.because for flag in change.flags)])
        assert "DeletionPolicy is" in words


def test_a_bucket_must_be_empty_first(changes):
    [flag] = changes(stack("AWS::S3::Bucket"), NOTHING)["R"].flags
    assert "fails as long as anything is in it" in flag.because


REPLACEMENTS = [
    ({}, {}, True),
    ({"UpdateReplacePolicy": "Retain"}, {"UpdateReplacePolicy": "Retain"}, False),
    ({"DeletionPolicy": "Retain"}, {"DeletionPolicy": "Retain"}, True),
    # The policy of the new template decides.
    ({}, {"UpdateReplacePolicy": "Retain"}, False),
    ({"UpdateReplacePolicy": "Retain"}, {}, True),
]


@pytest.mark.parametrize(("before", "after", "is_lost"), REPLACEMENTS)
def test_replacements(changes, before, after, is_lost):
    old = stack(Properties={"TableName": "a"}, **before)
    change = changes(old, stack(Properties={"TableName": "b"}, **after))["R"]
    assert change.replacement == "always"
    assert ("data_loss" in change.flag_names) is is_lost


def test_a_database_is_replaced_without_a_snapshot_by_default(changes):
    kind = "AWS::RDS::DBCluster"
    pair = [stack(kind, Properties={"StorageEncrypted": each}) for each in (False, True)]
    assert changes(*pair)["R"].flag_names == ("data_loss",)
    pair = [
        {**each, "UpdateReplacePolicy": "Snapshot"} for each in (p["Resources"]["R"] for p in pair)
    ]
    change = changes(*({"Resources": {"R": each}} for each in pair))["R"]
    assert change.flag_names == ()
    assert any("last snapshot" in each for each in change.because)


def test_what_may_be_replaced_may_lose_data(changes):
    keys = [[{"AttributeName": name, "KeyType": "HASH"}] for name in "ab"]
    change = changes(*(stack(Properties={"KeySchema": each}) for each in keys))["R"]
    assert change.replacement == "may"
    assert [(flag.name, flag.certain) for flag in change.flags] == [("data_loss", False)]


def test_an_update_in_place_loses_nothing(changes):
    pair = (stack(Properties={"BillingMode": each}) for each in ("A", "B"))
    assert changes(*pair)["R"].flag_names == ()


POLICIES = [
    ({"DeletionPolicy": "Retain"}, {"DeletionPolicy": "Delete"}, True),
    ({"DeletionPolicy": "Retain"}, {}, True),
    ({"UpdateReplacePolicy": "Retain"}, {}, True),
    ({"DeletionPolicy": "Retain"}, {"DeletionPolicy": "RetainExceptOnCreate"}, False),
    ({"DeletionPolicy": "Delete"}, {"DeletionPolicy": "Retain"}, False),
    ({}, {"DeletionPolicy": "Retain"}, False),
]


@pytest.mark.parametrize(("before", "after", "is_flagged"), POLICIES)
def test_a_policy_that_no_longer_keeps_data(changes, before, after, is_flagged):
    change = changes(stack(**before), stack(**after))["R"]
    assert (change.action, change.replacement) == ("modify", "never")
    assert ("data_loss" in change.flag_names) is is_flagged
    assert any("Policy changes from" in each for each in change.because)


def test_the_policy_of_what_stores_nothing_is_no_loss(changes):
    kind = "AWS::Lambda::Function"
    change = changes(stack(kind, DeletionPolicy="Retain"), stack(kind))["R"]
    assert change.flag_names == ()


class TestConditions:
    def conditional(self, region: str, **resource: Any) -> dict[str, Any]:
        equals = {"Fn::Equals": [{"Ref": "AWS::Region"}, region]}
        return {**stack(Condition="C", **resource), "Conditions": {"C": equals}}

    def test_a_condition_that_turns_false_removes(self, changes):
        change = changes(self.conditional("us-east-1"), self.conditional("us-west-2"))["R"]
        assert (change.action, change.direct) == ("remove", False)
        assert change.flag_names == ("data_loss",)
        assert any("condition C, which changed" in each for each in change.because)

    def test_a_condition_that_turns_true_adds(self, changes):
        change = changes(self.conditional("us-west-2"), self.conditional("us-east-1"))["R"]
        assert (change.action, change.direct, change.flags) == ("add", False, ())

    def test_a_condition_that_stays_true_changes_nothing(self, changes):
        change = changes(stack(), self.conditional("us-east-1"))["R"]
        assert change.cosmetic

    def test_a_condition_nobody_knows_may_remove(self, changes):
        unknown = {
            **stack(Condition="C"),
            "Parameters": {"P": {"Type": "String"}},
            "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}},
        }
        change = changes(stack(), unknown)["R"]
        assert (change.action, change.certain) == ("modify", False)
        assert [(flag.name, flag.certain) for flag in change.flags] == [("data_loss", False)]
        kept = {
            **unknown,
            "Resources": {"R": {**unknown["Resources"]["R"], "DeletionPolicy": "Retain"}},
        }
        before = {"Resources": {"R": {"Type": _TABLE, "DeletionPolicy": "Retain"}}}
        assert changes(before, kept)["R"].flags == ()

    def test_what_never_existed_is_cosmetic(self, changes):
        before = self.conditional("eu-west-1", Properties={"TableName": "a"})
        after = self.conditional("eu-west-1", Properties={"TableName": "b"})
        assert changes(before, after)["R"].cosmetic
