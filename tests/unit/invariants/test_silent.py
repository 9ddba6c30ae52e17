"""What is no fault, however near it comes to one: each row is an edit that finds nothing new."""

from collections.abc import Callable
from typing import Any

import pytest
from unit.invariants.planted import add, both, drop, parameter, put

from tap_templates.compiler.invariants import check_system
from tap_templates.compiler.invariants.parameter_values import refusal
from tap_templates.compiler.invariants.patterns import keeps_all

_STOPPED = "HeartbeatStoppedAlarm"
_WITHOUT_DASHES = {"Fn::Join": ["", {"Fn::Split": ["-", {"Ref": "AWS::Region"}]}]}


def _table_operation(name: str) -> Callable[[dict[str, Any]], object]:
    def edit(template):
        for each in template["Resources"]["TableFailingAlarm"]["Properties"]["Dimensions"]:
            if each["Name"] == "Operation":
                each["Value"] = name

    return edit


SILENT = {
    "TAP-ARC-01 an archive of everything": ("bus", drop("TradingArchive", "EventPattern")),
    "TAP-ARC-01 a wider prefix": (
        "bus",
        put("TradingArchive", "EventPattern.source", [{"prefix": "trading"}]),
    ),
    "TAP-ARC-01 a narrower rule": ("bus", put("ProcessingRule", "EventPattern.account", ["1"])),
    "TAP-ARC-02 kept for ever": ("bus", put("TradingArchive", "RetentionDays", 0)),
    "TAP-ARC-02 kept for ever by default": ("bus", drop("TradingArchive", "RetentionDays")),
    "TAP-FN-12 six hours by default": (
        "processing",
        drop("ProcessorFailures", "MaximumEventAgeInSeconds"),
    ),
    "TAP-FN-13 the longest": ("processing", put("ProcessorFunction", "Timeout", 60)),
    "TAP-FN-13 the shortest": ("processing", put("ProcessorFunction", "Timeout", 8)),
    "TAP-VER-01 without SnapStart": (
        "processing",
        both(
            drop("ProcessorFunction", "SnapStart"),
            add(
                "Feed",
                "AWS::Lambda::EventSourceMapping",
                EventSourceArn={"Fn::GetAtt": ["FailedQueue", "Arn"]},
                FunctionName={"Ref": "ProcessorFunction"},
            ),
        ),
    ),
    "TAP-VER-01 a mapping to the alias": (
        "processing",
        add(
            "Feed",
            "AWS::Lambda::EventSourceMapping",
            EventSourceArn={"Fn::GetAtt": ["FailedQueue", "Arn"]},
            FunctionName={"Ref": "ProcessorAlias"},
        ),
    ),
    "TAP-VER-02 an alias that nothing calls": (
        "processing",
        add(
            "Draft",
            "AWS::Lambda::Alias",
            Name="draft",
            FunctionName={"Ref": "ProcessorFunction"},
            FunctionVersion="$LATEST",
        ),
    ),
    "TAP-DIM-04 a transaction of what is granted": (
        "processing",
        _table_operation("TransactWriteItems"),
    ),
    "TAP-OBJ-02 invocations are as good": ("bus", put(_STOPPED, "MetricName", "Invocations")),
    "TAP-OBJ-02 five minutes are soon enough": ("bus", put(_STOPPED, "EvaluationPeriods", 5)),
    "TAP-PAIR-01 a text about both regions": (
        "processing",
        put("ProcessorFunction", "Environment.Variables.PAIR", "us-east-1 and us-west-2"),
    ),
    "TAP-PAIR-01 a region without its dashes is a region": (
        "processing",
        put("ProcessorFunction", "Environment.Variables.ANSWERS", _WITHOUT_DASHES),
    ),
    "TAP-REF-01 a role that others make may come": (
        "alerts",
        put(
            "AlarmsTopicPolicy",
            "PolicyDocument.Statement.0.Condition.ArnLike.aws:PrincipalArn",
            "arn:aws:iam::*:role/operators",
        ),
    ),
    "TAP-PAR-04 a value of an output is not known": (
        "monitoring",
        parameter("EndpointHealthCheckId", AllowedPattern="^x$"),
    ),
    "TAP-NAME-06 a pattern without dashes": (
        "bus",
        parameter("EnvironmentSuffix", AllowedPattern="^[a-z]+$"),
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_it_is_not_reported(edited, name):
    stack, edit = SILENT[name]
    code = name.split()[0]
    assert [each for each in check_system(edited(stack, edit)) if each.code == code] == []


def test_a_default_bus_rule_may_be_measured_by_its_name_alone(edited):
    def edit(template):
        queue = {"Fn::GetAtt": ["HeartbeatQueue", "Arn"]}
        add("Plain", "AWS::Events::Rule", Name="rule-plain-dev", Targets=[{"Arn": queue}])(template)
        named = [{"Name": "RuleName", "Value": "rule-plain-dev"}]
        put("UndeliveredLostAlarm", "Dimensions", named)(template)

    assert "TAP-DIM-03" not in {each.code for each in check_system(edited("bus", edit))}


@pytest.mark.parametrize(
    ("value", "declared", "why"),
    [
        ("a", {"AllowedPattern": "[a-z]"}, None),
        ("ab", {"AllowedPattern": "[a-z]"}, "its AllowedPattern is [a-z]"),
        ("a\n", {"AllowedPattern": "^[a-z]$"}, "its AllowedPattern is ^[a-z]$"),
        ("a, b", {"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]"}, None),
        (["a", "b"], {"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, None),
        ("a,c", {"Type": "CommaDelimitedList", "AllowedValues": ["a"]}, "its AllowedValues are a"),
        ("1,9", {"Type": "List<Number>", "MaxValue": 5}, "its MaxValue is 5"),
        (True, {"AllowedValues": ["true", "false"]}, None),
        (5, {"Type": "Number", "AllowedValues": [1, 5]}, None),
        ("", {"MinLength": 1}, "its MinLength is 1"),
        ("", {}, None),
    ],
)
def test_a_parameter_takes_what_cloudformation_takes(value, declared, why):
    assert refusal(value, declared) == why


@pytest.mark.parametrize(
    ("wide", "narrow", "kept"),
    [
        ({}, {"source": ["a"]}, True),
        ({"source": ["a", "b"]}, {"source": ["a"]}, True),
        ({"source": ["a"]}, {"source": ["a", "b"]}, False),
        ({"source": ["a"]}, {"detail-type": ["a"]}, False),
        ({"source": [{"prefix": "a"}]}, {"source": ["ab", {"prefix": "abc"}]}, True),
        ({"source": [{"prefix": "ab"}]}, {"source": [{"prefix": "a"}]}, False),
        ({"source": [{"suffix": "z"}]}, {"source": ["az"]}, True),
        ({"source": [{"prefix": "a"}]}, {"source": [{"suffix": "a"}]}, False),
        ({"source": [{"exists": True}]}, {"source": ["a"]}, True),
        ({"source": [{"exists": True}]}, {"source": [{"exists": False}]}, False),
        ({"source": [{"anything-but": "a"}]}, {"source": [{"anything-but": "a"}]}, True),
        ({"source": [{"anything-but": "a"}]}, {"source": ["b"]}, False),  # cannot be told
        ({"detail": {"a": [1]}}, {"detail": {"a": [1], "b": [2]}}, True),
        ({"detail": {"a": [1]}}, {"detail": ["x"]}, False),
        ({"$or": [{"source": ["a"]}, {"account": ["1"]}]}, {"source": ["a"]}, True),
        ({"$or": [{"source": ["b"]}]}, {"source": ["a"]}, False),
        ({"$or": [{"source": ["b"]}]}, {"$or": [{"source": ["b"]}]}, True),
    ],
)
def test_a_pattern_keeps_what_another_one_matches(wide, narrow, kept):
    assert keeps_all(wide, narrow) is kept
