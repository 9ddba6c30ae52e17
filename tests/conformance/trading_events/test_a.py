"""A-01 … A-10: what trading-events must be, on the templates that ship."""

import json

import pytest

PRIMARY, STANDBY, WITNESS = "us-east-1", "us-west-2", "us-east-2"
BOTH = (PRIMARY, STANDBY)
ACCOUNT = "111122223333"
TWO_WEEKS = 14 * 24 * 3600
RULE = "rule/bus-trading-events-dev/rule-trading-events-to-processor-dev"
DELIVERY = "queue-trading-delivery-failed-dev"
FAILED = "queue-trading-processing-failed-dev"


def statements(properties):
    return properties["PolicyDocument"]["Statement"]


def role_statements(role):
    (policy,) = role["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_a01_the_endpoint_is_in_the_primary_region_alone(view):
    endpoints = list(view.resources("AWS::Events::Endpoint"))
    assert [(each.stack.stack, each.stack.region) for each in endpoints] == [("endpoint", PRIMARY)]


def test_a01_the_endpoint_routes_to_the_standby_over_two_buses_of_one_name(resource):
    endpoint = resource("endpoint", PRIMARY, "TradingEndpoint")
    assert endpoint["RoutingConfig"]["FailoverConfig"]["Secondary"]["Route"] == STANDBY
    assert [bus["EventBusArn"] for bus in endpoint["EventBuses"]] == [
        f"arn:aws:events:{region}:{ACCOUNT}:event-bus/bus-trading-events-dev" for region in BOTH
    ]


def test_a01_replication_is_on_and_has_its_role(resource, view):
    endpoint = resource("endpoint", PRIMARY, "TradingEndpoint")
    assert endpoint["ReplicationConfig"] == {"State": "ENABLED"}
    role = view.find(endpoint["RoleArn"])
    allowed = role_statements(role.resource.properties)
    buses = [each["EventBusArn"] for each in endpoint["EventBuses"]]
    assert allowed["Replicate"]["Resource"] == buses
    assert allowed["PassItself"]["Resource"] == [role.resource.arn]
    assert allowed["PassItself"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "events.amazonaws.com"}
    }


def test_a01_the_health_check_follows_the_documented_alarm(resource):
    check = resource("endpoint", PRIMARY, "TradingHealthCheck")["HealthCheckConfig"]
    alarm = resource("endpoint", PRIMARY, "TradingIngestionAlarm")
    assert check["Type"] == "CLOUDWATCH_METRIC"
    assert check["AlarmIdentifier"] == {"Name": alarm["AlarmName"], "Region": PRIMARY}
    assert check["InsufficientDataHealthStatus"] == "Unhealthy"
    documented = {
        "Namespace": "AWS/Events",
        "MetricName": "IngestionToInvocationStartLatency",
        "Statistic": "Average",
        "Period": 60,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "breaching",
    }
    assert {key: alarm[key] for key in documented} == documented
    assert (int(alarm["EvaluationPeriods"]), int(alarm["Threshold"])) == (5, 30000)
    assert not alarm.get("Dimensions")


def test_a01_an_edited_alarm_gets_another_name_so_that_the_health_check_follows(committed):
    name = committed["endpoint"]["Resources"]["TradingIngestionAlarm"]["Properties"]["AlarmName"]
    assert "${IngestionLatencyMs}" in name["Fn::Sub"]
    assert "${UnhealthyMinutes}" in name["Fn::Sub"]


def test_a01_id_and_url_are_put_out(committed):
    outputs = committed["endpoint"]["Outputs"]
    assert outputs["EndpointId"]["Value"] == {"Fn::GetAtt": ["TradingEndpoint", "EndpointId"]}
    assert outputs["EndpointUrl"]["Value"] == {"Fn::GetAtt": ["TradingEndpoint", "EndpointUrl"]}


def test_a02_both_regions_have_the_same_bus_rule_function_and_queues(view):
    def named(region):
        kinds = ("Events::EventBus", "Events::Rule", "Lambda::Function", "SQS::Queue")
        return {
            (each.resource.type, each.resource.name)
            for each in view.resources(*(f"AWS::{kind}" for kind in kinds))
            if each.stack.region == region
        }

    assert named(PRIMARY) == named(STANDBY)
    assert ("AWS::Events::EventBus", "bus-trading-events-dev") in named(PRIMARY)


@pytest.mark.parametrize("region", BOTH)
def test_a03_the_rule_retries_three_times_in_a_day_and_then_dead_letters(resource, region):
    rule = resource("bus", region, "ProcessingRule")
    assert rule["EventPattern"] == {"source": ["trading-system"]}
    (target,) = rule["Targets"]
    assert target["Arn"] == (
        f"arn:aws:lambda:{region}:{ACCOUNT}:function:function-trading-processor-dev:live"
    )
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 86400}
    assert target["DeadLetterConfig"] == {"Arn": f"arn:aws:sqs:{region}:{ACCOUNT}:{DELIVERY}"}


@pytest.mark.parametrize("region", BOTH)
def test_a03_the_delivery_queue_admits_only_that_rule_and_keeps_for_two_weeks(resource, region):
    assert resource("bus", region, "UndeliveredQueue")["MessageRetentionPeriod"] == TWO_WEEKS
    policy = statements(resource("bus", region, "UndeliveredQueuePolicy"))
    (allowed,) = [each for each in policy if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Action"] == ["sqs:SendMessage"]
    assert allowed["Condition"]["ArnEquals"] == {
        "aws:SourceArn": f"arn:aws:events:{region}:{ACCOUNT}:{RULE}"
    }


@pytest.mark.parametrize("region", BOTH)
def test_a04_what_processing_fails_on_lands_in_a_second_queue(resource, region):
    failing = resource("processing", region, "ProcessorFailures")
    assert failing["Qualifier"] == "live"
    assert failing["MaximumRetryAttempts"] == 2
    assert failing["DestinationConfig"] == {
        "OnFailure": {"Destination": f"arn:aws:sqs:{region}:{ACCOUNT}:{FAILED}"}
    }
    assert resource("processing", region, "FailedQueue")["MessageRetentionPeriod"] == TWO_WEEKS


@pytest.mark.parametrize("region", BOTH)
@pytest.mark.parametrize("queue", [DELIVERY, FAILED])
def test_a04_one_message_in_either_queue_tells_a_person(view, region, queue):
    (alarm,) = [
        each.resource.properties
        for each in view.resources("AWS::CloudWatch::Alarm")
        if each.stack.region == region
        and each.resource.properties.get("Dimensions") == [{"Name": "QueueName", "Value": queue}]
    ]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    (topic,) = [view.find(action) for action in alarm["AlarmActions"]]
    assert topic.stack.region == region
    subscriptions = [
        each.resource.properties
        for each in view.resources("AWS::SNS::Subscription")
        if each.resource.properties["TopicArn"] == topic.resource.arn
    ]
    assert [each["Protocol"] for each in subscriptions] == ["email"]


@pytest.mark.parametrize("region", BOTH)
def test_a05_the_processor_traces_and_names_its_service(resource, region):
    function = resource("processing", region, "ProcessorFunction")
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["Environment"]["Variables"] == {
        "POWERTOOLS_METRICS_NAMESPACE": "TradingSystem",
        "POWERTOOLS_SERVICE_NAME": "trading-event-processor",
        "TABLE_NAME": "table-trading-transactions-dev",
    }


@pytest.mark.parametrize("region", BOTH)
def test_a05_a_slow_processor_rings_at_one_second(resource, region):
    slow = resource("processing", region, "ProcessorSlowAlarm")
    assert (slow["MetricName"], slow["ExtendedStatistic"], slow["Threshold"]) == (
        "Duration",
        "p99",
        1000,
    )


def test_a06_the_table_is_strongly_consistent_in_both_regions_with_a_witness(resource, manifest):
    table = resource("table", STANDBY, "TransactionsTable")
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert [replica["Region"] for replica in table["Replicas"]] == list(BOTH)
    assert table["GlobalTableWitnesses"] == [{"Region": WITNESS}]
    assert table["MultiRegionConsistency"] == "STRONG"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    for replica in table["Replicas"]:
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert manifest["objectives"]["rpo_seconds"] == 0


def test_a06_the_table_is_retained(committed):
    table = committed["table"]["Resources"]["TransactionsTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize("region", BOTH)
def test_a07_the_processor_may_do_four_things(resource, region):
    allowed = role_statements(resource("processing", region, "ProcessorRole"))
    log = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:/aws/lambda/function-trading-processor-dev:*"
    assert {sid: (each["Action"], each["Resource"]) for sid, each in allowed.items()} == {
        "PutItems": (
            ["dynamodb:PutItem"],
            [f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/table-trading-transactions-dev"],
        ),
        "SendFailures": (["sqs:SendMessage"], [f"arn:aws:sqs:{region}:{ACCOUNT}:{FAILED}"]),
        "WriteOwnLog": (["logs:CreateLogStream", "logs:PutLogEvents"], [log]),
        "Trace": (["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]),
    }


def test_a08_each_component_is_its_own_stack(manifest):
    names = [stack["name"] for stack in manifest["stacks"]]
    assert {"endpoint", "bus", "processing", "table", "monitoring"} <= set(names)
    assert names.index("endpoint") > names.index("bus") > names.index("processing")


@pytest.mark.parametrize("region", BOTH)
def test_a09_the_dashboard_shows_what_comes_in_and_what_becomes_of_it(resource, region):
    body = json.loads(resource("monitoring", region, "TradingDashboard")["DashboardBody"])
    lines = [line for widget in body["widgets"] for line in widget["properties"]["metrics"]]
    shown = {(line[1], line[-1]["stat"]) for line in lines}
    assert {
        ("MatchedEvents", "Sum"),
        ("EventsProcessed", "Sum"),
        ("Errors", "Sum"),
        ("ProcessingTime", "p50"),
        ("ProcessingTime", "p99"),
        ("HealthCheckStatus", "Minimum"),
    } <= shown
    queues = {line[3] for line in lines if line[0] == "AWS/SQS"}
    assert queues == {DELIVERY, FAILED}
    own = {
        w["properties"]["region"]
        for w in body["widgets"]
        if "Endpoint" not in w["properties"]["title"]
    }
    assert own == {region}


def test_a10_there_is_a_producer_client(root):
    assert (root / "handlers" / "trading_producer" / "README.md").is_file()
    assert (root / "handlers" / "trading_producer" / "__main__.py").is_file()
