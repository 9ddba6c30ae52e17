"""The boto3 edge: request shapes against botocore's own model, and errors by their code."""

import base64
import hashlib
import io

import boto3
import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)
from botocore.response import StreamingBody
from botocore.stub import Stubber
from deploy_fakes import ACCOUNT, PRIMARY, SECONDARY, desired

from tap_templates.deploy.boto_cloud import BotoCloud
from tap_templates.deploy.cloud import Wire
from tap_templates.deploy.cloud_errors import local_error
from tap_templates.deploy.connection import connect
from tap_templates.deploy.errors import (
    AccessDeniedError,
    CloudError,
    CredentialsError,
    OperationExistsError,
    OperationInProgressError,
    StackSetExistsError,
    StackSetMissingError,
    ThrottledError,
    TransientError,
)
from tap_templates.deploy.ports import DetectingCloud, Previous, StackSetRequest

PREFERENCES = {
    "RegionConcurrencyType": "SEQUENTIAL",
    "FailureToleranceCount": 0,
    "MaxConcurrentCount": 1,
}
REQUEST = StackSetRequest(
    name="shop-app-dev",
    description="d",
    template="{}",
    template_bucket="bucket",
    template_key="templates/a.json",
    parameters={"Code": "k", "Check": Previous.VALUE},
    capabilities=("CAPABILITY_NAMED_IAM",),
    tags={"System": "shop"},
    administration_role_arn=f"arn:aws:iam::{ACCOUNT}:role/admin",
    execution_role_name="exec",
)
BODY = {
    "StackSetName": "shop-app-dev",
    "Description": "d",
    "Parameters": [
        {"ParameterKey": "Check", "UsePreviousValue": True},
        {"ParameterKey": "Code", "ParameterValue": "k"},
    ],
    "Capabilities": ["CAPABILITY_NAMED_IAM"],
    "Tags": [{"Key": "System", "Value": "shop"}],
    "AdministrationRoleARN": f"arn:aws:iam::{ACCOUNT}:role/admin",
    "ExecutionRoleName": "exec",
    "TemplateBody": "{}",
}


def sessions():
    return boto3.Session(aws_access_key_id="fake", aws_secret_access_key="fake")


class Stubbed:
    """A cloud whose clients are stubbed; answers are queued per service and region."""

    def __init__(self):
        self.wire = Wire(sessions=sessions, regions=(PRIMARY, SECONDARY))
        self.cloud = BotoCloud(wire=self.wire, account=ACCOUNT, home=SECONDARY)
        self.stubs = {}

    def stub(self, service, region):
        key = (service, region)
        if key not in self.stubs:
            self.stubs[key] = Stubber(self.wire._client(service, region))
            self.stubs[key].activate()
        return self.stubs[key]

    def expect(self, operation, answer, request, *, service="cloudformation", region=SECONDARY):
        self.stub(service, region).add_response(operation, answer, request)

    def fail(self, operation, code, *, status=400, service="cloudformation", region=SECONDARY):
        self.stub(service, region).add_client_error(operation, code, http_status_code=status)


@pytest.fixture
def aws():
    stubbed = Stubbed()
    yield stubbed
    for stub in stubbed.stubs.values():
        stub.assert_no_pending_responses()


def test_create_stack_set(aws):
    aws.expect(
        "create_stack_set",
        {"StackSetId": "x"},
        {**BODY, "PermissionModel": "SELF_MANAGED"},
    )
    aws.cloud.create_stack_set(REQUEST)


def test_update_stack_set_of_one_region(aws):
    aws.expect(
        "update_stack_set",
        {"OperationId": "tap-1"},
        {
            **BODY,
            "OperationId": "tap-1",
            "OperationPreferences": {**PREFERENCES, "RegionOrder": [PRIMARY]},
            "Accounts": [ACCOUNT],
            "Regions": [PRIMARY],
        },
    )
    aws.cloud.update_stack_set(REQUEST, regions=(PRIMARY,), operation_id="tap-1")


def test_update_stack_set_without_instances_names_no_targets(aws):
    aws.expect(
        "update_stack_set",
        {"OperationId": "tap-1"},
        {**BODY, "OperationId": "tap-1", "OperationPreferences": PREFERENCES},
    )
    aws.cloud.update_stack_set(REQUEST, regions=(), operation_id="tap-1")


def targets(*regions):
    return {
        "StackSetName": "s",
        "Accounts": [ACCOUNT],
        "Regions": [*regions],
        "OperationId": "tap-1",
        "OperationPreferences": {**PREFERENCES, "RegionOrder": [*regions]},
    }


def test_instances(aws):
    overrides = [{"ParameterKey": "K", "ParameterValue": "v"}]
    both = (PRIMARY, SECONDARY)
    answer = {"OperationId": "tap-1"}
    aws.expect("create_stack_instances", answer, targets(*both))
    aws.cloud.create_instances("s", regions=both, overrides={}, operation_id="tap-1")
    aws.expect(
        "create_stack_instances", answer, {**targets(*both), "ParameterOverrides": overrides}
    )
    aws.cloud.create_instances("s", regions=both, overrides={"K": "v"}, operation_id="tap-1")
    aws.expect(
        "update_stack_instances", answer, {**targets(PRIMARY), "ParameterOverrides": overrides}
    )
    aws.cloud.update_instances("s", regions=(PRIMARY,), overrides={"K": "v"}, operation_id="tap-1")
    aws.expect("delete_stack_instances", answer, {**targets(*both), "RetainStacks": False})
    aws.cloud.delete_instances("s", regions=both, operation_id="tap-1")
    aws.expect("delete_stack_set", {}, {"StackSetName": "s"})
    aws.cloud.delete_stack_set("s")


def test_long_templates_go_by_url(aws):
    body = aws.cloud._body(
        StackSetRequest(
            **{
                **{name: getattr(REQUEST, name) for name in REQUEST.__slots__},
                "template": "x" * 51_201,
            }
        )
    )
    assert "TemplateBody" not in body
    assert body["TemplateURL"] == f"https://s3.{SECONDARY}.amazonaws.com/bucket/templates/a.json"


def test_reading_a_stack_set_with_its_instances(aws):
    aws.expect(
        "describe_stack_set",
        {
            "StackSet": {
                "StackSetName": "s",
                "Status": "ACTIVE",
                "TemplateBody": "{}",
                "Parameters": [{"ParameterKey": "K", "ParameterValue": "v"}],
                "Tags": [{"Key": "System", "Value": "shop"}],
            }
        },
        {"StackSetName": "s"},
    )
    found = aws.cloud.stack_set("s")
    assert (found.parameters, found.tags, found.description) == ({"K": "v"}, {"System": "shop"}, "")
    summary = {"Account": ACCOUNT, "Region": PRIMARY, "Status": "CURRENT"}
    aws.expect("list_stack_instances", {"Summaries": [summary]}, {"StackSetName": "s"})
    aws.expect(
        "describe_stack_instance",
        {
            "StackInstance": {
                **summary,
                "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"},
                "StackId": "arn",
                "ParameterOverrides": [{"ParameterKey": "K", "ParameterValue": "w"}],
            }
        },
        {"StackSetName": "s", "StackInstanceAccount": ACCOUNT, "StackInstanceRegion": PRIMARY},
    )
    (instance,) = aws.cloud.instances("s")
    assert (instance.detailed_status, instance.overrides) == ("SUCCEEDED", {"K": "w"})


def test_a_deleted_or_unknown_stack_set_is_none(aws):
    aws.expect(
        "describe_stack_set",
        {"StackSet": {"StackSetName": "s", "Status": "DELETED"}},
        {"StackSetName": "s"},
    )
    assert aws.cloud.stack_set("s") is None
    aws.fail("describe_stack_set", "StackSetNotFoundException")
    assert aws.cloud.stack_set("s") is None
    aws.fail("describe_stack_set_operation", "OperationNotFoundException")
    assert aws.cloud.operation("s", "o") is None
    aws.fail("describe_stacks", "ValidationError", region=PRIMARY)
    assert aws.cloud.stack(PRIMARY, "arn") is None


def test_upload_carries_its_digest_and_reading_prefers_the_one_s3_keeps(aws):
    data, place = b"zip", {"Bucket": "b", "Key": "k", "ExpectedBucketOwner": ACCOUNT}
    kept = base64.b64encode(hashlib.sha256(data).digest()).decode()
    s3 = {"service": "s3", "region": PRIMARY}
    aws.expect("put_object", {}, {**place, "Body": data, "ChecksumSHA256": kept}, **s3)
    aws.cloud.put_object(PRIMARY, "b", "k", data=data)
    aws.expect("head_object", {"ChecksumSHA256": kept}, {**place, "ChecksumMode": "ENABLED"}, **s3)
    assert aws.cloud.object_sha256(PRIMARY, "b", "k") == hashlib.sha256(data).hexdigest()
    aws.expect("head_object", {}, {**place, "ChecksumMode": "ENABLED"}, **s3)
    aws.expect("get_object", {"Body": StreamingBody(io.BytesIO(data), len(data))}, place, **s3)
    assert aws.cloud.object_sha256(PRIMARY, "b", "k") == hashlib.sha256(data).hexdigest()
    aws.fail("head_object", "404", status=404, **s3)
    assert aws.cloud.object_sha256(PRIMARY, "b", "k") is None
    aws.fail("head_bucket", "404", status=404, **s3)
    assert not aws.cloud.bucket_exists(PRIMARY, "b")
    aws.fail("head_bucket", "403", status=403, **s3)
    with pytest.raises(AccessDeniedError):
        aws.cloud.bucket_exists(PRIMARY, "b")


def test_a_versioned_bucket_is_emptied_of_versions_and_markers(aws):
    s3, owner = (
        {"service": "s3", "region": PRIMARY},
        {"Bucket": "b", "ExpectedBucketOwner": ACCOUNT},
    )
    page = {
        "Versions": [{"Key": "a", "VersionId": "1"}],
        "DeleteMarkers": [{"Key": "a", "VersionId": "2"}],
    }
    doomed = [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}]
    aws.expect("list_object_versions", page, owner, **s3)
    aws.expect("delete_objects", {}, {**owner, "Delete": {"Objects": doomed, "Quiet": True}}, **s3)
    aws.expect("list_object_versions", {}, owner, **s3)
    assert aws.cloud.empty_bucket(PRIMARY, "b") == 2


def test_an_object_that_cannot_be_deleted_is_an_error(aws):
    s3, owner = (
        {"service": "s3", "region": PRIMARY},
        {"Bucket": "b", "ExpectedBucketOwner": ACCOUNT},
    )
    doomed = [{"Key": "a", "VersionId": "1"}]
    aws.expect("list_object_versions", {"Versions": doomed}, owner, **s3)
    refused = {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "locked"}]}
    aws.expect(
        "delete_objects", refused, {**owner, "Delete": {"Objects": doomed, "Quiet": True}}, **s3
    )
    with pytest.raises(CloudError, match="locked"):
        aws.cloud.empty_bucket(PRIMARY, "b")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("StackSetNotFoundException", 404, StackSetMissingError),
        ("NameAlreadyExistsException", 409, StackSetExistsError),
        ("OperationInProgressException", 409, OperationInProgressError),
        ("OperationIdAlreadyExistsException", 409, OperationExistsError),
        ("Throttling", 400, ThrottledError),
        ("ThrottlingException", 400, ThrottledError),
        ("SlowDown", 503, ThrottledError),
        ("InternalFailure", 500, TransientError),
        ("SomethingNew", 503, TransientError),
        ("SomethingNew", 400, CloudError),
        ("AccessDenied", 403, AccessDeniedError),
        ("ExpiredToken", 403, CredentialsError),
        ("InvalidClientTokenId", 403, CredentialsError),
        ("ValidationError", 400, CloudError),
    ],
)
def test_errors_by_code(aws, code, status, kind):
    aws.fail("delete_stack_set", code, status=status)
    with pytest.raises(CloudError) as caught:
        aws.cloud.delete_stack_set("s")
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert "delete_stack_set" in caught.value.where


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoCredentialsError(), CredentialsError),
        (ProfileNotFound(profile="x"), CredentialsError),
        (ReadTimeoutError(endpoint_url="x"), TransientError),
        (ConnectTimeoutError(endpoint_url="x"), TransientError),
        (EndpointConnectionError(endpoint_url="x"), TransientError),
    ],
)
def test_errors_on_this_side_of_the_wire(error, kind):
    assert type(local_error("here", error)) is kind


def test_no_credentials_names_the_local_target(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    cloud = connect(boto3.Session, desired(), sleep=lambda _: None, random=lambda: 0.0)
    with pytest.raises(CredentialsError) as caught:
        cloud.identity()
    assert "TARGET=local" in caught.value.remedy


def test_no_client_is_made_for_another_region():
    wire = Wire(sessions=sessions, regions=(PRIMARY, SECONDARY))
    with pytest.raises(ValueError, match="eu-north-1"):
        wire.call("eu-north-1", "sqs", "list_queues")
    assert wire.session is None


def test_the_cloud_satisfies_its_protocol():
    members = {name for name in dir(DetectingCloud) if not name.startswith("_")}
    assert members <= set(dir(BotoCloud))


def test_drift_pages_and_alarms(aws):
    request = {"StackName": "a", "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    one = {
        "StackId": "a",
        "LogicalResourceId": "L",
        "ResourceType": "T",
        "StackResourceDriftStatus": "DELETED",
        "Timestamp": 0,
    }
    aws.expect(
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": [one], "NextToken": "n"},
        request,
        region=PRIMARY,
    )
    aws.expect(
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": [one]},
        {**request, "NextToken": "n"},
        region=PRIMARY,
    )
    assert len(aws.cloud.resource_drifts(PRIMARY, "a")) == 2
    aws.expect(
        "describe_alarms",
        {"MetricAlarms": [{"AlarmName": "x", "StateValue": "ALARM"}]},
        {"AlarmNames": ["x"], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
        service="cloudwatch",
        region=PRIMARY,
    )
    (alarm,) = aws.cloud.alarms(PRIMARY, ("x",))
    assert alarm.state == "ALARM"


def test_leftovers_by_tag(aws):
    aws.expect(
        "get_resources",
        {"ResourceTagMappingList": [{"ResourceARN": "arn:b"}, {"ResourceARN": "arn:a"}]},
        {"TagFilters": [{"Key": "System", "Values": ["shop"]}]},
        service="resourcegroupstaggingapi",
        region=PRIMARY,
    )
    assert aws.cloud.tagged(PRIMARY, {"System": "shop"}) == ("arn:a", "arn:b")


def test_a_template_comes_back_as_text_of_the_same_meaning(aws):
    aws.expect(
        "get_template",
        {"TemplateBody": '{"Resources": {}}'},
        {"StackName": "a", "TemplateStage": "Original"},
        region=PRIMARY,
    )
    assert aws.cloud.stack_template(PRIMARY, "a") == '{"Resources": {}}'
