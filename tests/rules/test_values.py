"""Expressions: what is equal, what differs for certain, what a pattern can match."""

import pytest

from tap_templates.rules._values import expression, may_match, must_differ

NAME = {"Ref": "Name"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Fn::Sub": "${Name}-dlq"}, {"Fn::Join": ["-", [NAME, "dlq"]]}),
        ({"Fn::Sub": ["${A}-dlq", {"A": NAME}]}, {"Fn::Sub": "${Name}-dlq"}),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::Sub": "${Queue.Arn}"}),
        ({"Fn::GetAtt": "Queue.Arn"}, {"Fn::GetAtt": ["Queue", "Arn"]}),
        ({"Fn::Sub": "${!Name}"}, "${Name}"),
        ({"Fn::ImportValue": "x"}, {"Fn::ImportValue": "x"}),
    ],
)
def test_the_same_however_it_is_written(one, other):
    assert expression(one) == expression(other)


@pytest.mark.parametrize(
    ("one", "other", "certain"),
    [
        ("orders", "order", True),
        ("orders", "orders", False),
        ({"Fn::Sub": "${Name}-orders"}, {"Fn::Sub": "${Name}-order"}, True),
        ({"Fn::Sub": "${Name}-orders"}, {"Fn::Sub": "${Other}-orders"}, False),
        ({"Fn::Sub": "${Name}-orders"}, "live-orders", False),
        ({"Fn::Sub": "${A}${B}"}, {"Fn::Sub": "${B}${A}"}, False),
    ],
)
def test_different_for_certain(one, other, certain):
    assert must_differ(expression(one), expression(other)) is certain


@pytest.mark.parametrize(
    ("pattern", "target", "possible"),
    [
        ("*", "anything", True),
        ("rule/orders*", "rule/shop/orders", False),
        ("rule/shop/*", "rule/shop/orders", True),
        ("rule/shop/order?", "rule/shop/orders", True),
        ("rule/[a]", "rule/a", False),
        ({"Fn::Sub": "rule/${Name}"}, {"Fn::Sub": "rule/${Name}"}, True),
        ({"Fn::Sub": "rule/${Name}-a"}, {"Fn::Sub": "rule/${Name}-b"}, False),
        ({"Fn::Sub": "rule/${Name}"}, "rule/orders", True),
    ],
)
def test_a_pattern_matches_unless_it_cannot(pattern, target, possible):
    assert may_match(expression(pattern), expression(target)) is possible
