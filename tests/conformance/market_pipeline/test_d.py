"""D-01 … D-10: what market-pipeline must be, on the templates that ship."""

import json

import pytest
from conformance.committed import property_finder, view_of

PRIMARY, SECONDARY = "us-east-1", "us-west-2"
BOTH = (PRIMARY, SECONDARY)
ACCOUNT = "111122223333"
TWO_WEEKS = 14 * 24 * 3600
STEPS = ("Validation", "Enrichment", "Storage", "Compensation")
JWT = {"JwtIssuer": "https://login.example.com/", "JwtAudience": "market"}

each_region = pytest.mark.parametrize("region", BOTH)


def arn(service, region, resource):
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def table_arn(region):
    return arn("dynamodb", region, "table/table-market-events-dev")


def granted(role):
    """What a role may do beside its log, its traces and its network interfaces."""
    (policy,) = role["Policies"]
    return {
        (action, resource)
        for each in policy["PolicyDocument"]["Statement"]
        for action in each["Action"]
        for resource in each["Resource"]
        if each["Effect"] == "Allow" and action.split(":")[0] not in {"ec2", "logs", "xray"}
    }


def tasks(states):
    for name, state in states.items():
        for branch in state.get("Branches", ()):
            yield from tasks(branch["States"])
        if state["Type"] == "Task":
            yield name, state


@pytest.fixture
def states(resource):
    return resource("processing", PRIMARY, "PipelineMachine")["Definition"]["States"]


# --- D-01: the door -------------------------------------------------------------------------------


@each_region
def test_d01_post_ingest_goes_to_the_ingestion_function_and_on_to_the_bus(resource, view, region):
    route = resource("ingestion", region, "IngestionRoute")
    assert route["RouteKey"] == "POST /ingest"
    integration = resource("ingestion", region, "IngestionIntegration")
    assert integration["IntegrationType"] == "AWS_PROXY"
    assert integration["PayloadFormatVersion"] == "2.0"
    live = arn("lambda", region, "function:function-market-ingestion-dev:live")
    assert integration["IntegrationUri"] == live
    function = resource("ingestion", region, "IngestionFunction")
    assert function["Environment"]["Variables"]["BUS_NAME"] == "bus-market-events-dev"
    assert view.find(arn("events", region, "event-bus/bus-market-events-dev"))


@each_region
@pytest.mark.parametrize(
    "settings", [{}, {"JwtIssuer": JWT["JwtIssuer"]}, {"JwtAudience": "market"}], ids=str
)
def test_d01_without_issuer_and_audience_the_route_demands_iam(
    manifest, committed, region, settings
):
    resource = property_finder(view_of(manifest, committed, **settings))
    route = resource("ingestion", region, "IngestionRoute")
    assert route["AuthorizationType"] == "AWS_IAM"
    assert "AuthorizerId" not in route
    variables = resource("ingestion", region, "IngestionFunction")["Environment"]["Variables"]
    assert variables["AUTHORIZATION"] == "IAM"


@each_region
def test_d01_with_both_it_demands_their_tokens(manifest, committed, region):
    view = view_of(manifest, committed, **JWT)
    resource = property_finder(view)
    route = resource("ingestion", region, "IngestionRoute")
    assert route["AuthorizationType"] == "JWT"
    authorizer = view.stack("ingestion", region).resources["IngestionAuthorizer"]
    assert route["AuthorizerId"] == authorizer.ref
    assert authorizer.properties["JwtConfiguration"] == {
        "Issuer": JWT["JwtIssuer"], "Audience": [JWT["JwtAudience"]],
    }  # fmt: skip
    variables = resource("ingestion", region, "IngestionFunction")["Environment"]["Variables"]
    assert variables["AUTHORIZATION"] == "JWT"
    assert variables["JWT_ISSUER"] == JWT["JwtIssuer"]


def test_d01_no_parameter_can_open_it(committed):
    route = committed["ingestion"]["Resources"]["IngestionRoute"]["Properties"]
    assert route["AuthorizationType"] == {"Fn::If": ["HasJwt", "JWT", "AWS_IAM"]}
    assert len([r for r in committed["ingestion"]["Resources"].values()
                if r["Type"] == "AWS::ApiGatewayV2::Route"]) == 1  # fmt: skip


@each_region
def test_d01_only_that_route_may_invoke_the_function(resource, view, region):
    permission = resource("ingestion", region, "IngestionPermission")
    api = view.stack("ingestion", region).resources["IngestionApi"].ref
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"] == arn("execute-api", region, f"{api}/*/POST/ingest")


@each_region
def test_d01_requests_are_throttled_and_logged_without_what_they_carry(resource, region):
    stage = resource("ingestion", region, "IngestionStage")
    assert int(stage["DefaultRouteSettings"]["ThrottlingRateLimit"]) > 0
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "status"} <= set(logged)
    assert not [v for v in logged.values() if "authorizer." in v or "header" in v or "body" in v]


# --- D-02: from the bus to the machine ------------------------------------------------------------


@each_region
def test_d02_trades_and_quotes_start_the_machine_with_retries_and_dead_letters(resource, region):
    rule = resource("events", region, "PipelineRule")
    assert rule["EventPattern"] == {
        "source": ["market.data"],
        "detail-type": ["market.event"],
        "detail": {"type": ["trade", "quote"]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == arn("states", region, "stateMachine:machine-market-pipeline-dev")
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    assert target["DeadLetterConfig"] == {"Arn": arn("sqs", region, "queue-market-undelivered-dev")}
    assert resource("events", region, "UndeliveredQueue")["MessageRetentionPeriod"] == TWO_WEEKS


@each_region
def test_d02_the_archive_keeps_all_of_the_source_for_thirty_days(resource, region):
    archive = resource("events", region, "MarketArchive")
    assert archive["SourceArn"] == arn("events", region, "event-bus/bus-market-events-dev")
    assert archive["RetentionDays"] == 30
    assert archive["EventPattern"] == {"source": ["market.data"]}


# --- D-03: the machine ----------------------------------------------------------------------------


def test_d03_validation_comes_first_and_retries_twice_from_two_seconds(resource, states):
    definition = resource("processing", PRIMARY, "PipelineMachine")["Definition"]
    assert definition["StartAt"] == "Validate"
    retry, until_ready = states["Validate"]["Retry"]
    assert all(error.startswith("Lambda.") for error in until_ready["ErrorEquals"])
    assert (retry["IntervalSeconds"], retry["MaxAttempts"], retry["BackoffRate"]) == (2, 2, 2)
    assert not {"InvalidEvent", "EventIdReused", "States.ALL"} & set(retry["ErrorEquals"])


def test_d03_an_invalid_event_reaches_neither_store_nor_compensation(states):
    first = states["Validate"]["Catch"][0]
    assert first["ErrorEquals"] == ["InvalidEvent", "EventIdReused"]
    path = [first["Next"]]
    while "Next" in states[path[-1]]:
        path.append(states[path[-1]]["Next"])
    assert path == ["Reject", "Rejected"]
    assert states["Rejected"]["Type"] == "Fail"


def test_d03_enrichment_and_storage_run_at_once_after_it(states):
    assert states["Validate"]["Next"] == "IsRecorded"
    assert states["IsRecorded"]["Default"] == "EnrichAndStore"
    called = [
        task["Parameters"]["FunctionName"].split(":")[6]
        for branch in states["EnrichAndStore"]["Branches"]
        for _, task in tasks(branch["States"])
    ]
    assert called == ["function-market-enrichment-dev", "function-market-storage-dev"]


@pytest.mark.parametrize("state", ["EnrichAndStore", "Record"])
def test_d03_a_failure_after_validation_is_compensated_and_ends_visibly_failed(states, state):
    (catch,) = states[state]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "Compensate")
    seen, todo = set(), ["Compensate"]
    while todo:
        name = todo.pop()
        seen.add(name)
        following = states[name]
        todo += [each["Next"] for each in following.get("Catch", ())]
        todo += [following["Next"]] if "Next" in following else []
        if "Next" not in following:
            assert following["Type"] == "Fail", name
    assert {"Compensated", "CompensationFailed"} <= seen


def test_d03_every_task_is_bounded_and_outlives_its_function(states, resource):
    found = dict(tasks(states))
    assert len(found) == 9
    for name, task in found.items():
        function = task["Parameters"].get("FunctionName", "").split(":")[6:7]
        own = 0
        if function:
            title = function[0].split("-")[2].title()
            own = resource("processing", PRIMARY, f"{title}Function")["Timeout"]
        assert task["TimeoutSeconds"] > own, name


@each_region
def test_d03_it_is_traced_and_logged_in_full_without_data(resource, region):
    machine = resource("processing", region, "PipelineMachine")
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_d03_the_definition_is_an_object(committed):
    machine = committed["processing"]["Resources"]["PipelineMachine"]["Properties"]
    assert isinstance(machine["Definition"], dict)
    assert not {"DefinitionString", "DefinitionSubstitutions"} & set(machine)


# --- D-04: five functions, five roles -------------------------------------------------------------


@each_region
def test_d04_each_function_may_do_its_own_and_no_more(resource, view, region):
    table, key = table_arn(region), view.stack("alerts", region).outputs["AlarmKeyArn"]
    wanted = {
        "Validation": {("dynamodb:GetItem", table)},
        "Enrichment": {("dynamodb:Query", f"{table}/index/GSI1")},
        "Storage": {
            ("dynamodb:PutItem", table),
            ("s3:PutObject", f"arn:aws:s3:::bucket-market-audit-dev-{region}-{ACCOUNT}/events/*"),
        },
        "Compensation": {
            ("dynamodb:UpdateItem", table),
            ("sns:Publish", arn("sns", region, "topic-market-alarms-dev")),
            ("kms:Decrypt", key),
            ("kms:GenerateDataKey", key),
        },
    }
    assert {
        step: granted(resource("processing", region, f"{step}Role")) for step in STEPS
    } == wanted
    assert granted(resource("ingestion", region, "IngestionRole")) == {
        ("events:PutEvents", arn("events", region, "event-bus/bus-market-events-dev"))
    }


def test_d04_no_code_may_make_network_interfaces_though_lambda_must(resource):
    for stack, title in [("ingestion", "Ingestion"), *(("processing", step) for step in STEPS)]:
        (policy,) = resource(stack, PRIMARY, f"{title}Role")["Policies"]
        (denied,) = [
            each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"
        ]
        name = f"function-market-{title.lower()}-dev"
        assert denied["Condition"] == {
            "ArnEquals": {"lambda:SourceFunctionArn": arn("lambda", PRIMARY, f"function:{name}")}
        }
        assert len(denied["Action"]) == 6


def test_d04_five_functions_run_five_packages(manifest):
    assert sorted(manifest["packages"]) == [
        "market-compensation", "market-enrichment", "market-ingestion", "market-storage",
        "market-validation",
    ]  # fmt: skip
    assert len({each["sha256"] for each in manifest["packages"].values()}) == 5


# --- D-05 … D-10 ----------------------------------------------------------------------------------


def test_d05_one_table_with_two_indexes_in_both_regions(manifest, resource):
    (data,) = [each for each in manifest["stacks"] if each["name"] == "data"]
    assert data["regions"] == [SECONDARY]
    table = resource("data", SECONDARY, "EventsTable")
    assert table["TableName"] == "table-market-events-dev"
    assert [each["AttributeName"] for each in table["KeySchema"]] == ["PK", "SK"]
    assert {
        index["IndexName"]: [each["AttributeName"] for each in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    } == {"GSI1": ["GSI1PK", "GSI1SK"], "TimeSeriesIndex": ["TS_PK", "TS_SK"]}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert [replica["Region"] for replica in table["Replicas"]] == [*BOTH]
    for replica in table["Replicas"]:
        recovery = replica["PointInTimeRecoverySpecification"]
        assert recovery["PointInTimeRecoveryEnabled"] is True
    for region in BOTH:
        assert region not in table["TableName"]


@each_region
def test_d06_public_private_and_isolated_subnets_in_three_zones(view, region):
    network = view.stack("network", region)
    subnets = [r for r in network.resources.values() if r.type == "AWS::EC2::Subnet"]
    assert len(subnets) == 9
    assert not [s for s in subnets if s.properties.get("MapPublicIpOnLaunch")]
    names = [{t["Key"]: t["Value"] for t in s.properties["Tags"]}["Name"] for s in subnets]
    for tier in ("public", "private", "isolated"):
        assert len([name for name in names if f"-{tier}-" in name]) == 3


@each_region
def test_d06_nat_and_endpoints(view, region):
    resources = view.stack("network", region).resources.values()
    assert [r for r in resources if r.type == "AWS::EC2::NatGateway"]
    endpoints = {
        r.properties["ServiceName"].split(".")[-1]: r.properties["VpcEndpointType"]
        for r in resources
        if r.type == "AWS::EC2::VPCEndpoint"
    }
    assert endpoints == {
        "dynamodb": "Gateway", "s3": "Gateway", "events": "Interface", "sns": "Interface",
    }  # fmt: skip
    assert [r for r in resources if r.type == "AWS::EC2::FlowLog"]


@each_region
def test_d06_functions_run_in_private_subnets_of_their_own_region(resource, view, region):
    outputs = view.stack("network", region).outputs
    subnets = [outputs[f"PrivateSubnet{zone}"] for zone in "ABC"]
    for stack, title in [("ingestion", "Ingestion"), *(("processing", step) for step in STEPS)]:
        config = resource(stack, region, f"{title}Function")["VpcConfig"]
        assert config == {
            "SecurityGroupIds": [outputs["FunctionGroupId"]], "SubnetIds": subnets
        }  # fmt: skip


@each_region
def test_d07_what_is_given_up_is_kept_and_rings(resource, states, region):
    failed = resource("processing", region, "FailedQueue")
    assert failed["MessageRetentionPeriod"] == TWO_WEEKS
    parked = {
        task["Parameters"]["QueueUrl"].rsplit("/", 1)[1]
        for _, task in tasks(states)
        if task["Resource"].endswith("sqs:sendMessage")
    }
    assert parked == {"queue-market-failed-dev"}
    topic = arn("sns", region, "topic-market-alarms-dev")
    for stack, title in (
        ("processing", "FailedNotEmptyAlarm"),
        ("processing", "PipelineFailedAlarm"),
        ("processing", "CompensationErrorsAlarm"),
        ("events", "UndeliveredNotEmptyAlarm"),
        ("ingestion", "IngestionErrorsAlarm"),
    ):
        alarm = resource(stack, region, title)
        assert (alarm["Threshold"], alarm["AlarmActions"]) == (0, [topic]), title


@pytest.mark.parametrize(("email", "subscribed"), [("", False), ("ops@example.com", True)])
def test_d07_the_email_is_optional(manifest, committed, email, subscribed):
    alerts = view_of(manifest, committed, AlarmEmail=email).stack("alerts", PRIMARY)
    assert ("AlarmsTopicEmail" in alerts.resources) is subscribed


@each_region
def test_d08_the_audit_bucket_is_private_encrypted_versioned_and_tls_only(resource, region):
    bucket = resource("audit", region, "AuditBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    (denied,) = resource("audit", region, "AuditBucketPolicy")["PolicyDocument"]["Statement"]
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@each_region
def test_d08_storage_is_told_the_bucket_it_audits_to(resource, region):
    variables = resource("processing", region, "StorageFunction")["Environment"]["Variables"]
    bucket = resource("audit", region, "AuditBucket")
    assert variables["BUCKET_NAME"] == bucket["BucketName"]


@each_region
def test_d09_the_dashboard_shows_what_the_system_does(resource, region):
    body = json.loads(resource("monitoring", region, "MarketDashboard")["DashboardBody"])
    shown = {
        (metric[0], metric[1])
        for widget in body["widgets"]
        for metric in widget["properties"]["metrics"]
    }
    assert {
        ("AWS/Lambda", "Invocations"), ("AWS/Lambda", "Errors"), ("AWS/Lambda", "Duration"),
        ("AWS/DynamoDB", "ConsumedReadCapacityUnits"),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"),
        ("AWS/States", "ExecutionsSucceeded"), ("AWS/States", "ExecutionsFailed"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    } <= shown  # fmt: skip


@pytest.mark.parametrize(
    ("stack", "output"),
    [
        ("ingestion", "ApiUrl"), ("data", "TableName"), ("events", "BusName"),
        ("alerts", "AlarmTopicArn"), ("audit", "AuditBucketName"),
    ],
)  # fmt: skip
def test_d10_what_a_person_needs_is_put_out_and_exported(committed, stack, output):
    found = committed[stack]["Outputs"][output]
    assert found["Export"]["Name"] == {
        "Fn::Sub": f"market-pipeline-{stack}-{output}-${{EnvironmentSuffix}}-${{AWS::Region}}"
    }
