"""B-01, B-07, B-10, B-13, B-15 of trading-dr: who notices, who decides, who acts, how soon."""

import re
from dataclasses import replace

import pytest
from conformance.committed import view_of
from conformance.trading_dr.pair import (
    API_HOST,
    OTHER,
    PRIMARY,
    SECONDARY,
    allowed,
    arn,
    catches_all,
    each_region,
    passes,
    tasks,
)

from tap_templates.compiler.invariants import CompiledSystem, failover_budget
from tap_templates.compiler.invariants.objectives_database import database_budget
from tap_templates.compiler.invariants.objectives_terms import total
from templates.trading_dr import TRADING_DR

NAME = "api.trading.example.com"

# --- B-01 -----------------------------------------------------------------------------------------


@pytest.fixture
def checks(pair):
    return {each.ref: each for each in pair.of_type(SECONDARY, "AWS::Route53::HealthCheck")}


@pytest.fixture
def records(pair):
    found = pair.of_type(SECONDARY, "AWS::Route53::RecordSet")
    return {each.properties["Failover"]: each.properties for each in found}


def test_b01_the_name_moves_between_the_hosts_of_the_two_regions(pair, records):
    (zone,) = pair.of_type(SECONDARY, "AWS::Route53::HostedZone")
    assert set(records) == {"PRIMARY", "SECONDARY"}
    for role, region in (("PRIMARY", PRIMARY), ("SECONDARY", SECONDARY)):
        record = records[role]
        assert (record["Name"], record["Type"], record["TTL"]) == (NAME, "CNAME", "10")
        assert record["HostedZoneId"] == zone.ref
        host = f"<api.OrdersDomain.RegionalDomainName@{region}>"
        assert record["ResourceRecords"] == [host]
    assert "HealthCheckId" not in records["SECONDARY"]  # the last resort answers whatever is wrong


def test_b01_both_of_two_checks_must_be_well(checks, records):
    decides = checks[records["PRIMARY"]["HealthCheckId"]].properties["HealthCheckConfig"]
    assert decides["Type"] == "CALCULATED"
    assert decides["HealthThreshold"] == 2
    children = {checks[each].logical_id for each in decides["ChildHealthChecks"]}
    assert children == {"OrdersEndpointCheck", "OrdersLatchCheck"}


@pytest.mark.parametrize(
    ("logical_id", "region", "asked"),
    [
        ("OrdersEndpointCheck", PRIMARY, {"Type": "HTTPS", "ResourcePath": "/live/health/deep"}),
        (
            "OrdersLatchCheck",
            SECONDARY,
            {
                "Type": "HTTPS_STR_MATCH",
                "ResourcePath": "/live/dr-flag",
                "SearchString": '"latched"',
                "Inverted": True,
            },
        ),
    ],
)
def test_b01_real_endpoints_of_both_regions_are_asked(pair, checks, logical_id, region, asked):
    (found,) = [each for each in checks.values() if each.logical_id == logical_id]
    config = found.properties["HealthCheckConfig"]
    assert config.items() >= asked.items()
    assert ("Inverted" in config) == ("Inverted" in asked)
    assert config["FullyQualifiedDomainName"] == API_HOST.format(region=region)
    assert config["EnableSNI"] is True  # API Gateway answers no TLS without a name
    assert (config["RequestInterval"], config["FailureThreshold"]) == (10, "2")
    assert len(config["Regions"]) >= 3
    assert PRIMARY not in config["Regions"]  # it could not see itself fail
    # What is asked is there, and open to who has no signature.
    route = pair.routes(region)["GET " + asked["ResourcePath"].removeprefix("/live")]
    assert route["AuthorizationType"] == "NONE"


def test_b01_nobody_changes_a_record_or_a_check(view):
    roles = list(view.resources("AWS::IAM::Role"))
    assert len(roles) > 20
    for each in roles:
        services = {action.split(":")[0] for action, _ in allowed(each.resource.properties)}
        assert "route53" not in services, each.place


# --- B-07 -----------------------------------------------------------------------------------------

ORDER = (
    # No way to the second but through the first: each step is seen to have worked.
    (("Fence",), "Latch"),
    (("Latch", "Unlatch"), "Promote"),
    (("Look",), "Promote"),
    (("Canary",), "Prepare"),
    (("Prepare",), "RecordCuts"),
    (("RecordCuts",), "Replay"),
    (("IsReplayed",), "Serve"),
    (("Serve",), "EnableConsumers"),
    (("AreEnabled",), "Validate"),
    (("Validate",), "Reconcile"),
    (("Reconcile",), "Notify"),
    (("Notify",), "FailedOver"),
    (("NotifyFailed",), "FailoverFailed"),
)
BACK = (
    (("CheckReady",), "NextEpoch"),
    (("Claim",), "DisableConsumers"),
    (("AreDisabled",), "LookFirst"),
    # Or a run before this one had raised it, and its switchover was under way.
    (("RaiseFence", "AwaitWriter"), "Switchover"),
    (("AwaitReturned",), "Unlatch"),
    (("Unlatch",), "Notify"),
    (("RaiseFenceAgain",), "ServeAgain"),
    (("ServeAgain",), "EnableConsumersAgain"),
)


@each_region
@pytest.mark.parametrize(("before", "step"), ORDER)
def test_b07_no_step_of_a_failover_before_the_one_it_needs(pair, region, before, step):
    assert passes(pair.machine(region, "failover"), step, *before)


@each_region
@pytest.mark.parametrize(("before", "step"), BACK)
def test_b07_no_step_of_a_failback_before_the_one_it_needs(pair, region, before, step):
    assert passes(pair.machine(region, "failback"), step, *before)


def test_b07_a_way_round_a_step_would_be_seen(pair):
    machine = pair.machine(SECONDARY, "failover")
    assert not passes(machine, "NotifyFailed", "Fence")
    assert not passes(machine, "Look", "Latch")  # at home it unlatches instead


@each_region
def test_b07_a_failback_loses_nothing(pair, region):
    calls = {each.integration: each for each in tasks(pair.machine(region, "failback"))}
    moved = calls["aws-sdk:rds:switchoverGlobalCluster"].given
    assert moved["TargetDbClusterIdentifier"] == arn(
        "rds", OTHER[region], f"cluster:cluster-orders-dev-{OTHER[region]}"
    )
    assert "aws-sdk:rds:failoverGlobalCluster" not in calls


@each_region
@pytest.mark.parametrize("purpose", ["failover", "failback"])
def test_b07_every_task_is_bounded_tried_again_and_caught(pair, region, purpose):
    machine = pair.machine(region, purpose)
    found = tasks(machine)
    assert len(found) >= 15
    for each in found:
        assert each.body["TimeoutSeconds"] > 0, each.name
        again = [retry for _, retry in each.handlers("Retry") if retry["MaxAttempts"] >= 1]
        assert "States.ALL" in {error for retry in again for error in retry["ErrorEquals"]}
        assert all(retry["BackoffRate"] > 1 for retry in again), each.name
        assert catches_all(each) or catches_all(each.within), each.name


def test_b07_both_regions_have_the_same_machines(pair):
    for purpose in ("failover", "failback"):
        ours, theirs = (
            {each.path: each.body for each in pair.machine(region, purpose).states()}
            for region in OTHER
        )
        assert set(ours) == set(theirs)
        for path, state in ours.items():
            kept = ("Type", "Resource", "Next", "Retry", "Catch", "TimeoutSeconds")
            assert {key: state.get(key) for key in kept} == {
                key: theirs[path].get(key) for key in kept
            }, path


def on_the_path(pair, region, purpose):
    """List the roles that a run uses: the machine's own, and of all it invokes."""
    machine = pair.machine(region, purpose)
    roles = {machine.located.resource.properties["RoleArn"]}
    for each in tasks(machine):
        if (function := each.invokes()) is not None:
            name = re.search(r":function:([a-z0-9-]+):live$", function)[1]
            roles.add(pair.named(region, "AWS::Lambda::Function", name)["Role"])
    return [pair.view.find(each).resource.properties for each in sorted(roles)]


@each_region
def test_b07_no_control_plane_of_one_region_is_on_the_path(pair, region):
    roles = on_the_path(pair, region, "failover")
    assert len(roles) == 3
    for role in roles:
        for action, resource in allowed(role):
            service, _, operation = action.partition(":")
            assert service not in {"route53", "iam", "cloudformation", "organizations"}, action
            if service == "s3":
                assert operation in {"GetObject", "PutObject"}
            if OTHER[region] in resource:
                # The global database is one of both: RDS asks for each cluster in it.
                assert action in {"rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"}


@each_region
def test_b07_going_back_by_itself_is_a_choice_and_off(manifest, committed, view, region):
    watch = {PRIMARY: "watch-primary", SECONDARY: "watch-secondary"}[region]
    declared = committed[watch]["Parameters"]["AutomaticFailback"]
    assert (declared["Default"], declared["AllowedValues"]) == ("no", ["no", "yes"])
    chosen = view_of(manifest, committed, AutomaticFailback="yes")
    for each, said in ((view, "no"), (chosen, "yes")):
        function = each.stack(watch, region).resources["ProberFunction"].properties
        assert function["Environment"]["Variables"]["AUTOMATIC_FAILBACK"] == said


# --- B-10 -----------------------------------------------------------------------------------------


@each_region
def test_b10_readiness_is_tested_every_hour(pair, region):
    tests = pair.named(region, "AWS::Scheduler::Schedule", "schedule-orders-readiness-dev")
    assert (tests["ScheduleExpression"], tests["State"]) == ("rate(1 hour)", "ENABLED")
    assert tests["Target"]["Arn"] == pair.live(region, "order-readiness")


@each_region
def test_b10_it_rings_if_a_region_is_not_ready_and_if_nobody_asked(pair, region):
    (silent,) = pair.alarms(
        region, "AWS/Lambda", "Invocations", FunctionName="function-order-readiness-dev"
    )
    assert (silent["ComparisonOperator"], silent["Threshold"]) == ("LessThanThreshold", 1)
    assert silent["TreatMissingData"] == "breaching"
    assert silent["Period"] * silent["EvaluationPeriods"] <= 2 * 3600
    rings = pair.alarms(region, "TradingOrders", "Ready", service="order-readiness")
    assert [(each["ComparisonOperator"], each["Threshold"]) for each in rings] == [
        ("LessThanThreshold", 1)
    ]
    assert all(each["Period"] == 3600 for each in rings)
    topic = arn("sns", region, "topic-orders-alarms-dev")
    assert all(each["AlarmActions"] == [topic] for each in (silent, *rings))


@each_region
def test_b10_it_asks_both_apis_and_both_databases(pair, region):
    told = pair.variables(region, "order-readiness")
    for ours, theirs in (("API_URL", "OTHER_API_URL"), ("DB_HOST", "OTHER_DB_HOST")):
        assert region in told[ours], ours
        assert OTHER[region] in told[theirs], theirs
    logins = {
        resource.split(":")[3]
        for action, resource in allowed(pair.role(region, "order-readiness"))
        if action == "rds-db:connect"
    }
    assert logins == {PRIMARY, SECONDARY}


# --- B-13 -----------------------------------------------------------------------------------------


@each_region
def test_b13_named_people_may_start_the_machines_of_both_regions_and_nothing_else(pair, region):
    role = pair.role(region, "orders-operators")
    assert allowed(role) == {
        ("states:StartExecution", arn("states", each, f"stateMachine:machine-orders-{what}-dev"))
        for each in OTHER
        for what in ("failover", "failback")
    }
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    named = trust["Condition"]["ArnLike"]["aws:PrincipalArn"]
    assert named
    assert all(re.fullmatch(r"arn:aws:iam::[^:]+:(role|user)/\w[\w-]+\*?", each) for each in named)


@each_region
def test_b13_functions_ask_the_sts_of_their_own_region(pair, region):
    for each in pair.of_type(region, "AWS::Lambda::Function"):
        variables = each.properties["Environment"]["Variables"]
        assert variables["AWS_STS_REGIONAL_ENDPOINTS"] == "regional", each.name


# --- B-15 -----------------------------------------------------------------------------------------


def test_b15_orders_are_accepted_again_within_a_minute_by_the_templates_own_numbers(compiled):
    terms = failover_budget(compiled)
    assert TRADING_DR.objectives.rto.total_seconds() == 60
    assert [each.name.split(":")[0].split(" ")[0] for each in terms] == [
        "detection",  # of the slower of two checks
        "Route",
        "resolvers",
    ]
    assert all(each.seconds and each.source.startswith("https://") for each in terms)
    assert 30 <= total(terms) <= 60


@pytest.mark.parametrize(("parameter", "highest"), [("RecordTtl", 60), ("UnhealthyChecks", 5)])
def test_b15_a_parameter_that_may_be_set_too_slow_breaks_the_budget(
    compiled, committed, parameter, highest
):
    dns = committed["dns"]
    slower = {**dns["Parameters"][parameter], "MaxValue": highest}
    parameters = {**dns["Parameters"], parameter: slower}
    stacks = tuple(
        replace(each, template={**dns, "Parameters": parameters}) if each.name == "dns" else each
        for each in compiled.stacks
    )
    slow = CompiledSystem(TRADING_DR, stacks, compiled.view)
    assert total(failover_budget(slow)) > 60


def test_b15_the_way_of_the_database_is_counted_and_promised_to_nobody(compiled):
    terms = database_budget(compiled)
    unbounded = [each.name for each in terms if each.seconds is None]
    assert unbounded == ["promotion: a few minutes typically, AWS publishes no bound"]
    known = {each.name.partition(":")[0]: each.seconds for each in terms if each.seconds}
    assert set(known) >= {"detection of a lost region", "decision"}
    assert TRADING_DR.objectives.database_rto is None
