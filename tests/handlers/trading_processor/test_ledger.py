"""The claim against a table: with boto3 as the function uses it, and with a client that refuses."""

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from handlers.loopback import Table

from trading_processor.core import Claim, EventIdReused, Outcome, parse
from trading_processor.ledger import ClaimFailed, Ledger

CANARY = "4111111111111111"


class Client:
    """A client that gives the prepared answers in turn and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def put_item(self, **request):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def error(code, **more):
    return ClientError({"Error": {"Code": code, "Message": CANARY}, **more}, "PutItem")


@pytest.fixture
def claim(event):
    def make(name="trade-executed", request="req-1", **detail):
        envelope = event(name)
        envelope["detail"] |= detail
        return Claim(event=parse(envelope), region="us-east-1", request=request, received_at="t")

    return make


@pytest.fixture
def table(aws):
    with Table() as running:
        yield running


@pytest.fixture
def ledger(aws, table):
    from trading_processor.app import _PATIENCE

    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        config=_PATIENCE,
        endpoint_url=f"http://{table.address}",
    )
    yield Ledger(client, "trading-events-test")
    client.close()


def test_the_first_claim_wins_and_the_next_is_a_duplicate(ledger, table, claim):
    assert ledger.record(claim()) is Outcome.PROCESSED
    assert ledger.record(claim(request="req-2")) is Outcome.DUPLICATE
    assert [item["claimedBy"]["S"] for item in table.items.values()] == ["req-1"]
    assert {request["TableName"] for request in table.requests} == {"trading-events-test"}


def test_another_event_under_a_stored_id_is_refused_and_not_stored(ledger, table, claim):
    ledger.record(claim())
    with pytest.raises(EventIdReused):
        ledger.record(claim(request="req-2", quantity="999"))
    assert [item["quantity"]["N"] for item in table.items.values()] == ["100"]


def test_a_lost_answer_does_not_make_the_winner_a_duplicate(ledger, table, claim):
    table.failures = ["InternalServerError"]
    assert ledger.record(claim()) is Outcome.PROCESSED
    assert len(table.requests) == 2


def test_a_conflict_with_the_other_region_is_retried(ledger, table, claim):
    """By botocore: the exception is marked retryable in DynamoDB's model."""
    table.failures = ["ReplicatedWriteConflictException"] * 4
    assert ledger.record(claim()) is Outcome.PROCESSED
    assert len(table.requests) == 5


def test_a_conflict_without_end_is_given_to_lambda_to_retry(ledger, table, claim):
    table.failures = ["ReplicatedWriteConflictException"] * 9
    with pytest.raises(ClaimFailed, match=r"^ReplicatedWriteConflictException$"):
        ledger.record(claim())
    assert len(table.requests) == 5


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (error("ValidationException"), "ValidationException"),
        (error("ResourceNotFoundException"), "ResourceNotFoundException"),
        (EndpointConnectionError(endpoint_url=CANARY), "EndpointConnectionError"),
    ],
)
def test_a_failure_is_told_by_its_code_alone(claim, failure, said):
    with pytest.raises(ClaimFailed) as caught:
        Ledger(Client(failure), "t").record(claim())
    assert str(caught.value) == said
    assert caught.value.__suppress_context__


def test_a_role_that_may_not_be_shown_the_item_still_claims_once(claim):
    denied, lost = error("AccessDeniedException"), error("ConditionalCheckFailedException")
    client = Client(denied, {}, denied, lost)
    ledger = Ledger(client, "t")
    assert ledger.record(claim()) is Outcome.PROCESSED
    assert ledger.record(claim(request="req-2")) is Outcome.UNCOMPARED_DUPLICATE
    shown = ["ReturnValuesOnConditionCheckFailure" in request for request in client.asked]
    assert shown == [True, False, True, False]


def test_a_role_that_may_not_write_fails(claim):
    denied = error("AccessDeniedException")
    with pytest.raises(ClaimFailed, match=r"^AccessDeniedException$"):
        Ledger(Client(denied, denied), "t").record(claim())
    with pytest.raises(ClaimFailed, match=r"^EndpointConnectionError$"):
        Ledger(Client(denied, EndpointConnectionError(endpoint_url="x")), "t").record(claim())
