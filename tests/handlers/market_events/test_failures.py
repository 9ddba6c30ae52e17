"""Failures: what is told of them, and which errors of botocore may pass."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from market_events import failures
from market_events.failures import (
    AwsRefused,
    EventIdReused,
    Failure,
    InvalidEvent,
    Problem,
    Superseded,
    TemporaryFailure,
    UnexpectedError,
    UnknownInstrument,
    code_of,
    failure_of,
    is_temporary,
    name_of,
)

CANARY = "4111111111111111"
HANDLERS = Path(failures.__file__).parents[1]


def client_error(code, status=400):
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"item {CANARY}"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "PutItem",
    )


def test_the_names_are_those_the_state_machine_knows():
    for kind, name in {
        EventIdReused: "EventIdReused",
        InvalidEvent: "InvalidEvent",
        Superseded: "Superseded",
        TemporaryFailure: "TemporaryFailure",
        UnknownInstrument: "UnknownInstrument",
        AwsRefused: "AwsRefused",
        UnexpectedError: "UnexpectedError",
    }.items():
        assert kind.__name__ == name
        assert issubclass(kind, Failure)
    assert InvalidEvent([Problem("price", "must be so")]).name == "InvalidEvent"
    assert TemporaryFailure("Throttling").name == "TemporaryFailure.Throttling"


def test_an_invalid_event_tells_all_its_problems():
    invalid = InvalidEvent(iter([Problem("price", "must be so"), Problem("event", "must not")]))
    assert str(invalid) == "price must be so; event must not"
    assert len(invalid.problems) == 2


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, TemporaryFailure),
        ("ProvisionedThroughputExceededException", 400, TemporaryFailure),
        ("SlowDown", 503, TemporaryFailure),
        ("OperationAborted", 409, TemporaryFailure),
        ("InternalServerError", 500, TemporaryFailure),
        ("NeverHeardOf", 500, TemporaryFailure),
        ("NeverHeardOf", 503, TemporaryFailure),
        ("NeverHeardOf", 429, TemporaryFailure),
        ("NeverHeardOf", 400, AwsRefused),
        ("AccessDeniedException", 400, AwsRefused),
        ("ValidationException", 400, AwsRefused),
        ("ResourceNotFoundException", 400, AwsRefused),
        ("ConditionalCheckFailedException", 400, AwsRefused),
    ],
)
def test_an_answer_of_aws_is_judged_by_code_and_status(code, status, kind):
    failure = failure_of(client_error(code, status))
    assert type(failure) is kind
    assert str(failure) == code


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exceptions.EndpointConnectionError(endpoint_url=CANARY), TemporaryFailure),
        (exceptions.ConnectTimeoutError(endpoint_url=CANARY), TemporaryFailure),
        (exceptions.ReadTimeoutError(endpoint_url=CANARY), TemporaryFailure),
        (exceptions.ConnectionClosedError(endpoint_url=CANARY), TemporaryFailure),
        (exceptions.ProxyConnectionError(proxy_url=CANARY), TemporaryFailure),
        (exceptions.CredentialRetrievalError(provider="p", error_msg=CANARY), TemporaryFailure),
        (exceptions.ParamValidationError(report=CANARY), AwsRefused),
        (exceptions.NoCredentialsError(), AwsRefused),
        (exceptions.UnknownServiceError(service_name="s", known_service_names=""), AwsRefused),
    ],
)
def test_an_error_of_botocore_is_judged_by_its_class(error, kind):
    failure = failure_of(error)
    assert type(failure) is kind
    assert str(failure) == type(error).__name__
    assert CANARY not in str(failure)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ({}, "Http0"),
        ({"Error": None}, "Http0"),
        ({"Error": {"Code": ""}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "Http503"),
        ({"Error": {"Code": "404"}}, "UnknownCode"),
        ({"Error": {"Code": f"card {CANARY}"}}, "UnknownCode"),
        ({"Error": {"Code": "eyJhbGciOiJub25l"}}, "UnknownCode"),
        ({"Error": {"Code": "SlowDown"}, "ResponseMetadata": None}, "SlowDown"),
    ],
)
def test_an_odd_answer_has_a_name_that_may_be_logged(response, code):
    error = client_error("x")
    error.response = response
    assert code_of(error) == code
    assert isinstance(failure_of(error), Failure)


def test_codes_of_entries_are_judged_alike():
    assert is_temporary("InternalFailure")
    assert not is_temporary("NotAuthorizedForSourceException")
    assert name_of(None) == "UnknownCode"
    assert name_of("InternalFailure") == "InternalFailure"


def test_a_failure_can_be_carried_between_processes():
    again = pickle.loads(pickle.dumps(TemporaryFailure("Throttling")))  # noqa: S301 - our bytes
    assert again.name == "TemporaryFailure.Throttling"


@pytest.mark.parametrize("module", ["failures", "schema"])
def test_the_event_and_its_failures_need_nothing_but_python(module):
    """What is pure stays usable where neither boto3 nor Powertools is installed."""
    code = f"import sys; sys.path[:0] = [{str(HANDLERS)!r}]; import market_events.{module}"
    subprocess.run([sys.executable, "-S", "-I", "-c", code], check=True)
