"""The document, the secrets that are not in it, and what analysers are given."""

import json
from typing import Any

import pytest

from tap_templates.diff.api import compare_pair
from tap_templates.diff.model import Context, Diff, Flag, FlagName, Resource, Template
from tap_templates.diff.render_json import dumps, summary, to_json
from tap_templates.diff.security.secrets.masking import MASK as HIDDEN

LOST = "replacing it deletes the old one and what it stores (UpdateReplacePolicy is Delete)"


def compared(before: dict[str, Any], after: dict[str, Any], **options: Any) -> Diff:
    sides = (Template(path="s/t.json", body={"Resources": {}, **body}) for body in (before, after))
    return compare_pair(*sides, regions=("us-east-1",), **options)


def cluster(*, encrypted: bool, **more: Any) -> dict[str, Any]:
    properties = {"StorageEncrypted": encrypted}
    return {
        "Resources": {"Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": properties, **more}}
    }


def test_the_document_is_exactly_what_was_promised():
    assert to_json(compared(cluster(encrypted=False), cluster(encrypted=True))) == {
        "schema": "tap.diff/1",
        "templates": [
            {
                "path": "s/t.json",
                "changes": [
                    {
                        "id": "Cluster",
                        "section": "Resources",
                        "type": "AWS::RDS::DBCluster",
                        "action": "modify",
                        "replacement": "always",
                        "flags": ["data_loss"],
                        "cosmetic": False,
                        "certain": True,
                        "direct": True,
                        "because": [
                            "/Properties/StorageEncrypted is create-only",
                            f"data_loss: {LOST}",
                        ],
                        "properties": [
                            {"path": "/Properties/StorageEncrypted", "before": False, "after": True}
                        ],
                    }
                ],
            }
        ],
        "summary": {
            "add": 0,
            "remove": 0,
            "modify": 1,
            "replace": 1,
            "data_loss": 1,
            "iam_broadening": 0,
            "network_broadening": 0,
        },
    }


def test_cosmetic_changes_are_told_and_not_counted():
    diff = compared(
        cluster(encrypted=True),
        {
            "Resources": {
                "Cluster": {**cluster(encrypted=True)["Resources"]["Cluster"], "Metadata": {}}
            }
        },
    )
    assert [change.cosmetic for _, change in diff.changes()] == [True]
    assert set(summary(diff).values()) == {0}
    assert diff.is_cosmetic
    assert not compared(cluster(encrypted=False), cluster(encrypted=True)).is_cosmetic


def test_it_is_the_same_each_time_and_plain_json():
    resources = {
        f"Q{n}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a"}} for n in range(9)
    }
    others = {
        f"Q{8 - n}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "b"}} for n in range(9)
    }
    texts = {dumps(compared({"Resources": resources}, {"Resources": others})) for _ in range(3)}
    assert len(texts) == 1
    [template] = json.loads(texts.pop())["templates"]
    assert [change["id"] for change in template["changes"]] == sorted(resources)


def test_resources_come_first():
    pair = [
        {
            "Parameters": {"A": {"Type": "String", "Default": x}},
            "Outputs": {"A": {"Value": x}},
            "Resources": {"Z": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": x}}},
        }
        for x in "ab"
    ]
    ids = [change.id for _, change in compared(*pair).changes()]
    assert ids == ["Z", "Outputs/A", "Parameters/A"]


class TestSecrets:
    def text(self, before: dict[str, Any], after: dict[str, Any]) -> str:
        return dumps(compared(before, after))

    def test_the_default_of_a_noecho_parameter_is_in_no_place(self):
        def stack(secret: str) -> dict[str, Any]:
            return {
                "Parameters": {"P": {"Type": "String", "NoEcho": True, "Default": secret}},
                "Resources": {
                    "D": {
                        "Type": "AWS::RDS::DBInstance",
                        "Properties": {"DBName": {"Fn::Sub": "x-${P}"}, "Port": {"Ref": "P"}},
                    }
                },
                "Outputs": {"O": {"Value": {"Ref": "P"}}},
            }

        text = self.text(stack("hunter2-old"), stack("hunter2-new"))
        assert "hunter2" not in text
        assert HIDDEN in text
        ids = {c["id"] for t in json.loads(text)["templates"] for c in t["changes"]}
        assert ids == {"D", "Outputs/O", "Parameters/P"}
        assert "sha256" not in text

    @pytest.mark.parametrize(
        ("variables", "is_hidden"),
        [
            ({"DB_PASSWORD": "a1"}, True),
            ({"ApiKey": "a1"}, True),
            ({"GITHUB_TOKEN": "a1"}, True),
            ({"ANY": "AKIAIOSFODNN7EXAMPLE"}, True),
            ({"ANY": "-----BEGIN RSA PRIVATE KEY-----a1"}, True),
            ({"TABLE_NAME": "a1"}, False),
            ({"SECRET_ARN": "a1"}, False),
            ({"DB_PASSWORD": {"Ref": "Topic"}}, False),
            ({"DB_PASSWORD": "{{resolve:secretsmanager:a1}}"}, False),
        ],
    )
    def test_a_variable_that_looks_like_one(self, variables, is_hidden):
        def stack(value: dict[str, Any]) -> dict[str, Any]:
            return {
                "Resources": {
                    "F": {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {"Environment": {"Variables": value}},
                    },
                    "Topic": {"Type": "AWS::SNS::Topic"},
                }
            }

        [changed] = json.loads(self.text(stack({"X": "1"}), stack({"X": "1", **variables})))[
            "templates"
        ]
        [place] = changed["changes"][0]["properties"]
        assert (place["after"] == HIDDEN) is is_hidden
        removed = self.text(stack(variables), stack({}))
        assert (HIDDEN in removed) is is_hidden

    def test_the_value_beside_a_telling_name(self):
        def stack(value: str) -> dict[str, Any]:
            environment = [{"Name": "A", "Value": "1"}, {"Name": "DB_PASSWORD", "Value": value}]
            containers = {"ContainerDefinitions": [{"Name": "c", "Environment": environment}]}
            return {
                "Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": containers}}
            }

        text = self.text(stack("hunter2"), stack("hunter3"))
        assert "hunter" not in text
        assert HIDDEN in text

    def test_a_password_of_a_database(self):
        def stack(value: str) -> dict[str, Any]:
            secret = {"MasterUserPassword": value}
            return {"Resources": {"D": {"Type": "AWS::RDS::DBCluster", "Properties": secret}}}

        assert "hunter2" not in self.text(stack("hunter2"), stack("hunter2b"))


class TestAnalysers:
    def test_they_see_both_sides_and_what_surrounds_them(self):
        seen: list[tuple[Resource | None, Resource | None, Context]] = []

        def analyse(
            before: Resource | None, after: Resource | None, context: Context
        ) -> list[Flag]:
            seen.append((before, after, context))
            return [Flag(FlagName.IAM_BROADENING, "it may do more", witness="s3:Get on *")] * 2

        def stack(action: str) -> dict[str, Any]:
            document = {"Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}}
            properties = {"PolicyDocument": document, "Roles": [{"Ref": "Role"}], "PolicyName": "p"}
            return {
                "Resources": {
                    "Policy": {"Type": "AWS::IAM::Policy", "Properties": properties},
                    "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}},
                }
            }

        diff = compared(stack("s3:List"), stack("s3:Get"), analysers=[analyse])
        [(before, after, context)] = seen
        assert before.properties["PolicyDocument"]["Statement"][0]["Action"] == ["s3:List"]
        assert context.region == "us-east-1"
        assert context.after.target(after.properties["Roles"][0]).logical_id == "Role"
        assert [each.logical_id for each in context.before.of_type("AWS::IAM::Role")] == ["Role"]
        assert context.after.resource("None") is None
        assert context.after.value({"Fn::Sub": "${AWS::Region}"}) == "us-east-1"
        assert list(context.after.ids()) == ["Policy", "Role"]
        document = to_json(diff)
        [change] = document["templates"][0]["changes"]
        assert change["flags"] == ["iam_broadening"]
        assert change["because"][-1] == "iam_broadening: it may do more (for example s3:Get on *)"
        assert document["summary"]["iam_broadening"] == 1

    def test_they_see_additions_and_removals_and_no_cosmetics(self):
        seen: list[tuple[bool, bool]] = []

        def analyse(
            before: Resource | None, after: Resource | None, context: Context
        ) -> list[Flag]:
            seen.append((before is not None, after is not None))
            return []

        queue = {"Type": "AWS::SQS::Queue"}
        before = {"Resources": {"A": queue, "C": queue}}
        compared(
            before,
            {"Resources": {"B": queue, "C": {**queue, "Metadata": {"a": 1}}}},
            analysers=[analyse],
        )
        assert sorted(seen) == [(False, True), (True, False)]
