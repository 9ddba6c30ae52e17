"""B-02 … B-05, B-11, B-12 of trading-dr: what holds data, moves it, and connects the regions."""

import base64
from datetime import timedelta
from ipaddress import ip_network

import pytest
from conformance.trading_dr.pair import (
    OTHER,
    PRIMARY,
    ROLE,
    SECONDARY,
    WITNESS,
    allowed,
    arn,
    bucket,
    each_region,
)

from templates.trading_dr import TRADING_DR

# --- B-02 -----------------------------------------------------------------------------------------


def test_b02_one_global_database_written_in_the_primary_and_copied_to_the_secondary(pair):
    (joined,) = pair.of_type(PRIMARY, "AWS::RDS::GlobalCluster")
    writer = pair.named(PRIMARY, "AWS::RDS::DBCluster", f"cluster-orders-dev-{PRIMARY}")
    copy = pair.named(SECONDARY, "AWS::RDS::DBCluster", f"cluster-orders-dev-{SECONDARY}")
    assert joined.properties["SourceDBClusterIdentifier"] == arn(
        "rds", PRIMARY, f"cluster:{writer['DBClusterIdentifier']}"
    )
    assert copy["GlobalClusterIdentifier"] == joined.name
    assert copy["SourceRegion"] == PRIMARY
    assert not {"MasterUsername", "MasterUserPassword", "DatabaseName"} & set(copy)
    for each in (writer, copy):
        assert (each["Engine"], each["StorageEncrypted"]) == ("aurora-postgresql", True)
        assert each["EnableIAMDatabaseAuthentication"] is True
    assert writer["EngineVersion"] == copy["EngineVersion"]


def test_b02_either_region_can_carry_the_whole_load(pair):
    carried = {
        region: sorted(
            (each.properties["DBInstanceClass"], each.properties["PromotionTier"])
            for each in pair.of_type(region, "AWS::RDS::DBInstance")
        )
        for region in OTHER
    }
    assert carried[PRIMARY] == carried[SECONDARY]
    assert len(carried[PRIMARY]) == 2


@each_region
def test_b02_lag_rings_and_so_does_no_word_of_it(pair, region):
    alarms = pair.alarms(
        region,
        "AWS/RDS",
        "AuroraGlobalDBRPOLag",
        DBClusterIdentifier=f"cluster-orders-dev-{region}",
    )
    (late,) = [each for each in alarms if each["Statistic"] == "Maximum"]
    assert late["ComparisonOperator"] == "GreaterThanThreshold"
    assert late["Threshold"] == 5000  # milliseconds
    silent = [each for each in alarms if each["TreatMissingData"] == "breaching"]
    # The writer says nothing of a lag of its own.
    assert len(silent) == {PRIMARY: 0, SECONDARY: 1}[region]


@each_region
def test_b02_the_survivor_promotes_its_own_cluster_and_nobody_is_asked(pair, region):
    machine = pair.machine(region, "failover")
    (promote,) = [each for each in machine.states() if "failoverGlobalCluster" in each.integration]
    assert promote.given["AllowDataLoss"] is True
    assert promote.given["TargetDbClusterIdentifier"] == arn(
        "rds", region, f"cluster:cluster-orders-dev-{region}"
    )
    prober = allowed(pair.role(region, "order-prober"))
    assert ("states:StartExecution", machine.located.resource.arn) in prober
    probes = pair.named(region, "AWS::Scheduler::Schedule", "schedule-orders-probes-dev")
    assert probes["Target"]["Arn"] == pair.live(region, "order-prober")
    assert (probes["ScheduleExpression"], probes["State"]) == ("rate(1 minute)", "ENABLED")


@each_region
def test_b02_each_region_books_at_its_own_cluster_never_at_whoever_is_the_writer(pair, region):
    own = f"<database-{ROLE[region]}.OrdersCluster.Endpoint.Address@{region}>"
    told = {
        each.name: variables["DB_HOST"]
        for each in pair.of_type(region, "AWS::Lambda::Function")
        if "DB_HOST" in (variables := each.properties["Environment"]["Variables"])
    }
    assert set(told.values()) == {own}
    assert len(told) == {PRIMARY: 6, SECONDARY: 5}[region]  # migrations run in the primary alone


# --- B-03 -----------------------------------------------------------------------------------------


@each_region
def test_b03_orders_are_fed_to_a_function_that_says_which_of_a_batch_failed(pair, region):
    queue = arn("sqs", region, "queue-orders-dev")
    (feed,) = pair.of_type(region, "AWS::Lambda::EventSourceMapping")
    assert feed.properties["EventSourceArn"] == queue
    assert feed.properties["FunctionName"] == pair.live(region, "order-applier")
    assert feed.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # Made in both, on where orders are at home: the machine turns the other on.
    assert feed.properties["Enabled"] is (region == PRIMARY)


@each_region
def test_b03_what_fails_five_times_is_set_aside_and_rings(pair, region):
    queue = pair.named(region, "AWS::SQS::Queue", "queue-orders-dev")
    dead = pair.named(region, "AWS::SQS::Queue", "queue-orders-dead-dev")
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": arn("sqs", region, "queue-orders-dead-dev"),
        "maxReceiveCount": 5,
    }
    assert dead["RedriveAllowPolicy"] == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [arn("sqs", region, "queue-orders-dev")],
    }
    assert dead["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]
    patience = pair.function(region, "order-applier")["Timeout"]
    assert queue["VisibilityTimeout"] >= 6 * patience
    (rings,) = pair.alarms(
        region,
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        QueueName="queue-orders-dead-dev",
    )
    assert rings["Threshold"] == 0


def test_b03_both_regions_run_the_same_bytes(pair, manifest):
    def code(region):
        functions = pair.of_type(region, "AWS::Lambda::Function")
        versions = pair.of_type(region, "AWS::Lambda::Version")
        digests = {
            each.properties["FunctionName"]: each.properties["CodeSha256"] for each in versions
        }
        return {
            each.name: (each.properties["Code"]["S3Key"], digests[each.name])
            for each in functions
            if each.name != "function-order-schema-dev"
        }

    assert code(PRIMARY) == code(SECONDARY)
    assert len(code(PRIMARY)) == 7
    for name, (_, digest) in code(SECONDARY).items():
        package = manifest["packages"][name.removeprefix("function-").removesuffix("-dev")]
        assert base64.b64decode(digest).hex() == package["sha256"]


# --- B-04 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["journal", "failover"])
def test_b04_what_decides_is_the_same_in_two_regions_before_it_is_said(pair, purpose):
    table = pair.named(SECONDARY, "AWS::DynamoDB::GlobalTable", f"table-orders-{purpose}-dev")
    assert table["MultiRegionConsistency"] == "STRONG"
    assert table["GlobalTableWitnesses"] == [{"Region": WITNESS}]
    assert [each["Region"] for each in table["Replicas"]] == [PRIMARY, SECONDARY]
    assert "TimeToLiveSpecification" not in table  # which a strongly consistent table cannot have


def test_b04_sessions_expire_and_are_in_both_regions(pair):
    table = pair.named(SECONDARY, "AWS::DynamoDB::GlobalTable", "table-orders-sessions-dev")
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    assert [each["Region"] for each in table["Replicas"]] == [PRIMARY, SECONDARY]


def test_b04_each_replica_of_each_table_can_be_put_back_in_time(view):
    tables = [each.resource for each in view.resources("AWS::DynamoDB::GlobalTable")]
    assert len(tables) == 3
    for table in tables:
        for replica in table.properties["Replicas"]:
            recovery = replica["PointInTimeRecoverySpecification"]
            assert recovery["PointInTimeRecoveryEnabled"] is True, (table.name, replica["Region"])


@each_region
def test_b04_who_acknowledges_may_write_the_journal_and_take_nothing_back(pair, region):
    journal = arn("dynamodb", region, "table/table-orders-journal-dev")
    may = {
        action for action, target in allowed(pair.role(region, "order-api")) if target == journal
    }
    assert may == {"dynamodb:GetItem", "dynamodb:PutItem"}
    assert pair.variables(region, "order-api")["JOURNAL_TABLE"] == "table-orders-journal-dev"


def test_b04_no_acknowledged_order_is_lost_is_what_is_promised():
    assert TRADING_DR.objectives.rpo == timedelta(0)
    assert set(TRADING_DR.objectives.apart) == {"orders-sessions"}


# --- B-05 -----------------------------------------------------------------------------------------


@each_region
@pytest.mark.parametrize("what", ["config", "audit"])
def test_b05_each_region_copies_its_buckets_to_the_other(pair, region, what):
    own = pair.named(region, "AWS::S3::Bucket", bucket(f"orders-{what}", region))
    copies = bucket(f"{what}-copies", OTHER[region])
    there = pair.named(OTHER[region], "AWS::S3::Bucket", copies)
    for each in (own, there):
        assert each["VersioningConfiguration"] == {"Status": "Enabled"}
        expires = [
            rule
            for rule in each["LifecycleConfiguration"]["Rules"]
            if rule["Status"] == "Enabled" and "NoncurrentVersionExpiration" in rule
        ]
        assert expires
    (rule,) = own["ReplicationConfiguration"]["Rules"]
    assert (rule["Status"], rule["Filter"]) == ("Enabled", {"Prefix": ""})
    assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{copies}"
    assert "ReplicationConfiguration" not in there  # so that nothing goes round
    role = pair.view.find(own["ReplicationConfiguration"]["Role"])
    assert ("s3:ReplicateObject", f"arn:aws:s3:::{copies}/*") in allowed(role.resource.properties)


# --- B-11 -----------------------------------------------------------------------------------------


def settings(pair, region):
    return {
        each.name: each.properties["Value"] for each in pair.of_type(region, "AWS::SSM::Parameter")
    }


def test_b11_both_regions_have_the_same_names_with_their_own_values(pair):
    ours, theirs = settings(pair, PRIMARY), settings(pair, SECONDARY)
    assert set(ours) == set(theirs)
    assert len(ours) >= 8
    assert ours["/orders/dev/other-region"] == SECONDARY
    assert theirs["/orders/dev/other-region"] == PRIMARY
    same = {name for name, value in ours.items() if theirs[name] == value}
    assert same == {"/orders/dev/journal-table"}  # one table in both


@each_region
def test_b11_no_value_is_of_the_other_region(pair, region):
    for name, value in settings(pair, region).items():
        if name != "/orders/dev/other-region":
            assert OTHER[region] not in value, name


@each_region
def test_b11_the_readiness_test_asks_for_exactly_these(pair, region):
    told = pair.variables(region, "order-readiness")
    wanted = {f"{told['CONFIG_PREFIX']}/{name}" for name in told["CONFIG_NAMES"].split(",")}
    assert wanted == set(settings(pair, region))
    path = arn("ssm", region, f"parameter{told['CONFIG_PREFIX']}")
    assert ("ssm:GetParametersByPath", path) in allowed(pair.role(region, "order-readiness"))


# --- B-12 -----------------------------------------------------------------------------------------


@pytest.fixture
def ranges(pair):
    return {
        region: ip_network(vpc.properties["CidrBlock"])
        for region in OTHER
        for vpc in pair.of_type(region, "AWS::EC2::VPC")
    }


def test_b12_the_networks_do_not_overlap(pair, ranges):
    assert not ranges[PRIMARY].overlaps(ranges[SECONDARY])
    for region, whole in ranges.items():
        subnets = [
            ip_network(each.properties["CidrBlock"])
            for each in pair.of_type(region, "AWS::EC2::Subnet")
        ]
        assert len(subnets) == 9
        assert all(each.subnet_of(whole) for each in subnets)


@each_region
def test_b12_functions_are_in_private_subnets_and_the_database_in_isolated_ones(pair, region):
    def tier(name):
        return {
            each.ref
            for each in pair.of_type(region, "AWS::EC2::Subnet")
            if name in {tag["Key"]: tag["Value"] for tag in each.properties["Tags"]}["Name"]
        }

    (group,) = pair.of_type(region, "AWS::RDS::DBSubnetGroup")
    assert set(group.properties["SubnetIds"]) == tier("isolated")
    inside = [
        set(each.properties["VpcConfig"]["SubnetIds"])
        for each in pair.of_type(region, "AWS::Lambda::Function")
        if "VpcConfig" in each.properties
    ]
    assert len(inside) >= 5
    assert all(each == tier("private") for each in inside)
    for each in pair.of_type(region, "AWS::RDS::DBInstance"):
        assert each.properties["PubliclyAccessible"] is False


@each_region
def test_b12_both_sides_route_over_one_peering(pair, ranges, region):
    (peering,) = pair.of_type(PRIMARY, "AWS::EC2::VPCPeeringConnection")
    vpcs = {each: pair.of_type(each, "AWS::EC2::VPC")[0].ref for each in OTHER}
    assert peering.properties["PeerRegion"] == SECONDARY
    assert peering.properties["VpcId"] == vpcs[PRIMARY]
    assert peering.properties["PeerVpcId"] == vpcs[SECONDARY]
    routes = [
        each.properties
        for each in pair.of_type(region, "AWS::EC2::Route")
        if each.properties.get("VpcPeeringConnectionId") == peering.ref
    ]
    assert {each["DestinationCidrBlock"] for each in routes} == {str(ranges[OTHER[region]])}
    public = {
        each.properties["RouteTableId"]
        for each in pair.of_type(region, "AWS::EC2::Route")
        if "GatewayId" in each.properties
    }
    tables = {each.ref for each in pair.of_type(region, "AWS::EC2::RouteTable")}
    assert {each["RouteTableId"] for each in routes} == tables - public


@each_region
def test_b12_over_it_nothing_gets_in_but_to_the_port_of_the_database(pair, ranges, region):
    groups = pair.of_type(region, "AWS::EC2::SecurityGroup")
    (database,) = [each.ref for each in groups if each.logical_id == "DatabaseSecurityGroup"]
    admitted = [
        each.properties
        for each in pair.of_type(region, "AWS::EC2::SecurityGroupIngress")
        if "CidrIp" in each.properties
    ]
    assert [
        (each["GroupId"], each["CidrIp"], each["FromPort"], each["ToPort"]) for each in admitted
    ] == [(database, str(ranges[OTHER[region]]), 5432, 5432)]
    assert not [each for each in groups if "SecurityGroupIngress" in each.properties]
