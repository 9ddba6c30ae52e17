"""The API's door and what stands behind it: the same orders pass, and one outlasts the other."""

import ast
import json
import re
from pathlib import Path

import pytest
from troposphere import encode_to_dict

import order_api
from order_api.acceptance import Patience
from orders.order import InvalidOrder, order_of
from templates.trading_dr import api

RESOURCES = encode_to_dict(api.build().resources)
OWNER = "111122223333:role/desk"
ORDER = {
    "clientOrderId": "c-1",
    "symbol": "AMZN",
    "side": "buy",
    "quantity": "1.5",
    "price": "10",
}


def only(kind):
    (found,) = (each["Properties"] for each in RESOURCES.values() if each["Type"] == kind)
    return found


def passes(schema, order):
    """Check by what the model uses of JSON Schema: patterns, lengths, enumerations."""
    return all(
        value in rule["enum"]
        if "enum" in rule
        else re.search(rule["pattern"], value) and len(value) <= rule["maxLength"]
        for value, rule in ((order[name], rule) for name, rule in schema["properties"].items())
    )


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"symbol": "BRK-B"},
        {"symbol": "BTC/USD"},
        {"symbol": "RDS.A"},
        {"symbol": "X" * 32},
        {"clientOrderId": "a_B-9" + "z" * 59},
        {"side": "sell"},
        {"quantity": "999999999999.99999999", "price": "0.00000001"},
    ],
)
def test_the_door_lets_in_what_the_function_takes(change):
    order = ORDER | change
    assert order_of(OWNER, order).fields().keys() == ORDER.keys()
    assert passes(json.loads(only("AWS::ApiGateway::Model")["Schema"]), order)


@pytest.mark.parametrize(
    "change", [{"symbol": "amzn"}, {"symbol": "X" * 33}, {"clientOrderId": "a.b"}, {"side": "hold"}]
)
def test_both_refuse(change):
    order = ORDER | change
    with pytest.raises(InvalidOrder):
        order_of(OWNER, order)
    assert not passes(json.loads(only("AWS::ApiGateway::Model")["Schema"]), order)


def client_seconds(name):
    """Read how long one call of a client in app.py takes at most, its pauses at their longest."""
    source = (Path(order_api.__file__).parent / "app.py").read_text()
    (made,) = (
        each.value
        for each in ast.parse(source).body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name
    )
    given = {each.arg: ast.literal_eval(each.value) for each in made.keywords}
    attempts = given["retries"]["total_max_attempts"]
    # https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html: 1 s, then 2 s.
    pauses = sum(2.0**each for each in range(attempts - 1))
    return attempts * (given["connect_timeout"] + given["read_timeout"]) + pauses


def test_the_function_outlasts_all_that_taking_an_order_waits_for():
    """Cut off before, it would answer nothing of its own, and leave a bare 502 to the client."""
    journal, hint = client_seconds("_JOURNAL_PATIENCE"), client_seconds("_PATIENCE")
    # The last attempt begins in time: it looks, writes, and reads what is in the way; then the
    # last look, then the queue.
    longest = Patience().seconds + 4 * journal + hint
    timeout = only("AWS::Lambda::Function")["Timeout"]
    assert longest < timeout < 29  # API Gateway's own
