"""The Aurora pair: both modes of both roles, what is refused at deploy time, and its secret."""

import json

import pytest
from troposphere import encode_to_dict
from unit.blocks import books_pair

from tap_templates.blocks.aurora_choices import BURSTABLE, LONG_TERM, MEMORY_OPTIMISED
from tap_templates.blocks.secret import PASSWORD_LENGTH, Secret, master_secret
from tap_templates.blocks.stack import Demand, OneOf, StackRule, StackTemplate
from tap_templates.compiler.build import build_stack
from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.errors import ModelError
from tap_templates.rendered.view import StackSource, SystemView, resolve_system

INDEPENDENT = {
    "DatabaseMode": "IndependentClusters",
    "EngineVersion": "15.12",
    "InstanceClass": "db.t3.medium",
}


def view(overrides: dict[str, str] | None = None) -> SystemView:
    given = books_pair.parameters()
    sources = [
        StackSource(stack.name, stack.template, stack.regions, given[stack.name])
        for stack in books_pair.rendered().values()
    ]
    return resolve_system("books", sources, overrides=overrides)


def cluster(region: str, overrides: dict[str, str] | None = None):
    (found,) = (
        each
        for each in view(overrides).resources("AWS::RDS::DBCluster")
        if each.stack.region == region
    )
    return found.resource.properties


def test_the_linter_has_nothing_to_say_about_a_system_of_these_blocks():
    jobs = [
        LintJob("books", stack.name, stack.regions, stack.body)
        for stack in books_pair.rendered().values()
    ]
    results = Linter(None).lint(jobs, lambda _: None)
    assert [finding for result in results.values() for finding in result.findings] == []


def test_the_secondary_of_a_global_database_joins_by_name_and_has_no_credentials():
    ours, theirs = cluster("us-east-1"), cluster("us-west-2")
    (joined,) = view().resources("AWS::RDS::GlobalCluster")
    assert joined.resource.properties["SourceDBClusterIdentifier"].endswith(
        f":cluster:{ours['DBClusterIdentifier']}"
    )
    assert not {"Engine", "EngineVersion", "StorageEncrypted"} & set(joined.resource.properties)
    assert theirs["GlobalClusterIdentifier"] == joined.resource.name
    assert theirs["SourceRegion"] == "us-east-1"
    assert {"MasterUsername", "MasterUserPassword", "DatabaseName"} <= set(ours)
    assert not {"MasterUsername", "MasterUserPassword", "DatabaseName"} & set(theirs)
    assert "GlobalClusterIdentifier" not in ours


def test_independent_clusters_have_their_own_credentials_and_no_copy():
    theirs = cluster("us-west-2", INDEPENDENT)
    assert {"MasterUsername", "MasterUserPassword", "DatabaseName"} <= set(theirs)
    assert not {"GlobalClusterIdentifier", "SourceRegion"} & set(theirs)
    resolved = view(INDEPENDENT)
    assert list(resolved.resources("AWS::RDS::GlobalCluster")) == []
    classes = {
        each.resource.properties["DBInstanceClass"]
        for each in resolved.resources("AWS::RDS::DBInstance")
    }
    assert classes == {"db.t3.medium"}
    assert not any(
        "lag" in (each.resource.name or "") for each in resolved.resources("AWS::CloudWatch::Alarm")
    )


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_a_cluster_is_encrypted_backed_up_logged_and_taken_down_without_a_trace(region):
    made = cluster(region)
    assert made["DBClusterIdentifier"] == f"cluster-books-dev-{region}"
    assert made["StorageEncrypted"] is True
    assert "KmsKeyId" in made
    assert made["EnableIAMDatabaseAuthentication"] is True
    assert (made["BackupRetentionPeriod"], made["CopyTagsToSnapshot"]) == (7, True)
    assert made["EnableCloudwatchLogsExports"] == ["postgresql"]
    assert (made["DeletionProtection"], made["DeleteAutomatedBackups"]) == (False, True)
    raw = books_pair.rendered()["primary"].template["Resources"]["BooksCluster"]
    assert (raw["DeletionPolicy"], raw["UpdateReplacePolicy"]) == ("Delete", "Delete")
    assert set(raw["DependsOn"]) == {"BooksDatabaseLog", "MasterSecret"}


def test_instances_are_reached_from_inside_only_and_there_are_enough_of_them():
    made = [each.resource.properties for each in view().resources("AWS::RDS::DBInstance")]
    assert len(made) == 4
    assert {each["PubliclyAccessible"] for each in made} == {False}
    assert {each["AutoMinorVersionUpgrade"] for each in made} == {False}


@pytest.mark.parametrize(("version", "major"), [("17.7", "17"), ("15.12", "15")])
def test_the_parameter_group_is_of_the_engines_major_version(version, major):
    for group in view({"EngineVersion": version}).resources("AWS::RDS::DBClusterParameterGroup"):
        assert group.resource.properties["Family"] == f"aurora-postgresql{major}"
        assert group.resource.name == f"cluster-parameters-books-{major}-dev"
        parameters = group.resource.properties["Parameters"]
        assert parameters["rds.force_ssl"] == "1"
        assert parameters["log_parameter_max_length"] == "0"


def test_what_does_not_replicate_is_refused_before_anything_is_deployed():
    rules = books_pair.rendered()["secondary"].template["Rules"]
    rule = rules["GlobalDatabaseNeeds"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "DatabaseMode"}, "Global"]}
    by_parameter = {
        each["Assert"]["Fn::Contains"][1]["Ref"]: (
            each["Assert"]["Fn::Contains"][0],
            each["AssertDescription"],
        )
        for each in rule["Assertions"]
    }
    classes, says = by_parameter["InstanceClass"]
    assert set(classes) == set(MEMORY_OPTIMISED)
    assert not set(classes) & set(BURSTABLE)
    assert "IndependentClusters" in says
    versions, _ = by_parameter["EngineVersion"]
    assert versions == list(LONG_TERM)


def test_a_user_logs_in_by_iam_on_this_cluster_alone():
    role = books_pair.rendered()["primary"].template["Resources"]["BookRole"]["Properties"]
    statement = role["Policies"][0]["PolicyDocument"]["Statement"][0]
    assert statement["Action"] == ["rds-db:connect"]
    (resource,) = statement["Resource"]
    text, values = resource["Fn::Sub"]
    assert text.endswith(":dbuser:${Database}/books_app")
    assert values == {"Database": {"Fn::GetAtt": ["BooksCluster", "DBClusterResourceId"]}}


def test_a_user_that_is_a_pattern_is_refused():
    stack = StackTemplate("x")
    made = books_pair._Region("${SecondaryRegion}", primary=False)
    with pytest.raises(ModelError, match="is no name"):
        made._database().connect_as("*")
    assert stack.rules == {}


def test_the_password_is_one_that_rds_takes_and_nobody_chose():
    made = encode_to_dict(
        master_secret("Master", Secret("x"), username="m", copied_to="r", describes="x")
    )["Properties"]
    generated = made["GenerateSecretString"]
    assert PASSWORD_LENGTH <= 41
    assert {"/", '"', "@", " "} <= set(generated["ExcludeCharacters"])
    assert json.loads(generated["SecretStringTemplate"]) == {"username": "m"}
    assert "SecretString" not in made
    assert made["ReplicaRegions"] == [{"Region": "r"}]


def test_a_database_that_is_kept_is_protected_from_deletion():
    from dataclasses import replace

    kept = frozenset({"AWS::RDS::DBCluster", "AWS::RDS::GlobalCluster", "AWS::RDS::DBInstance"})
    system = replace(books_pair.SYSTEM, retain=kept)
    resources = build_stack(system, system.stacks[2]).template["Resources"]
    for name in ("BooksCluster", "BooksGlobalCluster"):
        assert resources[name]["DeletionPolicy"] == "Retain"
        assert resources[name]["Properties"]["DeletionProtection"] is True


def test_a_rule_demands_something_and_is_declared_once():
    with pytest.raises(ModelError, match="demands nothing"):
        StackRule("Empty", None, ())
    stack = StackTemplate("x")
    rule = StackRule("One", None, (Demand(OneOf(["a"], stack_parameter(stack)), "says"),))
    stack.rule(rule)
    with pytest.raises(ModelError, match="is declared twice"):
        stack.rule(rule)


def stack_parameter(stack: StackTemplate):
    from tap_templates.blocks.dns_failover import TTL

    return stack.parameter(TTL)
