"""Payments and requests: what is taken, and what is refused by which name."""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from postgres.clusters import new_key, paid, posted, requested

from payments_api.core import Payment, Refused, payment_of
from payments_api.doors import BODY_BYTES_MAX, AskHealth, AskPayment, asked
from payments_api.money import DECIMALS, DIGITS_MAX, written

KEY = "order-00000000-0001"
PAN = "4111111111111111"
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def refusal(request):
    with pytest.raises(Refused) as caught:
        asked(request)
    return caught.value


def wrong(**changes):
    """Name the fields that are wrong with a body."""
    refused = refusal(posted(KEY, **changes))
    assert (refused.status, refused.error) == (400, "InvalidPayment")
    return [problem.field for problem in refused.problems]


# Payments.


def test_a_payment_is_read():
    optional = {
        "cardToken": "tok_abcd1234",
        "reference": "Invoice 7, it's due",
        "sessionId": "session-0123456789",
    }
    assert asked(posted(KEY, **optional)) == Payment(
        key=KEY,
        amount=Decimal("12.34"),
        currency="EUR",
        debtor="alice",
        creditor="bob",
        card_token="tok_abcd1234",
        reference="Invoice 7, it's due",
        session="session-0123456789",
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"amount": 12.34}, ["amount"]),
        ({"amount": "12.345"}, ["amount"]),
        ({"amount": None}, ["amount"]),
        ({"currency": "eur"}, ["currency"]),
        ({"currency": "XXX"}, ["currency"]),
        ({"currency": None}, ["currency"]),
        ({"currency": ["EUR"]}, ["currency"]),
        ({"debtor": "a"}, ["debtor"]),
        ({"debtor": "a b c"}, ["debtor"]),
        ({"debtor": 7}, ["debtor"]),
        ({"creditor": None}, ["creditor"]),
        ({"creditor": "alice"}, ["creditor"]),
        ({"cardToken": "abcd1234"}, ["cardToken"]),
        ({"cardToken": "tok_1"}, ["cardToken"]),
        ({"reference": ""}, ["reference"]),
        ({"reference": "<script>"}, ["reference"]),
        ({"reference": "x" * 141}, ["reference"]),
        ({"sessionId": "short"}, ["sessionId"]),
        ({"surprise": "x"}, ["body"]),
        ({"amount": "0", "debtor": "", "surprise": 1}, ["amount", "body", "debtor"]),
    ],
)
def test_every_field_that_is_wrong_is_named(changes, fields):
    assert wrong(**changes) == fields


@pytest.mark.parametrize("name", ["cardToken", "reference", "sessionId"])
def test_null_is_no_value(name):
    body = json.dumps(paid() | {name: None})
    refused = refusal(posted(KEY) | {"body": body})
    assert [problem.field for problem in refused.problems] == [name]


@pytest.mark.parametrize("key", [None, "", "short", "x" * 65, "order 00000000 0001", "é" * 16, 7])
def test_what_is_no_key(key):
    refused = refusal(posted(key))
    assert (refused.status, refused.error) == (400, "InvalidIdempotencyKey")


def test_ids_follow_from_keys_and_digests_from_what_is_asked():
    first, same, other = (
        payment_of(KEY, json.dumps(paid(amount=each))) for each in ("1.5", "1.50", "1.51")
    )
    assert (first.id, first.digest) == (same.id, same.digest)
    assert first.digest != other.digest
    assert first.id == other.id != payment_of(f"{KEY}x", json.dumps(paid())).id


def test_the_parts_of_a_digest_do_not_run_together():
    texts = [
        paid(cardToken="tok_aaaaaaaa", reference=None),
        paid(cardToken=None, reference="tok_aaaaaaaa"),
    ]
    assert len({payment_of(KEY, json.dumps(each)).digest for each in texts}) == 2


def test_an_answer_repeats_no_token_and_no_session():
    payment = asked(posted(KEY, cardToken="tok_abcd1234", sessionId="session-0123456789"))
    said = payment.answer(datetime(2026, 11, 20, 15, 4, 5, 678900, tzinfo=UTC), "us-east-1")
    assert json.loads(said)["bookedAt"] == "2026-11-20T15:04:05.678Z"
    assert "tok_" not in said
    assert "session-" not in said


# Requests.


def test_health_is_asked_by_anybody():
    assert asked(requested("GET", "/health", authorizer=None)) == AskHealth()


def test_a_payment_is_asked_for():
    assert asked(requested("GET", f"/payments/{ID}")) == AskPayment(ID)


def test_a_stage_is_no_part_of_the_path():
    request = requested("GET", f"/v1/payments/{ID}")
    assert refusal(request).status == 404
    request["requestContext"]["stage"] = "v1"
    assert asked(request) == AskPayment(ID)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/payments"), ("GET", f"/payments/{ID}"), ("PUT", "/payments/x")]
)
@pytest.mark.parametrize(
    "authorizer", [None, {}, {"iam": None}, {"iam": {}}, {"iam": "x"}, {"jwt": {"claims": {}}}, []]
)
def test_payments_are_for_callers_with_iam_alone(method, path, authorizer):
    refused = refusal(requested(method, path, authorizer=authorizer))
    assert (refused.status, refused.error) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("status", "error", "request_"),
    [
        (404, "NotFound", requested("GET", "/")),
        (404, "NotFound", requested("GET", "/paymentsx")),
        (404, "NotFound", requested("GET", "/health/x")),
        (404, "NotFound", requested("GET", "/payments/x")),
        (404, "NotFound", requested("GET", f"/payments/{ID.upper()}")),
        (404, "NotFound", requested("GET", f"/payments/{ID}/x")),
        (405, "MethodNotAllowed", requested("POST", "/health")),
        (405, "MethodNotAllowed", requested("GET", "/payments")),
        (405, "MethodNotAllowed", requested("DELETE", f"/payments/{ID}")),
        (415, "UnsupportedMediaType", requested("POST", "/payments", headers={}, body="{}")),
        (400, "EmptyBody", posted(KEY) | {"body": ""}),
        (400, "EmptyBody", posted(KEY) | {"body": None}),
        (400, "UnreadableBody", posted(KEY) | {"body": {}}),
        (400, "UnreadableBody", posted(KEY) | {"isBase64Encoded": "no"}),
        (400, "NotBase64", posted(KEY) | {"body": "!", "isBase64Encoded": True}),
        (400, "NotUtf8", posted(KEY) | {"body": "/w==", "isBase64Encoded": True}),
        (400, "NotUtf8", posted(KEY) | {"body": "\ud800"}),
        (413, "BodyTooLarge", posted(KEY) | {"body": "x" * (BODY_BYTES_MAX + 1)}),
        (413, "BodyTooLarge", posted(KEY) | {"body": "é" * (BODY_BYTES_MAX // 2 + 1)}),
        (413, "BodyTooLarge", posted(KEY) | {"body": "x" * 30_000, "isBase64Encoded": True}),
        (400, "NotJson", posted(KEY) | {"body": "x"}),
        (400, "NotJson", posted(KEY) | {"body": "NaN"}),
        (400, "DuplicateName", posted(KEY) | {"body": '{"amount":"1","amount":"2"}'}),
        (400, "TooDeep", posted(KEY) | {"body": "[" * 8000 + "]" * 8000}),
        (400, "InvalidPayment", posted(KEY) | {"body": "[]"}),
    ],
)
def test_what_is_refused_and_how(status, error, request_):
    refused = refusal(request_)
    assert (refused.status, refused.error) == (status, error)


def test_what_is_allowed_is_told():
    assert refusal(requested("GET", "/payments")).headers == {"allow": "POST"}
    assert refusal(requested("POST", "/health")).headers == {"allow": "GET"}


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=UTF-8", "application/json;"]
)
def test_json_is_json(content_type):
    request = posted(KEY)
    request["headers"] = {"Content-Type": content_type, "Idempotency-KEY": KEY}
    assert asked(request).key == KEY


@pytest.mark.parametrize("content_type", ["text/json", "application/json; charset=latin-1", 7])
def test_other_types_are_refused(content_type):
    request = posted(KEY)
    request["headers"]["content-type"] = content_type
    assert refusal(request).status == 415


def test_one_header_in_two_spellings_is_refused():
    request = posted(KEY)
    request["headers"]["Idempotency-Key"] = KEY
    assert refusal(request).error == "AmbiguousHeaders"


def test_a_body_in_base64_is_read():
    request = posted(KEY)
    request |= {"body": base64.b64encode(request["body"].encode()).decode()}
    assert asked(request | {"isBase64Encoded": True}).key == KEY


# Anything.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)
fuzzed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(request_=json_values)
def test_anything_that_is_no_request_is_not_found(request_):
    assert refusal(request_).status == 404


@pytest.mark.postgres
@fuzzed
@given(body=json_values.map(json.dumps) | st.text(max_size=200) | st.binary(max_size=99))
@example(body="[" * 8000)
@example(body='{"amount":1e999999999}')
@example(body='{"amount":' + "9" * 5000 + "}")
def test_any_body_gets_a_typed_answer(function, body):
    if isinstance(body, bytes):
        changes = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    else:
        changes = {"body": body}
    answer = function(posted(new_key()) | changes)
    assert 400 <= answer["statusCode"] < 500
    assert json.loads(answer["body"])["error"]


@st.composite
def mutated(draw):
    body = paid()
    for _ in range(draw(st.integers(0, 2))):
        field = draw(st.sampled_from([*body, "cardToken", "reference", "sessionId", "surprise"]))
        match draw(st.sampled_from(["drop", "json", "borrow", "text"])):
            case "drop":
                body.pop(field, None)
            case "json":
                body[field] = draw(json_values)
            case "borrow":
                body[field] = draw(
                    st.sampled_from(["alice", "bob", "dave", "JPY", "1", "tok_abcdefgh"])
                )
            case "text":
                body[field] = draw(st.text("0123456789.abcXYZ_-' \u0661", max_size=30))
    return body


@pytest.mark.postgres
@fuzzed
@given(body=mutated(), key=st.just(None) | st.text("abcXYZ019_- ", max_size=70))
def test_any_payment_is_booked_or_typed(function, cluster, body, key):
    before = cluster.counts()[0]
    answer = function(posted(key or new_key()) | {"body": json.dumps(body)})
    status, said = answer["statusCode"], json.loads(answer["body"])
    if status == 201:
        assert Decimal(said["amount"]) == Decimal(body["amount"])
        stored = cluster.one(
            "SELECT amount FROM payments.payment WHERE payment_id = %s", said["paymentId"]
        )
        assert stored == Decimal(body["amount"])
        assert written(stored) == said["amount"]
    else:
        assert 400 <= status < 500 or status == 200
        assert status == 200 or said["error"]
    payments, entries, total = cluster.counts()
    assert payments - before == (status == 201)
    assert (entries, total) == (2 * payments, 0)


@pytest.mark.postgres
@fuzzed
@given(
    currency=st.sampled_from(sorted(DECIMALS)),
    units=st.integers(1, 10**DIGITS_MAX - 1),
)
def test_money_comes_out_of_the_database_as_it_went_in(function, cluster, currency, units):
    said = written(Decimal(units).scaleb(-DECIMALS[currency]))
    ends = {"debtor": f"from-{currency}", "creditor": f"to-{currency}"}
    with cluster.master() as connection:
        for account in ends.values():
            connection.execute(
                "INSERT INTO payments.account VALUES (%s, %s, 0, NULL) ON CONFLICT DO NOTHING",
                (account, currency),
            )
    status, body, _ = function.pay(new_key(), amount=said, currency=currency, **ends)
    assert (status, json.loads(body)["amount"]) == (201, said)
    stored = cluster.one(
        "SELECT amount FROM payments.payment WHERE payment_id = %s", json.loads(body)["paymentId"]
    )
    assert written(stored) == said
