"""Resource types that the engine lacks or half knows: created, updated in place, deleted."""

import io
import json
import zipfile
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY, eventually
from local.stack_sets import StackSet, refusal

ROLE = "arn:aws:iam::123456789012:role/any"
UNIQUE = uuid4().hex[:8]
BUS = f"bus-{UNIQUE}"


def template(kind, properties, attribute=None, **others):
    """A template of one resource and `others`; its output is the resource's Ref or attribute."""
    value = {"Fn::GetAtt": ["It", attribute]} if attribute else {"Ref": "It"}
    it = {"It": {"Type": kind, "Properties": properties}}
    return json.dumps({"Resources": it | others, "Outputs": {"It": {"Value": value}}})


@pytest.fixture
def made(clients):
    """Roll out a template to the primary region; give the stack set."""

    def make(body):
        return StackSet(clients, TemplateBody=body).create(PRIMARY)

    return make


def output(stack_set):
    return stack_set.stack()["Outputs"][0]["OutputValue"]


def update(stack_set, body):
    operation = stack_set.run("update_stack_set", TemplateBody=body)
    assert operation["Status"] == "SUCCEEDED", stack_set.results(operation)


@pytest.fixture(scope="module")
def buses(clients):
    for region in (PRIMARY, SECONDARY):
        clients("events", region).create_event_bus(Name=BUS)
    account = clients.engine.account
    return [f"arn:aws:events:{each}:{account}:event-bus/{BUS}" for each in (PRIMARY, SECONDARY)]


class TestEndpoint:
    def properties(self, buses, **changes):
        check = {"HealthCheck": "arn:aws:route53:::healthcheck/none"}
        routing = {"Primary": check, "Secondary": {"Route": SECONDARY}}
        return {
            "Name": f"endpoint-{UNIQUE}",
            "EventBuses": [{"EventBusArn": arn} for arn in buses],
            "RoutingConfig": {"FailoverConfig": routing},
            "ReplicationConfig": {"State": "ENABLED"},
            "RoleArn": ROLE,
            **changes,
        }

    def test_it_comes_changes_and_goes(self, made, clients, buses):
        kind, events = "AWS::Events::Endpoint", clients("events")
        stack_set = made(template(kind, self.properties(buses), "EndpointId"))
        name = output(stack_set)
        assert events.describe_endpoint(Name=name)["State"] == "ACTIVE"
        off = self.properties(buses, ReplicationConfig={"State": "DISABLED"})
        update(stack_set, template(kind, off, "EndpointId"))
        found = events.describe_endpoint(Name=name)
        assert found["ReplicationConfig"] == {"State": "DISABLED"}
        stack_set.delete(PRIMARY)
        assert refusal(events.describe_endpoint, Name=name) == "ResourceNotFoundException"

    @pytest.mark.parametrize(
        "change",
        [
            lambda buses: {"EventBuses": [{"EventBusArn": buses[0]}]},
            lambda buses: {"EventBuses": [{"EventBusArn": f"{arn}x"} for arn in buses]},
            lambda _: {
                "RoutingConfig": {
                    "FailoverConfig": {
                        "Primary": {"HealthCheck": "x"},
                        "Secondary": {"Route": "eu-west-1"},
                    }
                }
            },
        ],
        ids=["one-bus", "no-such-bus", "foreign-route"],
    )
    def test_it_needs_two_buses_and_a_route_to_one(self, clients, buses, change):
        body = template("AWS::Events::Endpoint", self.properties(buses, **change(buses)))
        stack_set = StackSet(clients, TemplateBody=body)
        assert stack_set.run("create_stack_instances", PRIMARY)["Status"] == "FAILED"

    def test_an_unknown_one_takes_no_events(self, clients):
        entry = {"Source": "s", "DetailType": "d", "Detail": "{}"}
        call = clients("events").put_events
        found = refusal(call, Entries=[entry], EndpointId="nobody.abc")
        assert found == "ResourceNotFoundException"


def test_archive_comes_changes_and_goes(made, clients, buses):
    kind, events, name = "AWS::Events::Archive", clients("events"), f"archive-{UNIQUE}"
    properties = {
        "ArchiveName": name,
        "SourceArn": buses[0],
        "EventPattern": {"source": ["a"]},
        "RetentionDays": "3",
    }
    stack_set = made(template(kind, properties, "Arn"))
    assert output(stack_set).endswith(f"archive/{name}")
    assert events.describe_archive(ArchiveName=name)["RetentionDays"] == 3
    update(stack_set, template(kind, properties | {"RetentionDays": 4}))
    found = events.describe_archive(ArchiveName=name)
    assert (found["RetentionDays"], json.loads(found["EventPattern"])) == (4, {"source": ["a"]})
    stack_set.delete(PRIMARY)
    assert refusal(events.describe_archive, ArchiveName=name) == "ResourceNotFoundException"


def test_health_check_comes_changes_and_goes(made, clients):
    kind, route53 = "AWS::Route53::HealthCheck", clients("route53")
    config = {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Name": "any", "Region": PRIMARY},
        "InsufficientDataHealthStatus": "Unhealthy",
    }
    tags = {"HealthCheckTags": [{"Key": "Owner", "Value": "tests"}]}
    stack_set = made(template(kind, {"HealthCheckConfig": config, **tags}))
    known = {"HealthCheckId": output(stack_set)}
    found = route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=output(stack_set))
    assert found["ResourceTagSet"]["Tags"] == tags["HealthCheckTags"]
    inverted = {"HealthCheckConfig": config | {"Inverted": "true"}, **tags}
    update(stack_set, template(kind, inverted))
    assert {"HealthCheckId": output(stack_set)} == known
    assert route53.get_health_check(**known)["HealthCheck"]["HealthCheckConfig"]["Inverted"] is True
    stack_set.delete(PRIMARY)
    assert refusal(route53.get_health_check, **known) == "NoSuchHealthCheck"


def test_schedule_puts_its_event_at_once_and_keeps_all_it_says(made, clients, buses):
    kind, scheduler, name = "AWS::Scheduler::Schedule", clients("scheduler"), f"s-{UNIQUE}"
    events, sqs = clients("events"), clients("sqs")
    queue = sqs.create_queue(QueueName=f"q-{UNIQUE}")["QueueUrl"]
    pattern = json.dumps({"source": ["clock"]})
    events.put_rule(Name=f"r-{UNIQUE}", EventBusName=BUS, EventPattern=pattern)
    arn = f"arn:aws:sqs:{PRIMARY}:{clients.engine.account}:q-{UNIQUE}"
    events.put_targets(Rule=f"r-{UNIQUE}", EventBusName=BUS, Targets=[{"Id": "q", "Arn": arn}])
    target = {
        "Arn": buses[0],
        "RoleArn": ROLE,
        "EventBridgeParameters": {"Source": "clock", "DetailType": "Tick"},
        "Input": json.dumps({"n": 1}),
        "RetryPolicy": {"MaximumRetryAttempts": "2"},
    }
    properties = {
        "Name": name,
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }
    stack_set = made(template(kind, properties))
    message = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))[0]
    said = json.loads(message["Body"])
    assert (said["source"], said["detail-type"], said["detail"]) == ("clock", "Tick", {"n": 1})
    found = scheduler.get_schedule(Name=name)["Target"]["RetryPolicy"]
    assert found["MaximumRetryAttempts"] == 2
    update(stack_set, template(kind, properties | {"State": "DISABLED"}))
    assert scheduler.get_schedule(Name=name)["State"] == "DISABLED"
    stack_set.delete(PRIMARY)
    assert refusal(scheduler.get_schedule, Name=name) == "ResourceNotFoundException"


def test_topic_keeps_its_key(made, clients):
    kind, sns = "AWS::SNS::Topic", clients("sns")
    stack_set = made(template(kind, {"KmsMasterKeyId": "alias/one"}))

    def key():
        asked = {"TopicArn": output(stack_set)}
        return sns.get_topic_attributes(**asked)["Attributes"]["KmsMasterKeyId"]

    assert key() == "alias/one"
    update(stack_set, template(kind, {"KmsMasterKeyId": "alias/two"}))
    assert key() == "alias/two"


def test_bucket_keeps_its_lifecycle(made, clients):
    kind, s3, name = "AWS::S3::Bucket", clients("s3"), f"bucket-{UNIQUE}"

    def body(days):
        rule = {
            "Id": "old",
            "Status": "Enabled",
            "NoncurrentVersionExpirationInDays": days,
            "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": 90}],
        }
        versions = {"VersioningConfiguration": {"Status": "Enabled"}}
        lifecycle = {"LifecycleConfiguration": {"Rules": [rule]}}
        return template(kind, {"BucketName": name} | versions | (lifecycle if days else {}))

    stack_set = made(body("30"))
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    found = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]
    assert found["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert found["Transitions"] == [{"Days": 90, "StorageClass": "STANDARD_IA"}]
    update(stack_set, body(0))
    gone = refusal(s3.get_bucket_lifecycle_configuration, Bucket=name)
    assert gone == "NoSuchLifecycleConfiguration"
    stack_set.delete(PRIMARY)
    assert refusal(s3.head_bucket, Bucket=name) == "404"


CODE = "class Unwell(Exception): ...\ndef handler(event, context):\n"


@pytest.fixture(scope="module")
def packages(clients):
    """Upload code that works and code that fails; give the bucket."""
    s3, bucket = clients("s3"), f"code-{UNIQUE}"
    s3.create_bucket(Bucket=bucket)
    for name, body in {"good": "    return event", "bad": "    raise Unwell('no')"}.items():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", CODE + body + "\n")
        s3.put_object(Bucket=bucket, Key=name, Body=packed.getvalue())
    return bucket


class TestFunction:
    def properties(self, packages, key, **changes):
        return {
            "Code": {"S3Bucket": packages, "S3Key": key},
            "Handler": "app.handler",
            "Runtime": "python3.14",
            "Role": ROLE,
            "ReservedConcurrentExecutions": "3",
            **changes,
        }

    def test_it_runs_and_keeps_its_concurrency(self, made, clients, packages):
        kind, functions = "AWS::Lambda::Function", clients("lambda")
        stack_set = made(template(kind, self.properties(packages, "good")))
        name = {"FunctionName": output(stack_set)}
        answer = functions.invoke(**name, Payload=json.dumps({"n": 1}))
        assert json.load(answer["Payload"]) == {"n": 1}
        found = functions.get_function_concurrency(**name)
        assert found["ReservedConcurrentExecutions"] == 3
        changed = self.properties(packages, "bad", ReservedConcurrentExecutions=4)
        update(stack_set, template(kind, changed))
        answer = functions.invoke(**name, Payload="{}")
        assert json.load(answer["Payload"])["errorType"] == "Unwell"
        found = functions.get_function_concurrency(**name)
        assert found["ReservedConcurrentExecutions"] == 4
        del changed["ReservedConcurrentExecutions"]
        update(stack_set, template(kind, changed))
        assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(**name)
        stack_set.delete(PRIMARY)
        assert refusal(functions.get_function, **name) == "ResourceNotFoundException"

    def test_code_that_is_not_there_fails_the_stack(self, clients, packages):
        body = template("AWS::Lambda::Function", self.properties(packages, "missing"))
        stack_set = StackSet(clients, TemplateBody=body)
        operation = stack_set.run("create_stack_instances", PRIMARY)
        assert "NoSuchKey" in stack_set.results(operation)[PRIMARY]["StatusReason"]

    def test_a_version_is_of_the_code_it_names(self, clients, packages):
        function = {
            "Type": "AWS::Lambda::Function",
            "Properties": self.properties(packages, "good"),
        }
        version = {"FunctionName": {"Ref": "Function"}, "CodeSha256": "x" * 43 + "="}
        body = template("AWS::Lambda::Version", version, Function=function)
        stack_set = StackSet(clients, TemplateBody=body)
        operation = stack_set.run("create_stack_instances", PRIMARY)
        reason = stack_set.results(operation)[PRIMARY]["StatusReason"]
        assert "is different from current CodeSHA256 in $LATEST" in reason

    def test_an_asynchronous_failure_is_parked_with_its_dead_letter(self, made, clients, packages):
        sqs, functions = clients("sqs"), clients("lambda")
        urls, arns = [], []
        for name in ("failed", "dead"):
            urls.append(sqs.create_queue(QueueName=f"{name}-{UNIQUE}")["QueueUrl"])
            arns.append(f"arn:aws:sqs:{PRIMARY}:{clients.engine.account}:{name}-{UNIQUE}")
        settings = {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "It"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 1,
                "DestinationConfig": {"OnFailure": {"Destination": arns[0]}},
            },
        }
        properties = self.properties(packages, "bad", DeadLetterConfig={"TargetArn": arns[1]})
        stack_set = made(template("AWS::Lambda::Function", properties, Settings=settings))
        functions.invoke(
            FunctionName=output(stack_set), InvocationType="Event", Payload=json.dumps({"n": 1})
        )
        parked = [
            json.loads(
                eventually(lambda url=url: sqs.receive_message(QueueUrl=url).get("Messages"))[0][
                    "Body"
                ]
            )
            for url in urls
        ]
        assert parked[0]["requestContext"]["approximateInvokeCount"] == 2
        assert parked[0]["responsePayload"] == {"errorMessage": "no", "errorType": "Unwell"}
        assert parked[1] == {"n": 1}


def test_a_type_that_is_not_simulated_is_accepted_and_said_so(made, engine, clients):
    body = template("AWS::SSM::Document", {"Content": {}})
    stack_set = made(body)
    assert output(stack_set).startswith("not-simulated-")
    assert stack_set.delete(PRIMARY)["Status"] == "SUCCEEDED"


def test_conditions_know_their_region(clients):
    queue = {"Type": "AWS::SQS::Queue", "Condition": "IsPrimary"}
    always = {"Type": "AWS::SQS::Queue"}
    body = {
        "Mappings": {"Of": {"us-east-1": {"Role": "primary"}, "us-west-2": {"Role": "standby"}}},
        "Conditions": {
            "IsPrimary": {
                "Fn::Equals": [{"Fn::FindInMap": ["Of", {"Ref": "AWS::Region"}, "Role"]}, "primary"]
            }
        },
        "Resources": {"Queue": queue, "Always": always},
    }
    made = StackSet(clients, TemplateBody=json.dumps(body)).create()
    found = {
        region: {
            each["LogicalResourceId"]
            for each in clients("cloudformation", region).list_stack_resources(
                StackName=made.instance(region)["StackId"]
            )["StackResourceSummaries"]
        }
        for region in (PRIMARY, SECONDARY)
    }
    assert found == {PRIMARY: {"Queue", "Always"}, SECONDARY: {"Always"}}
