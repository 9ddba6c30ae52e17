"""Answers of AWS: which errors of botocore may pass, and what may be told of them."""

import subprocess
import sys
from pathlib import Path

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from aws_calls import answers
from aws_calls.answers import code_of, is_temporary, may_pass, name_of

CANARY = "4111111111111111"
HANDLERS = Path(answers.__file__).parents[1]


def client_error(code, status=400):
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"item {CANARY}"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "PutItem",
    )


@pytest.mark.parametrize(
    ("code", "status", "passes"),
    [
        ("ThrottlingException", 400, True),
        ("ProvisionedThroughputExceededException", 400, True),
        ("SlowDown", 503, True),
        ("OperationAborted", 409, True),
        ("ConditionalRequestConflict", 409, True),
        ("InternalServerError", 500, True),
        ("NeverHeardOf", 500, True),
        ("NeverHeardOf", 503, True),
        ("NeverHeardOf", 429, True),
        ("NeverHeardOf", 400, False),
        ("AccessDeniedException", 400, False),
        ("ValidationException", 400, False),
        ("ResourceNotFoundException", 400, False),
        ("ConditionalCheckFailedException", 400, False),
    ],
)
def test_an_answer_of_aws_is_judged_by_code_and_status(code, status, passes):
    error = client_error(code, status)
    assert may_pass(error) is passes
    assert code_of(error) == code


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (exceptions.EndpointConnectionError(endpoint_url=CANARY), True),
        (exceptions.ConnectTimeoutError(endpoint_url=CANARY), True),
        (exceptions.ReadTimeoutError(endpoint_url=CANARY), True),
        (exceptions.ConnectionClosedError(endpoint_url=CANARY), True),
        (exceptions.ProxyConnectionError(proxy_url=CANARY), True),
        (exceptions.CredentialRetrievalError(provider="p", error_msg=CANARY), True),
        (exceptions.ParamValidationError(report=CANARY), False),
        (exceptions.NoCredentialsError(), False),
        (exceptions.UnknownServiceError(service_name="s", known_service_names=""), False),
    ],
)
def test_an_error_of_botocore_is_judged_by_its_class(error, passes):
    assert may_pass(error) is passes
    assert code_of(error) == type(error).__name__


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
    assert may_pass(error) is (code in ("Http503", "SlowDown"))


def test_codes_of_entries_are_judged_alike():
    assert is_temporary("InternalFailure")
    assert not is_temporary("NotAuthorizedForSourceException")
    assert name_of(None) == "UnknownCode"
    assert name_of("InternalFailure") == "InternalFailure"


def test_reading_needs_nothing_but_python():
    """What is pure stays usable where neither boto3 nor Powertools is installed."""
    code = f"import sys; sys.path[:0] = [{str(HANDLERS)!r}]; import aws_calls.answers"
    subprocess.run([sys.executable, "-S", "-I", "-c", code], check=True)
