"""Vaults in two regions, a plan that copies from one to the other, and what it is for."""

import json
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY
from local.reading import problems, spoiled
from local.stack_sets import StackSet, parameters

UNIQUE = uuid4().hex[:8]
BOTH = (PRIMARY, SECONDARY)
VAULT = f"vault-{UNIQUE}"
CLUSTER = f"arn:aws:rds:us-east-1:123456789012:cluster:{UNIQUE}"
ROLE = "arn:aws:iam::123456789012:role/any"


def rule(kept=7, **changes):
    other = {"Fn::If": ["IsPrimary", SECONDARY, PRIMARY]}
    arn = {"Fn::Sub": ["arn:aws:backup:${R}:${AWS::AccountId}:backup-vault:" + VAULT, {"R": other}]}
    return {
        "RuleName": "daily",
        "ScheduleExpression": "cron(0 5 * * ? *)",
        "StartWindowMinutes": 60,
        "CompletionWindowMinutes": "480",
        "TargetBackupVault": VAULT,
        "Lifecycle": {"DeleteAfterDays": {"Ref": "Kept"} if kept == 7 else kept},
        "CopyActions": [{"DestinationBackupVaultArn": arn, "Lifecycle": {"DeleteAfterDays": kept}}],
        **changes,
    }


def body(kept=7, owner="a", resources=CLUSTER, **changes):
    key = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
    }
    return json.dumps(
        {
            "Parameters": {"Kept": {"Type": "Number", "Default": 7}},
            "Conditions": {"IsPrimary": {"Fn::Equals": [{"Ref": "AWS::Region"}, PRIMARY]}},
            "Resources": {
                "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key}},
                "Vault": {
                    "Type": "AWS::Backup::BackupVault",
                    "Properties": {
                        "BackupVaultName": VAULT,
                        "EncryptionKeyArn": {"Fn::GetAtt": ["Key", "Arn"]},
                        "BackupVaultTags": {"Owner": owner},
                    },
                },
                "Plan": {
                    "Type": "AWS::Backup::BackupPlan",
                    "DependsOn": ["Vault"],
                    "Properties": {
                        "BackupPlan": {
                            "BackupPlanName": f"plan-{UNIQUE}",
                            "BackupPlanRule": [rule(kept, **changes)],
                        },
                        "BackupPlanTags": {"Owner": owner},
                    },
                },
                "Selection": {
                    "Type": "AWS::Backup::BackupSelection",
                    "Properties": {
                        "BackupPlanId": {"Ref": "Plan"},
                        "BackupSelection": {
                            "SelectionName": "database",
                            "IamRoleArn": ROLE,
                            "Resources": [resources],
                        },
                    },
                },
            },
            "Outputs": {"Plan": {"Value": {"Ref": "Plan"}}},
        }
    )


@pytest.fixture(scope="module")
def made(clients):
    made = StackSet(clients, TemplateBody=body()).create()
    yield made
    assert made.delete()["Status"] == "SUCCEEDED"
    for region in BOTH:
        backup = clients("backup", region)
        assert backup.list_backup_plans()["BackupPlansList"] == []
        assert backup.list_backup_vaults()["BackupVaultList"] == []


def plan(made, region):
    return made.stack(region)["Outputs"][0]["OutputValue"]


def test_each_region_copies_to_the_other(made, clients):
    for region, other in zip(BOTH, reversed(BOTH), strict=True):
        assert problems(made, region, body()) == []
        found = clients("backup", region).get_backup_plan(BackupPlanId=plan(made, region))
        (read,) = found["BackupPlan"]["Rules"]
        assert read["Lifecycle"]["DeleteAfterDays"] == 7
        assert read["CompletionWindowMinutes"] == 480
        (copied,) = read["CopyActions"]
        assert f":{other}:" in copied["DestinationBackupVaultArn"]


def test_it_changes_in_place_and_selections_are_replaced(made, clients):
    before = {region: plan(made, region) for region in BOTH}
    changed = body(14, "b", CLUSTER.replace("cluster:", "cluster:new-"))
    assert made.run("update_stack_set", TemplateBody=changed)["Status"] == "SUCCEEDED"
    for region in BOTH:
        assert problems(made, region, changed) == []
        assert plan(made, region) == before[region]
        backup = clients("backup", region)
        listed = backup.list_backup_selections(BackupPlanId=before[region])
        assert len(listed["BackupSelectionsList"]) == 1
        arn = backup.get_backup_plan(BackupPlanId=before[region])["BackupPlanArn"]
        assert backup.list_tags(ResourceArn=arn)["Tags"]["Owner"] == "b"
    assert made.run("update_stack_set", TemplateBody=body())["Status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("template", "name"),
    [
        (body(8), "Plan"),
        (body(ScheduleExpression="cron(0 6 * * ? *)"), "Plan"),
        (body(CopyActions=[]), "Plan"),
        (body(resources="arn:aws:rds:us-east-1:123456789012:cluster:another"), "Selection"),
        (spoiled(body(), "Vault", {"EncryptionKeyArn": "arn:aws:kms:x:1:key/y"}), "Vault"),
    ],
    ids=["kept", "schedule", "copies", "resources", "key"],
)
def test_reading_back_notices_what_differs(made, template, name):
    (problem,) = problems(made, PRIMARY, template)
    assert f": {name} (" in problem


def test_a_plan_for_a_vault_that_is_not_there_is_refused(clients):
    other = body(TargetBackupVault="nowhere").replace(VAULT, f"other-{UNIQUE}")
    stack = StackSet(clients, TemplateBody=other, Parameters=parameters(Kept="7"))
    operation = stack.run("create_stack_instances", "eu-west-1")
    assert "nowhere" in stack.results(operation)["eu-west-1"]["StatusReason"]
    stack.delete("eu-west-1")
