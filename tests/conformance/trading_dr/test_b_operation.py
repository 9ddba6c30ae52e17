"""B-06, B-08, B-09, B-14 of trading-dr: what is seen, called, forwarded, taken down."""

import json
import re

import pytest
from conformance.committed import view_of
from conformance.trading_dr.pair import (
    OTHER,
    PRIMARY,
    SECONDARY,
    allowed,
    arn,
    each_region,
)

# --- B-06 -----------------------------------------------------------------------------------------

ORDERS_API = {"ApiName": "api-orders-dev", "Stage": "live"}


@each_region
@pytest.mark.parametrize(
    ("namespace", "metric", "of"),
    [
        ("AWS/RDS", "AuroraGlobalDBRPOLag", {}),
        ("AWS/RDS", "DatabaseConnections", {}),
        ("AWS/Lambda", "Errors", {"FunctionName": "function-order-api-dev"}),
        ("AWS/Lambda", "Errors", {"FunctionName": "function-order-applier-dev"}),
        ("AWS/Lambda", "Errors", {"FunctionName": "function-order-replayer-dev"}),
        ("AWS/Lambda", "Errors", {"FunctionName": "function-order-recovery-dev"}),
        ("AWS/Lambda", "Throttles", {"FunctionName": "function-order-api-dev"}),
        ("AWS/Lambda", "Throttles", {"FunctionName": "function-order-applier-dev"}),
        ("AWS/Lambda", "Invocations", {"FunctionName": "function-order-prober-dev"}),
        ("AWS/Lambda", "Invocations", {"FunctionName": "function-order-replayer-dev"}),
        ("AWS/ApiGateway", "Latency", ORDERS_API),
        ("AWS/ApiGateway", "5XXError", ORDERS_API),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "queue-orders-dev"}),
        ("AWS/DynamoDB", "SystemErrors", {"TableName": "table-orders-journal-dev"}),
        ("AWS/S3", "OperationsFailedReplication", {}),
        ("AWS/States", "ExecutionsFailed", {}),
        ("AWS/States", "ExecutionsTimedOut", {}),
    ],
)
def test_b06_it_rings_in_the_region_it_happens_in(pair, region, namespace, metric, of):
    found = pair.alarms(region, namespace, metric, **of)
    assert found
    topic = arn("sns", region, "topic-orders-alarms-dev")
    assert all(each["AlarmActions"] == [topic] for each in found)


@each_region
def test_b06_every_queue_of_what_failed_rings_at_the_first_message(pair, region):
    queues = {each.name for each in pair.of_type(region, "AWS::SQS::Queue")} - {"queue-orders-dev"}
    assert len(queues) >= 9
    for name in queues:
        rings = pair.alarms(region, "AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=name)
        assert [each["Threshold"] for each in rings] == [0], name


@each_region
def test_b06_somebody_hears_the_alarms(pair, region):
    (heard,) = pair.of_type(region, "AWS::SNS::Subscription")
    assert heard.properties["Protocol"] == "email"
    assert heard.properties["TopicArn"] == arn("sns", region, "topic-orders-alarms-dev")


@each_region
def test_b06_each_regions_dashboard_shows_both(pair, region):
    (board,) = pair.of_type(region, "AWS::CloudWatch::Dashboard")
    shown = {PRIMARY: set(), SECONDARY: set()}
    for widget in json.loads(board.properties["DashboardBody"])["widgets"]:
        about = widget["properties"]
        shown[about["region"]] |= {(line[0], line[1]) for line in about["metrics"]}
    assert shown[PRIMARY] == shown[SECONDARY]
    assert shown[region] >= {
        ("TradingOrders", "OrdersAccepted"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/ApiGateway", "5XXError"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/RDS", "AuroraGlobalDBRPOLag"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/States", "ExecutionsFailed"),
    }


# --- B-08 -----------------------------------------------------------------------------------------

SIGNED = {
    "GET /orders/{orderId}",
    "GET /sessions/{sessionId}",
    "POST /orders",
    "PUT /sessions/{sessionId}",
}
OPEN = {"GET /dr-flag", "GET /health", "GET /health/deep"}


@each_region
def test_b08_all_but_health_and_latch_asks_for_a_signature(pair, region):
    routes = pair.routes(region)
    asked = {name: each["AuthorizationType"] for name, each in routes.items()}
    assert asked == dict.fromkeys(SIGNED, "AWS_IAM") | dict.fromkeys(OPEN, "NONE")
    for each in routes.values():
        assert each["Integration"]["Type"] == "AWS_PROXY"
        assert pair.live(region, "order-api") in each["Integration"]["Uri"]


@each_region
def test_b08_an_order_is_checked_before_anything_runs(pair, region):
    (validator,) = pair.of_type(region, "AWS::ApiGateway::RequestValidator")
    (model,) = pair.of_type(region, "AWS::ApiGateway::Model")
    post = pair.routes(region)["POST /orders"]
    assert validator.properties["ValidateRequestBody"] is True
    assert post["RequestValidatorId"] == validator.ref
    # Of any content type: one that no model is for would pass unchecked.
    assert post["RequestModels"] == {"$default": model.ref}
    schema = model.properties["Schema"]
    schema = json.loads(schema) if isinstance(schema, str) else schema
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"])
    assert all({"pattern", "enum"} & set(each) for each in schema["properties"].values())


@each_region
def test_b08_the_stage_limits_and_logs(pair, region):
    (stage,) = pair.of_type(region, "AWS::ApiGateway::Stage")
    (limits,) = stage.properties["MethodSettings"]
    assert (limits["HttpMethod"], limits["ResourcePath"]) == ("*", "/*")
    assert 0 < int(limits["ThrottlingRateLimit"]) <= 10000
    assert 0 < int(limits["ThrottlingBurstLimit"]) <= 5000
    assert limits["DataTraceEnabled"] is False  # which would log orders
    log = pair.view.find(stage.properties["AccessLogSetting"]["DestinationArn"])
    assert log.resource.type == "AWS::Logs::LogGroup"
    assert log.resource.properties["RetentionInDays"] > 0
    said = stage.properties["AccessLogSetting"]["Format"]
    assert "$context.requestId" in said
    assert "$context.status" in said
    assert stage.properties["TracingEnabled"] is True


def test_b08_both_regions_answer_alike_under_one_name(pair, manifest):
    def api(region):
        kinds = (
            "AWS::ApiGateway::DomainName",
            "AWS::ApiGateway::GatewayResponse",
            "AWS::ApiGateway::Method",
            "AWS::ApiGateway::Model",
            "AWS::ApiGateway::RestApi",
            "AWS::ApiGateway::Stage",
        )
        found = {each.logical_id: each.properties for each in pair.of_type(region, *kinds)}
        return json.loads(json.dumps(found).replace(region, "<region>"))

    assert api(PRIMARY) == api(SECONDARY)
    domain = api(PRIMARY)["OrdersDomain"]
    assert domain["DomainName"] == "api.trading.example.com"
    assert domain["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "TLS13" in domain["SecurityPolicy"]
    assert {each["name"]: each["regions"] for each in manifest["stacks"]}["api"] == [
        PRIMARY,
        SECONDARY,
    ]


# --- B-09 -----------------------------------------------------------------------------------------

CRITICAL = {f"{what} {how}" for what in ("failover", "failback") for how in ("completed", "failed")}


def forwards(pair, region):
    return pair.named(region, "AWS::Events::Rule", "rule-orders-to-other-region-dev")


def matches(pattern, event):
    """Match as EventBridge does, for patterns that are lists of values alone."""
    return all(event.get(key) in values for key, values in pattern.items())


@each_region
def test_b09_critical_events_go_to_the_other_regions_bus(pair, region):
    rule = forwards(pair, region)
    (target,) = rule["Targets"]
    there = arn("events", OTHER[region], "event-bus/bus-orders-dev")
    assert (rule["State"], rule["EventBusName"]) == ("ENABLED", "bus-orders-dev")
    assert target["Arn"] == there
    role = pair.view.find(target["RoleArn"]).resource.properties
    assert allowed(role) == {("events:PutEvents", there)}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    dead = target["DeadLetterConfig"]["Arn"]
    assert dead == arn("sqs", region, "queue-orders-not-forwarded-dev")


@each_region
def test_b09_nothing_goes_round(pair, region):
    pattern = forwards(pair, region)["EventPattern"]
    for kind in CRITICAL:
        # An event keeps the region it happened in.
        here = {"source": "trading.orders", "detail-type": kind, "region": region}
        assert matches(pattern, here)
        assert not matches(pattern, {**here, "region": OTHER[region]})
        assert matches(forwards(pair, OTHER[region])["EventPattern"], here) is False
    assert not matches(pattern, {**here, "source": "others"})
    assert not matches(pattern, {**here, "detail-type": "order placed"})


@each_region
def test_b09_all_that_a_machine_announces_is_critical_and_kept_in_both_regions(pair, region):
    said = {
        entry["DetailType"]
        for purpose in ("failover", "failback")
        for state in pair.machine(region, purpose).states()
        for entry in state.given.get("Entries", ())
    }
    assert said == CRITICAL
    kept = pair.named(region, "AWS::Events::Rule", "rule-orders-to-audit-dev")
    assert kept["EventPattern"] == {"source": ["trading.orders"]}  # of whichever region
    assert [each["Arn"] for each in kept["Targets"]] == [pair.live(region, "order-audit")]


# --- B-14 -----------------------------------------------------------------------------------------


def test_b14_nothing_is_retained_or_protected(committed):
    for name, template in committed.items():
        for logical_id, resource in template["Resources"].items():
            kept = {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")}
            assert kept <= {"Delete", None}, (name, logical_id)
        text = json.dumps(template)
        for protection in re.findall(r'"Deletion\w*Protect\w*": (\S+?)[,}]', text):
            assert protection == "false", name


def test_b14_what_holds_data_says_so(committed):
    stateful = {
        "AWS::DynamoDB::GlobalTable", "AWS::RDS::DBCluster", "AWS::RDS::GlobalCluster",
        "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::KMS::Key", "AWS::SecretsManager::Secret",
    }  # fmt: skip
    found = [
        (name, logical_id, resource)
        for name, template in committed.items()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] in stateful
    ]
    assert {resource["Type"] for _, _, resource in found} == stateful
    for name, logical_id, resource in found:
        assert resource["DeletionPolicy"] == "Delete", (name, logical_id)


def test_b14_the_copy_goes_before_what_it_copies(manifest):
    order = [each["name"] for each in manifest["stacks"]]
    # Taken down from the end.
    assert order.index("database-primary") < order.index("database-secondary")
    assert order.index("network") < order.index("peering") < order.index("peer-routes")
    assert order.index("zone") < order.index("dns")


def test_b14_under_another_suffix_nothing_bears_this_name(manifest, committed):
    other = view_of(manifest, committed, EnvironmentSuffix="prod")
    named = [each.resource.name for each in other.resources() if each.resource.name]
    assert len(named) > 200
    assert [each for each in named if re.search(r"-dev\b", each)] == []
