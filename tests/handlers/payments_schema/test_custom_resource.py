"""CloudFormation's protocol: everything is answered, also a failure, and nothing secret is said."""

import http.client
import json
from contextlib import contextmanager

import pytest
from handlers.loopback import Server as Loopback
from postgres.clusters import MIGRATIONS, Cluster, Heard

from schema_migrations.core import Migration
from schema_migrations.custom_resource import NoRequestError, NotAnsweredError, Request, put
from schema_migrations.runner import read_migrations
from schema_migrations.service import ANSWER_SECONDS, Schema
from tap_templates.local.postgres import MASTER

pytestmark = pytest.mark.postgres

SIGNATURE = "SignatureCanary4111111111111111"
PASSWORD = "PasswordCanary"


class Bucket(Loopback):
    """Takes answers as S3 does by a signed URL; fails as told in `failures` first."""

    def __init__(self):
        self.failures = []
        self.answers = []
        super().__init__()

    def answer(self, path, headers, body):
        if self.failures:
            return self.failures.pop(0), b"", {}
        assert headers["content-type"] == ""
        self.answers.append((path, json.loads(body)))
        return 200, b"", {}


class Exchange:
    def __init__(self, bucket):
        self.bucket = bucket
        self.slept = []

    def put(self, url, body):
        host, _, port = self.bucket.address.partition(":")

        def connect(name, given, timeout):
            assert (name, given, timeout) == ("bucket.example", None, 5.0)
            return http.client.HTTPConnection(host, int(port), timeout=timeout)

        put(url, body, connect=connect, sleep=self.slept.append)


@pytest.fixture
def exchange():
    with Bucket() as bucket:
        # http.server calls the method by its name
        bucket._server.RequestHandlerClass.do_PUT = bucket._server.RequestHandlerClass.do_GET
        yield Exchange(bucket)


def event(kind="Create", **changes):
    return {
        "RequestType": kind,
        "ResponseURL": f"https://bucket.example/answer?X-Amz-Signature={SIGNATURE}",
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/primary/1",
        "RequestId": "request-1",
        "LogicalResourceId": "SchemaStep",
        "ResourceType": "AWS::CloudFormation::CustomResource",
        "ResourceProperties": {"ServiceToken": "arn"},
        **changes,
    }


def schema(cluster, exchange, migrations=None, watch=None):
    return Schema(
        lambda: cluster.database(MASTER),
        read_migrations(MIGRATIONS) if migrations is None else migrations,
        exchange.put,
        watch or Heard(),
        physical_id="payments-schema",
    )


def test_create_migrates_and_says_so(empty, exchange):
    schema(empty, exchange)(event(), 120)
    [(path, said)] = exchange.bucket.answers
    assert path == f"/answer?X-Amz-Signature={SIGNATURE}"
    assert said == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "payments-schema",
        "StackId": event()["StackId"],
        "RequestId": "request-1",
        "LogicalResourceId": "SchemaStep",
        "NoEcho": False,
        "Data": {"Version": "3", "Applied": "3", "Standby": "false"},
    }
    assert empty.counts() == (0, 0, 0)


def test_update_keeps_the_id_that_the_resource_has(empty, exchange):
    schema(empty, exchange)(event("Update", PhysicalResourceId="older-id"), 120)
    schema(empty, exchange)(event("Update", PhysicalResourceId="older-id"), 120)
    first, second = (said for _, said in exchange.bucket.answers)
    assert (first["PhysicalResourceId"], first["Data"]["Applied"]) == ("older-id", "3")
    assert (second["PhysicalResourceId"], second["Data"]["Applied"]) == ("older-id", "0")


def test_delete_leaves_the_data_and_needs_no_database(cluster, exchange):
    nowhere = Cluster(cluster.server, "no_such_database")
    schema(nowhere, exchange)(event("Delete", PhysicalResourceId="payments-schema"), 120)
    [(_, said)] = exchange.bucket.answers
    assert (said["Status"], said["PhysicalResourceId"]) == ("SUCCESS", "payments-schema")
    assert cluster.counts() == (0, 0, 0)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (f"SELECT '{PASSWORD}'::integer", "MigrationFailedError: v0001_one failed with 22P02"),
        (f'SELECT "{PASSWORD}"', "MigrationFailedError: v0001_one failed with 42703"),
    ],
)
def test_a_failure_is_answered_with_a_reason_and_no_values(empty, exchange, sql, reason):
    watch = Heard()
    schema(empty, exchange, [Migration(1, "v0001_one", sql)], watch)(event(), 120)
    [(_, said)] = exchange.bucket.answers
    assert (said["Status"], said["Reason"]) == ("FAILED", reason)
    assert "MigrationsFailed" in watch.counted
    assert PASSWORD not in json.dumps(said) + repr(watch.lines)
    assert SIGNATURE not in json.dumps(said) + repr(watch.lines)


def test_a_defect_is_answered_by_its_name_alone(exchange):
    def broken():
        raise KeyError(PASSWORD)

    watch = Heard()
    run = Schema(broken, (), exchange.put, watch, physical_id="x")
    run(event(), 120)
    [(_, said)] = exchange.bucket.answers
    assert (said["Status"], said["Reason"]) == ("FAILED", "unexpected KeyError")
    assert PASSWORD not in repr(watch.lines)


def test_too_little_time_is_answered_while_there_is_time(empty, exchange):
    schema(empty, exchange)(event(), ANSWER_SECONDS + 1)
    [(_, said)] = exchange.bucket.answers
    assert said["Reason"] == "MigrationFailedError: the function has too little time left"


def test_another_kind_of_request_is_a_failure(empty, exchange):
    schema(empty, exchange)(event("Look"), 120)
    assert exchange.bucket.answers[0][1]["Status"] == "FAILED"


@pytest.mark.parametrize("name", ["ResponseURL", "RequestType", "StackId"])
def test_what_is_no_request_has_nobody_to_answer(empty, exchange, name):
    with pytest.raises(NoRequestError):
        schema(empty, exchange)(event(**{name: None}), 120)
    assert exchange.bucket.answers == []


# The way of the answer.


def test_an_answer_is_sent_again_until_it_is_taken(exchange):
    exchange.bucket.failures = [500, 503]
    exchange.put(event()["ResponseURL"], b"{}")
    assert len(exchange.bucket.answers) == 1
    assert exchange.slept == [1.0, 2.0]


def test_an_answer_that_is_refused_is_not_sent_again(exchange):
    exchange.bucket.failures = [403, 403]
    with pytest.raises(NotAnsweredError, match=r"^Http403$"):
        exchange.put(event()["ResponseURL"], b"{}")
    assert exchange.slept == []


def test_an_answer_that_never_arrives_fails_the_run_for_lambda_to_repeat(empty, exchange):
    exchange.bucket.failures = [500] * 4
    watch = Heard()
    with pytest.raises(NotAnsweredError) as caught:
        schema(empty, exchange, watch=watch)(event(), 120)
    assert "AnswersNotSent" in watch.counted
    assert SIGNATURE not in str(caught.value)
    schema(empty, exchange)(event(), 120)  # the repeat
    assert exchange.bucket.answers[0][1]["Data"]["Applied"] == "0"


def test_an_unreachable_bucket_is_told_by_the_error_alone():
    def refuse(*_, **__):
        raise ConnectionRefusedError(SIGNATURE)

    with pytest.raises(NotAnsweredError, match=r"^ConnectionRefusedError$"):
        put(event()["ResponseURL"], b"{}", connect=refuse, sleep=lambda _: None)


@pytest.mark.parametrize("url", ["http://bucket.example/a", "file:///etc/passwd", "x", "https://"])
def test_an_answer_goes_by_https_only(url):
    @contextmanager
    def never(*_, **__):
        raise AssertionError
        yield

    with pytest.raises(NotAnsweredError, match=r"^ResponseURL is no https URL$"):
        put(url, b"{}", connect=never)


def test_an_answer_fits():
    request = Request.of(event(), "x")
    assert len(request.failure("\u00e9" * 5000)) <= 4096
    with pytest.raises(NotAnsweredError):
        request.success({"a": "x" * 5000})
