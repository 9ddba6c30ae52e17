"""A global database on the engine: made, read back, switched, changed, and taken away."""

import json

import pytest
from local.conftest import PRIMARY, SECONDARY
from local.databases import BOTH, GLOBAL, SECRET, UNIQUE, cluster_name, primary, secondary
from local.reading import problems, spoiled
from local.stack_sets import StackSet, parameters, refusal

ALONE = {"DatabaseMode": "IndependentClusters", "InstanceClass": "db.t3.medium"}


@pytest.fixture(scope="module")
def made(clients):
    """The pair in its regions, each in a stack of its own."""
    stacks = {
        PRIMARY: StackSet(clients, TemplateBody=primary()).create(PRIMARY),
        SECONDARY: StackSet(clients, TemplateBody=secondary()).create(SECONDARY),
    }
    yield stacks
    for region in reversed(BOTH):
        assert stacks[region].delete(region)["Status"] == "SUCCEEDED"
    nothing_is_left(clients)


def nothing_is_left(clients):
    for region in BOTH:
        rds = clients("rds", region)
        assert [
            *rds.describe_global_clusters()["GlobalClusters"],
            *rds.describe_db_clusters()["DBClusters"],
            *rds.describe_db_instances()["DBInstances"],
            *rds.describe_db_cluster_snapshots()["DBClusterSnapshots"],
        ] == []
        groups = rds.describe_db_subnet_groups()["DBSubnetGroups"]
        assert f"subnets-{UNIQUE}" not in {each["DBSubnetGroupName"] for each in groups}
        secrets = clients("secretsmanager", region).list_secrets()["SecretList"]
        assert SECRET not in {each["Name"] for each in secrets}


def outputs(stack, region):
    return {each["OutputKey"]: each["OutputValue"] for each in stack.stack(region)["Outputs"]}


def writer(clients, region=PRIMARY):
    """The region whose cluster is written to, by what a region says."""
    found = clients("rds", region).describe_global_clusters(GlobalClusterIdentifier=GLOBAL)
    members = found["GlobalClusters"][0]["GlobalClusterMembers"]
    (writing,) = [each for each in members if each["IsWriter"]]
    assert len(members) == 2
    return writing["DBClusterArn"].split(":")[3]


def described(clients, region):
    rds = clients("rds", region)
    return rds.describe_db_clusters(DBClusterIdentifier=cluster_name(region))["DBClusters"][0]


def test_all_of_it_is_read_back(made):
    assert problems(made[PRIMARY], PRIMARY, primary()) == []
    assert problems(made[SECONDARY], SECONDARY, secondary()) == []


def test_its_members_know_each_other(made, clients):
    assert writer(clients) == writer(clients, SECONDARY) == PRIMARY
    for region in BOTH:
        found, said = described(clients, region), outputs(made[region], region)
        assert found["GlobalClusterIdentifier"] == GLOBAL
        assert found["MasterUsername"] == "payments_master"
        assert len(found["DBClusterMembers"]) == 2
        assert found["Endpoint"] == said["EndpointAddress"]
        assert found["DbClusterResourceId"] == said["DBClusterResourceId"]
        assert said["EndpointPort"] == "5432"
        assert f".{region}.rds.amazonaws.com" in found["Endpoint"]


def test_its_secret_is_read_in_both_regions_and_written_in_one(made, clients):
    values = []
    for region in BOTH:
        found = clients("secretsmanager", region).get_secret_value(SecretId=SECRET)
        assert found["ARN"].startswith(f"arn:aws:secretsmanager:{region}:")
        values.append(found["SecretString"])
    assert values[0] == values[1]
    assert (
        outputs(made[PRIMARY], PRIMARY)["Secret"]
        == clients("secretsmanager").describe_secret(SecretId=SECRET)["ARN"]
    )
    said = json.loads(values[0])
    assert said["username"] == "payments_master"
    assert len(said["password"]) == 40
    assert said["password"].isalnum()
    copy = clients("secretsmanager", SECONDARY)
    change = {"SecretId": SECRET, "SecretString": "mine"}
    assert refusal(copy.put_secret_value, **change) == "InvalidRequestException"


def test_a_switchover_moves_the_writer_and_back(made, clients):
    for region in (SECONDARY, PRIMARY):
        arn = outputs(made[region], region)["DBClusterArn"]
        known = {"GlobalClusterIdentifier": GLOBAL, "TargetDbClusterIdentifier": arn}
        clients("rds", writer(clients)).switchover_global_cluster(**known)
        assert writer(clients) == region


def test_a_failover_needs_the_living_region_alone(made, clients, control):
    arn = outputs(made[SECONDARY], SECONDARY)["DBClusterArn"]
    control("kill", region=PRIMARY)
    rds = clients("rds", SECONDARY)
    assert refusal(clients("rds", PRIMARY).describe_db_clusters) == "ServiceUnavailable"
    known = {"GlobalClusterIdentifier": GLOBAL, "TargetDbClusterIdentifier": arn}
    rds.failover_global_cluster(**known, AllowDataLoss=True)
    assert writer(clients, SECONDARY) == SECONDARY
    control("heal", region=PRIMARY)
    assert writer(clients) == SECONDARY
    # Whoever writes cannot leave: the roles go home before a stack is taken away.
    leave = {"GlobalClusterIdentifier": GLOBAL, "DbClusterIdentifier": arn}
    gone = refusal(rds.remove_from_global_cluster, **leave)
    assert gone == "InvalidGlobalClusterStateFault"
    home = outputs(made[PRIMARY], PRIMARY)["DBClusterArn"]
    clients("rds").switchover_global_cluster(
        GlobalClusterIdentifier=GLOBAL, TargetDbClusterIdentifier=home
    )
    assert writer(clients) == PRIMARY


SPOILED = {
    "Cluster": [
        {"EngineVersion": "16.8"},
        {"BackupRetentionPeriod": 1},
        {"DBSubnetGroupName": "another"},
        {"StorageEncrypted": False},
        {"GlobalClusterIdentifier": "another"},
        {"VpcSecurityGroupIds": []},
        {"EnableIAMDatabaseAuthentication": False},
    ],
    "Instance1": [{"DBInstanceClass": "db.t3.medium"}, {"PromotionTier": 9}],
    "SubnetGroup": [{"SubnetIds": ["subnet-of-somebody"]}],
    "Parameters": [{"Parameters": {"rds.force_ssl": "0"}}, {"Family": "aurora-postgresql16"}],
    "Global": [{"SourceDBClusterIdentifier": "arn:aws:rds:us-east-1:1:cluster:another"}],
    "Secret": [
        {"Description": "another"},
        {"GenerateSecretString": {
            "SecretStringTemplate": '{"user": "x"}', "GenerateStringKey": "password"}},
        {"GenerateSecretString": {
            "SecretStringTemplate": '{"username": "x"}', "GenerateStringKey": "key"}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change"), [(name, each) for name, all_of in SPOILED.items() for each in all_of]
)
def test_reading_back_notices_what_differs(made, name, change):
    found = problems(made[PRIMARY], PRIMARY, spoiled(primary(), name, change))
    assert any(f": {name} (" in each for each in found), found


def test_reading_back_notices_a_secret_without_its_copy(made, clients):
    elsewhere = {"ReplicaRegions": [{"Region": "eu-west-1"}]}
    (problem,) = problems(made[PRIMARY], PRIMARY, spoiled(primary(), "Secret", elsewhere))
    assert "cannot be read back" in problem


def test_it_changes_in_place(made, clients):
    before = {region: outputs(made[region], region) for region in BOTH}
    for region, body in ((PRIMARY, primary(14, "b")), (SECONDARY, secondary(14))):
        operation = made[region].run("update_stack_set", TemplateBody=body)
        assert operation["Status"] == "SUCCEEDED", made[region].results(operation)
        assert problems(made[region], region, body) == []
        assert outputs(made[region], region) == before[region]
        assert described(clients, region)["BackupRetentionPeriod"] == 14
        assert described(clients, region)["TagList"] == [{"Key": "Kept", "Value": "14"}]
    tags = clients("secretsmanager").describe_secret(SecretId=SECRET)["Tags"]
    assert {"Key": "Owner", "Value": "b"} in tags
    for region, body in ((PRIMARY, primary()), (SECONDARY, secondary())):
        assert made[region].run("update_stack_set", TemplateBody=body)["Status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"MasterUsername": "somebody"}, "cannot be given to a secondary"),
        ({"SourceRegion": {"Ref": "AWS::NoValue"}}, "needs SourceRegion"),
        ({"KmsKeyId": {"Ref": "AWS::NoValue"}}, "needs KmsKeyId"),
        ({"EngineVersion": "16.8"}, "engineVersion should match"),
        ({"DBSubnetGroupName": "nowhere"}, "DBSubnetGroup"),
        ({"GlobalClusterIdentifier": "nowhere"}, "nowhere not found"),
        ({"MasterUserPassword": "{{resolve:secretsmanager:no-such}}"}, "could not be resolved"),
    ],
)
def test_a_copy_that_rds_refuses_is_refused(made, clients, more, says):
    body = json.loads(secondary(**more))
    body["Resources"]["Cluster"]["Properties"]["DBClusterIdentifier"] = f"other-{UNIQUE}"
    only = ("Vpc", "SubnetA", "SubnetB", "Group", "Key", "Cluster", "SubnetGroup", "Parameters")
    body["Resources"] = {name: body["Resources"][name] for name in only}
    for name, key in (
        ("SubnetGroup", "DBSubnetGroupName"),
        ("Parameters", "DBClusterParameterGroupName"),
    ):
        body["Resources"][name]["Properties"][key] = f"other-{UNIQUE}"
    body["Outputs"] = {}
    stack = StackSet(clients, TemplateBody=json.dumps(body))
    operation = stack.run("create_stack_instances", "eu-west-1")
    assert operation["Status"] == "FAILED"
    assert says in stack.results(operation)["eu-west-1"]["StatusReason"]
    stack.delete("eu-west-1")


class TestRules:
    def test_what_a_rule_forbids_is_not_made(self, clients):
        body = primary()
        for region in BOTH:
            client = clients("cloudformation", region)
            wrong = [{"ParameterKey": "InstanceClass", "ParameterValue": "db.t3.medium"}]
            with pytest.raises(client.exceptions.ClientError, match="memory-optimised") as caught:
                client.create_stack(StackName="r", TemplateBody=body, Parameters=wrong)
            assert caught.value.response["Error"]["Code"] == "ValidationError"
            with pytest.raises(client.exceptions.ClientError, match="does not exist"):
                client.describe_stacks(StackName="r")

    def test_nor_by_a_stack_set(self, clients):
        stack = StackSet(
            clients, TemplateBody=primary(), Parameters=parameters(InstanceClass="db.t3.medium")
        )
        operation = stack.run("create_stack_instances", PRIMARY)
        assert operation["Status"] == "FAILED"
        assert "memory-optimised" in stack.results(operation)[PRIMARY]["StatusReason"]
        stack.delete(PRIMARY)

    def test_nor_changed_to(self, made):
        operation = made[SECONDARY].run(
            "update_stack_set", UsePreviousTemplate=True,
            Parameters=parameters(InstanceClass="db.t3.medium"),
        )  # fmt: skip
        assert "memory-optimised" in made[SECONDARY].results(operation)[SECONDARY]["StatusReason"]
        operation = made[SECONDARY].run(
            "update_stack_set", UsePreviousTemplate=True,
            Parameters=parameters(InstanceClass="db.r8g.large"),
        )  # fmt: skip
        assert operation["Status"] == "SUCCEEDED"


def test_alone_each_has_the_same_credentials_and_no_other(made, clients):
    """The other mode, in two other regions: in these there is the pair already."""
    swap = {PRIMARY: "eu-west-1", SECONDARY: "eu-central-1"}
    chosen = parameters(**ALONE)
    stacks = {}
    for old, here in ((PRIMARY, primary()), (SECONDARY, secondary())):
        body = here.replace(PRIMARY, swap[PRIMARY]).replace(SECONDARY, swap[SECONDARY])
        stacks[swap[old]] = stack = StackSet(clients, TemplateBody=body, Parameters=chosen)
        stack.create(swap[old])
        assert problems(stack, swap[old], body, **ALONE) == []
    for region in stacks:
        found = described(clients, region)
        assert found["MasterUsername"] == "payments_master"
        assert "GlobalClusterIdentifier" not in found
    for region in reversed(stacks):
        assert stacks[region].delete(region)["Status"] == "SUCCEEDED"
        assert clients("rds", region).describe_db_clusters()["DBClusters"] == []


def test_a_copy_that_cannot_be_made_leaves_no_secret(clients):
    """The replica's region must be another one."""
    body = json.loads(primary().replace(SECRET, f"lone-{UNIQUE}"))
    body["Resources"] = {"Secret": body["Resources"]["Secret"]}
    body["Outputs"] = {}
    stack = StackSet(clients, TemplateBody=json.dumps(body))
    operation = stack.run("create_stack_instances", SECONDARY)
    assert "can't be the same" in stack.results(operation)[SECONDARY]["StatusReason"]
    listed = clients("secretsmanager", SECONDARY).list_secrets()["SecretList"]
    assert f"lone-{UNIQUE}" not in {each["Name"] for each in listed}
    stack.delete(SECONDARY)


def test_a_cluster_whose_policy_is_a_snapshot_leaves_one(clients):
    body = json.loads(primary().replace(UNIQUE, f"{UNIQUE}s"))
    body["Resources"]["Cluster"] |= {"DeletionPolicy": "Snapshot"}
    stack = StackSet(clients, TemplateBody=json.dumps(body), Parameters=parameters(**ALONE))
    stack.create("eu-west-1")
    assert stack.delete("eu-west-1")["Status"] == "SUCCEEDED"
    rds = clients("rds", "eu-west-1")
    assert rds.describe_db_clusters()["DBClusters"] == []
    (left,) = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=left["DBClusterSnapshotIdentifier"])
