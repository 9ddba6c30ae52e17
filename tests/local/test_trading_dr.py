"""trading-dr on the engine: rolled out to both regions; orders are acknowledged, the name moves.

No database is behind a cluster here, so nothing is applied and migrations are listed as not
simulated: booking is shown on real servers (tests/handlers), the machines beside it.
"""

import json

import pytest
from local.conftest import eventually
from local.rest_apis import ask
from local.rollout import host_packages, rolled_out

from tap_templates.local import engine as engines
from tap_templates.local import readback, support
from tap_templates.local.api import local_url
from templates.trading_dr import TRADING_DR

PRIMARY, SECONDARY = BOTH = "us-east-1", "us-east-2"
NAME = "api.trading.example.com"
JOURNAL, FAILOVER = "table-orders-journal-dev", "table-orders-failover-dev"
ORDER = {
    "clientOrderId": "first", "symbol": "ACME", "side": "buy", "quantity": "10", "price": "12.50",
}  # fmt: skip

SESSION = "desk-1-of-the-morning"
LISTS = {  # a service and what it is asked to list, to where it says what is there
    ("apigateway", "get_domain_names"): "items",
    ("apigateway", "get_rest_apis"): "items",
    ("cloudwatch", "describe_alarms"): "MetricAlarms",
    ("cloudwatch", "list_dashboards"): "DashboardEntries",
    ("dynamodb", "list_tables"): "TableNames",
    ("events", "list_event_buses"): "EventBuses",
    ("kms", "list_aliases"): "Aliases",
    ("lambda", "list_event_source_mappings"): "EventSourceMappings",
    ("lambda", "list_functions"): "Functions",
    ("rds", "describe_db_clusters"): "DBClusters",
    ("rds", "describe_db_instances"): "DBInstances",
    ("scheduler", "list_schedule_groups"): "ScheduleGroups",
    ("secretsmanager", "list_secrets"): "SecretList",
    ("sns", "list_topics"): "Topics",
    ("sqs", "list_queues"): "QueueUrls",
    ("ssm", "describe_parameters"): "Parameters",
    ("stepfunctions", "list_state_machines"): "stateMachines",
}
NOT_OURS = ("default", "alias/aws/")  # groups and keys that AWS makes

each_region = pytest.mark.parametrize("region", BOTH)


@pytest.fixture(scope="module")
def packages():
    return host_packages(TRADING_DR.packages)


@pytest.fixture(scope="module")
def system(packages):
    with rolled_out(TRADING_DR.name, packages, "tests-trading") as rollout:
        yield rollout


@pytest.fixture(scope="module")
def urls(system):
    return {
        region: local_url(system.clients.engine, system.outputs("api", region)["ApiUrl"])
        for region in BOTH
    }


@pytest.fixture(scope="module")
def traders(system):
    """Two users of the account with keys of their own."""
    iam = system.clients("iam")

    def key(name):
        iam.create_user(UserName=name)
        return iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]

    return {name: key(name) for name in ("alice", "bob")}


@pytest.fixture
def call(urls, traders):
    """Ask the API of a region as a trader; nobody signs if it is nobody."""

    def asked(path, *, by="alice", region=PRIMARY, **more):
        key = traders[by] if by else None
        if "body" in more:
            more["said"] = json.dumps(more.pop("body")).encode()
        return ask(f"{urls[region]}{path}", key=key, region=region, **more)

    return asked


@pytest.fixture(scope="module")
def placed(urls, traders):
    """The first order, acknowledged in the primary."""
    asked = f"{urls[PRIMARY]}/orders"
    return ask(asked, method="POST", said=json.dumps(ORDER).encode(), key=traders["alice"])


def item(system, region, table, **key):
    found = system.clients("dynamodb", region).get_item(
        TableName=table,
        Key={name: {"S": value} for name, value in key.items()},
        ConsistentRead=True,
    )
    return found.get("Item")


@pytest.fixture(scope="module")
def leads(system):
    """Say to which region the name leads."""
    hosts = {system.outputs("api", region)["ApiHost"]: region for region in BOTH}

    def asked():
        found = engines.control(system.clients.engine, "dns", name=NAME)
        return hosts[found["values"][0]]

    return asked


# --- It is all there ------------------------------------------------------------------------------


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
    assert checked.coverage.total > 500


def test_the_support_table_knows_all_types(system):
    missing = {}
    for stack in system.manifest["stacks"]:
        missing |= support.not_simulated(json.loads(system.template(stack))).not_simulated
    assert list(missing) == ["Custom::SchemaMigration"]


# --- Orders ---------------------------------------------------------------------------------------


def test_an_order_is_acknowledged_and_both_regions_have_it(system, placed):
    status, said = placed
    assert (status, said["status"]) == (202, "accepted")
    for region in BOTH:
        kept = item(system, region, JOURNAL, orderId=said["orderId"])
        assert (kept["symbol"]["S"], kept["price"]["S"]) == ("ACME", "12.5")
        assert kept["acceptedIn"] == {"S": PRIMARY}
        assert "pending" in kept  # until it is applied


@each_region
def test_the_same_order_again_is_the_same_answer(call, placed, region):
    assert call("/orders", method="POST", body=ORDER, region=region) == placed


@each_region
def test_another_order_under_its_id_is_refused(call, placed, region):
    assert placed[0] == 202
    other = ORDER | {"quantity": "11"}
    status, said = call("/orders", method="POST", body=other, region=region)
    assert (status, said["error"]) == (409, "ClientOrderIdReused")


@pytest.mark.parametrize(
    "change",
    [{"side": "hold"}, {"price": 12.5}, {"quantity": "-1"}, {"more": "x"}, {"symbol": ""}],
)
def test_what_is_no_order_is_refused_before_the_function(call, change):
    found = call("/orders", method="POST", body=ORDER | change)
    assert found == (400, {"error": "InvalidRequest"})


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/orders"), ("GET", "/orders/o-1"), ("PUT", "/sessions/s"), ("GET", "/sessions/s")],
)
def test_nothing_is_done_without_a_signature(call, method, path):
    body = {"body": ORDER} if method != "GET" else {}
    assert call(path, method=method, by=None, **body)[0] == 403


@each_region
def test_an_order_is_shown_to_its_owner_alone(call, placed, region):
    order = placed[1]["orderId"]
    status, said = call(f"/orders/{order}", region=region)
    assert (status, said["status"], said["clientOrderId"]) == (200, "accepted", "first")
    assert call(f"/orders/{order}", by="bob", region=region) == (404, {"error": "OrderNotFound"})


def test_two_traders_may_use_one_id(call, placed):
    status, said = call("/orders", method="POST", body=ORDER, by="bob")
    assert status == 202
    assert said["orderId"] != placed[1]["orderId"]


def test_a_session_goes_on_in_the_other_region(call):
    written = {"version": 0, "data": {"screen": "blotter"}}
    status, said = call(f"/sessions/{SESSION}", method="PUT", body=written)
    assert status == 200, said
    assert said["version"] == 1
    found = eventually(
        lambda: (
            there[1]
            if (there := call(f"/sessions/{SESSION}", region=SECONDARY))[0] == 200
            else None
        )
    )
    assert (found["version"], found["data"]) == (1, {"screen": "blotter"})
    assert call(f"/sessions/{SESSION}", by="bob")[0] == 404
    assert call(f"/sessions/{SESSION}", method="PUT", body=written)[0] == 409


# --- Health, and the name -------------------------------------------------------------------------


@each_region
def test_deep_health_writes_to_the_journal(system, call, region):
    expected = (200, {"status": "healthy", "region": region})
    assert call("/health/deep", by=None, region=region) == expected
    assert item(system, region, JOURNAL, orderId=f"canary#{region}")["at"]


@pytest.fixture
def latch(system):
    """Set the latch as the failover machine does; it is off again afterwards."""
    table = system.clients("dynamodb", SECONDARY)
    key = {"id": {"S": "latch"}}

    def write(*, latched):
        value = {**key, "latched": {"BOOL": latched}, "epoch": {"N": "2"}}
        table.put_item(TableName=FAILOVER, Item=value)

    yield write
    table.delete_item(TableName=FAILOVER, Key=key)


def test_the_latch_moves_the_name_though_the_primary_is_well(call, leads, latch):
    def flag():
        return call("/dr-flag", by=None, region=SECONDARY)

    assert flag() == (200, {"flag": "clear"})
    eventually(lambda: leads() == PRIMARY)
    latch(latched=True)
    eventually(lambda: flag() == (200, {"flag": "latched"}))
    eventually(lambda: leads() == SECONDARY)
    assert call("/health/deep", by=None)[0] == 200
    latch(latched=False)
    eventually(lambda: leads() == PRIMARY)


def test_a_primary_that_is_gone_is_left_and_orders_are_acknowledged(system, call, leads):
    eventually(lambda: leads() == PRIMARY)
    engine = system.clients.engine
    engines.control(engine, "kill", region=PRIMARY)
    try:
        eventually(lambda: leads() == SECONDARY)
        status, said = call(
            "/orders", method="POST", region=SECONDARY, body=ORDER | {"clientOrderId": "second"}
        )
        assert status == 202
    finally:
        engines.control(engine, "heal", region=PRIMARY)
    kept = item(system, PRIMARY, JOURNAL, orderId=said["orderId"])
    assert kept["acceptedIn"] == {"S": SECONDARY}
    eventually(lambda: leads() == PRIMARY)


# --- Taken down -----------------------------------------------------------------------------------


def of_ours(clients, region):
    """List what is in a region, by what was asked for it."""
    found = {
        f"{service} {operation}": getattr(clients(service, region), operation)().get(where, [])
        for (service, operation), where in LISTS.items()
    }
    ec2 = clients("ec2", region)
    # Both are told of for a while after they are gone.
    found["gateways"] = [
        each for each in ec2.describe_nat_gateways()["NatGateways"] if each["State"] != "deleted"
    ]
    found["peerings"] = [
        each
        for each in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
        if each["Status"]["Code"] != "deleted"
    ]
    found["networks"] = [
        each for each in ec2.describe_vpcs()["Vpcs"] if each["CidrBlock"].startswith("10.6")
    ]
    made_by_aws = {
        "aliases": [each["AliasName"] for each in found.pop("kms list_aliases")],
        "buses": [each["Name"] for each in found.pop("events list_event_buses")],
        "groups": [each["Name"] for each in found.pop("scheduler list_schedule_groups")],
    }
    return found | {
        name: [each for each in names if not each.startswith(NOT_OURS)]
        for name, names in made_by_aws.items()
    }


def test_taking_it_down_leaves_nothing(packages):
    """Nothing is kept back, so all is gone: in both regions, and of what is one for all."""
    with rolled_out(TRADING_DR.name, packages, "tests-trading-leaving") as leaving:
        assert all(of_ours(leaving.clients, PRIMARY).values())
        leaving.delete()
        for region in BOTH:
            left = of_ours(leaving.clients, region)
            assert {name: listed for name, listed in left.items() if listed} == {}
            stacks = leaving.clients("cloudformation", region).list_stacks()["StackSummaries"]
            assert {each["StackStatus"] for each in stacks} == {"DELETE_COMPLETE"}
        assert leaving.home.list_stack_sets(Status="ACTIVE")["Summaries"] == []
        route53 = leaving.clients("route53")
        assert route53.list_hosted_zones()["HostedZones"] == []
        assert route53.list_health_checks()["HealthChecks"] == []
        assert leaving.clients("rds").describe_global_clusters()["GlobalClusters"] == []
        roles = leaving.clients("iam").list_roles()["Roles"]
        assert [each["RoleName"] for each in roles if each["RoleName"].startswith("role-")] == []
        buckets = leaving.clients("s3").list_buckets()["Buckets"]
        assert {each["Name"].rsplit("-", 4)[0] for each in buckets} == {"bucket-artifacts"}
