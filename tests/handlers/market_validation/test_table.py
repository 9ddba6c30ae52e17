"""The one call: exactly what is asked, and what its errors become."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError

from market_events.failures import AwsRefused, TemporaryFailure
from market_validation.core import Known
from market_validation.table import EventTable

CANARY = "4111111111111111"
EVENT_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def client_error(code):
    return ClientError({"Error": {"Code": code, "Message": CANARY}}, "GetItem")


def test_status_and_digest_are_read_consistently_and_nothing_else(fake_table):
    fake_table.item = {"status": {"S": "STORED"}, "digest": {"S": "d"}}
    assert EventTable(fake_table, "events").known(EVENT_ID) == Known("STORED", "d")
    assert fake_table.calls == [
        {
            "TableName": "events",
            "Key": {"PK": {"S": f"EVENT#{EVENT_ID}"}, "SK": {"S": "EVENT"}},
            "ConsistentRead": True,
            "ProjectionExpression": "#status, digest",
            "ExpressionAttributeNames": {"#status": "status"},
        }
    ]


def test_no_item_is_nothing_known(fake_table):
    assert EventTable(fake_table, "events").known(EVENT_ID) is None


@pytest.mark.parametrize("item", [{}, {"status": {"N": "1"}, "digest": {"NULL": True}}])
def test_an_item_that_is_no_event_is_known_to_be_none(fake_table, item):
    fake_table.item = item
    assert EventTable(fake_table, "events").known(EVENT_ID) == Known(None, None)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (client_error("ThrottlingException"), TemporaryFailure, "ThrottlingException"),
        (ConnectTimeoutError(endpoint_url=CANARY), TemporaryFailure, "ConnectTimeoutError"),
        (client_error("AccessDeniedException"), AwsRefused, "AccessDeniedException"),
        (ParamValidationError(report=CANARY), AwsRefused, "ParamValidationError"),
    ],
)
def test_an_error_is_a_failure_without_its_message(fake_table, error, kind, text):
    fake_table.error = error
    with pytest.raises(kind) as caught:
        EventTable(fake_table, "events").known(EVENT_ID)
    assert str(caught.value) == text
    assert caught.value.__suppress_context__
