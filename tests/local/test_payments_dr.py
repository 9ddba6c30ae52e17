"""payments-dr on the engine: rolled out to both regions; the name moves, documents are copied.

No database is behind a cluster here, so what the function books is shown elsewhere, on real servers
(tests/handlers/payments_api); health can only be 503, and migrations are listed as not simulated.
"""

import json
import urllib.error
import urllib.request

import pytest
from local.apis import post
from local.conftest import PRIMARY, SECONDARY, eventually
from local.rollout import finished, host_packages, rolled_out

from tap_templates.local import engine as engines
from tap_templates.local import readback, support
from tap_templates.local.api import local_url
from templates.payments_dr import PAYMENTS_DR

ROLES = (("primary", PRIMARY), ("secondary", SECONDARY))
NAME = "api.payments.example.com"


@pytest.fixture(scope="module")
def packages():
    return host_packages(PAYMENTS_DR.packages)


@pytest.fixture(scope="module")
def system(packages):
    with rolled_out(PAYMENTS_DR.name, packages, "tests-payments") as rollout:
        yield rollout


def answer(system, name=NAME):
    return engines.control(system.clients.engine, "dns", name=name)


def test_all_of_it_is_there_but_the_migrations(system):
    checked = readback.check_system(
        system.clients,
        system.manifest,
        system.folder,
        account=system.account,
        stack_id=system.stack_id,
        parameters=system.parameters,
    )
    assert checked.problems == ()
    assert "1 not simulated: 1 Custom::SchemaMigration" in checked.coverage.text
    assert checked.coverage.total > 220


def test_the_support_table_knows_all_types(system):
    missing = {}
    for stack in system.manifest["stacks"]:
        missing |= support.not_simulated(json.loads(system.template(stack))).not_simulated
    assert list(missing) == ["Custom::SchemaMigration"]


def test_the_database_is_one_global_one_whose_writer_can_be_moved(system):
    rds = system.clients("rds", SECONDARY)
    (joined,) = rds.describe_global_clusters()["GlobalClusters"]
    writers = {
        each["DBClusterArn"].split(":")[3]: each["IsWriter"]
        for each in joined["GlobalClusterMembers"]
    }
    assert writers == {PRIMARY: True, SECONDARY: False}


@pytest.mark.parametrize(("stack", "region"), ROLES)
def test_neither_door_is_open(system, stack, region):
    outputs = system.outputs(stack, region)
    for url in (outputs["ApiUrl"] + "/payments", outputs["FunctionUrl"]):
        assert post(local_url(system.clients.engine, url))[0] == 403


@pytest.mark.parametrize(("stack", "region"), ROLES)
def test_health_says_no_without_a_database(system, stack, region):
    url = local_url(system.clients.engine, system.outputs(stack, region)["ApiUrl"]) + "/health"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=20)  # noqa: S310 - our own loopback address
    with refused.value as error:
        assert error.code == 503
        assert "database" in json.dumps(json.load(error))


def test_so_the_name_leads_to_the_last_resort(system):
    host = system.outputs("secondary", SECONDARY)["ApiHost"]
    found = eventually(lambda: said if (said := answer(system))["values"] == [host] else None)
    assert found["ttl"] == 10


@pytest.mark.parametrize(("stack", "region"), ROLES)
def test_documents_are_copied_to_the_other_region(system, stack, region):
    other = SECONDARY if region == PRIMARY else PRIMARY
    own = system.outputs(stack, region)["DocumentsBucketName"]
    copies = system.outputs("recovery", other)["CopiesBucketName"]
    key = f"contracts/{region}.txt"
    system.clients("s3", region).put_object(Bucket=own, Key=key, Body=b"signed")

    def copied():
        found = system.clients("s3", other).list_objects_v2(Bucket=copies).get("Contents", [])
        return key in {each["Key"] for each in found}

    assert eventually(copied)


def test_the_master_secret_is_in_both_regions_and_nowhere_else(system):
    values = {
        region: system.clients("secretsmanager", region).get_secret_value(
            SecretId="secret-payments-master-dev"
        )["SecretString"]
        for _, region in ROLES
    }
    assert values[PRIMARY] == values[SECONDARY]
    password = json.loads(values[PRIMARY])["password"]
    for stack in system.manifest["stacks"]:
        assert password not in system.template(stack)
        for region in stack["regions"]:
            assert password not in json.dumps(system.outputs(stack["name"], region))


def test_a_database_that_would_not_replicate_is_refused_by_the_template(system):
    """With the reason, before anything is touched: the rule is in the template itself."""
    stack = next(each for each in system.manifest["stacks"] if each["name"] == "primary")
    started = system.home.update_stack_instances(
        StackSetName=system.name(stack),
        Accounts=[system.account],
        Regions=[PRIMARY],
        ParameterOverrides=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in {
                **system.parameters(stack),
                "InstanceClass": "db.t3.medium",
            }.items()
        ],
    )
    ended = finished(system.home, system.name(stack), started["OperationId"])
    (result,) = system.home.list_stack_set_operation_results(
        StackSetName=system.name(stack), OperationId=started["OperationId"]
    )["Summaries"]
    assert (ended["Status"], result["Status"]) == ("FAILED", "FAILED")
    assert "needs a memory-optimised InstanceClass" in result["StatusReason"]
    assert "DatabaseMode IndependentClusters, which does not replicate" in result["StatusReason"]


def test_taking_it_down_leaves_nothing(packages):
    """Log groups apart: who is asked for health while its log goes makes it again, which on AWS
    its role may not.
    """
    with rolled_out(PAYMENTS_DR.name, packages, "tests-payments-leaving") as leaving:
        leaving.delete()
        for _, region in ROLES:
            left = {
                "clusters": leaving.clients("rds", region).describe_db_clusters()["DBClusters"],
                "secrets": leaving.clients("secretsmanager", region).list_secrets()["SecretList"],
                "vaults": leaving.clients("backup", region).list_backup_vaults()["BackupVaultList"],
                "functions": leaving.clients("lambda", region).list_functions()["Functions"],
                "apis": leaving.clients("apigatewayv2", region).get_apis()["Items"],
                "tables": leaving.clients("dynamodb", region).list_tables()["TableNames"],
                "networks": [
                    each["CidrBlock"]
                    for each in leaving.clients("ec2", region).describe_vpcs()["Vpcs"]
                    if each["CidrBlock"].startswith("10.5")
                ],
            }
            assert {name: found for name, found in left.items() if found} == {}
        assert leaving.clients("route53").list_hosted_zones()["HostedZones"] == []
        assert leaving.clients("rds").describe_global_clusters()["GlobalClusters"] == []
