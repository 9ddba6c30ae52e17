"""Schedules that invoke functions, as they are rendered."""

import json
from datetime import timedelta
from typing import Any

import pytest
from troposphere import encode_to_dict

from tap_templates.blocks.function import Function
from tap_templates.blocks.schedule import function_schedule, rate
from tap_templates.blocks.topic import Topic
from tap_templates.errors import ModelError

ALARMS, REPLAYER = Topic("alarms"), Function("replayer")


def made(every: timedelta = timedelta(minutes=1), missed: int = 3) -> dict[str, Any]:
    block = function_schedule(
        "Sweep",
        "sweep",
        REPLAYER,
        every=every,
        given={"operation": "sweep"},
        missed=missed,
        tell=ALARMS,
        describes="Applies what was forgotten",
    )
    rendered: dict[str, Any] = {each.title: encode_to_dict(each)["Properties"] for each in block}
    return rendered


def test_the_live_alias_is_invoked_with_what_is_given():
    schedule = made()["SweepSchedule"]
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["Arn"]["Fn::Sub"].endswith(
        "function:function-replayer-${EnvironmentSuffix}:live"
    )
    assert json.loads(schedule["Target"]["Input"]) == {"operation": "sweep"}
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 60
    assert "EventBridgeParameters" not in schedule["Target"]


def test_the_role_is_for_its_own_group_and_may_invoke_and_keep_what_is_lost():
    role = made()["SweepRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    group = {"Fn::GetAtt": ["SweepSchedules", "Arn"]}
    assert trust["Condition"]["ArnEquals"] == {"aws:SourceArn": group}
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert {each["Action"][0]: each["Resource"] for each in statements} == {
        "lambda:InvokeFunction": [made()["SweepSchedule"]["Target"]["Arn"]],
        "sqs:SendMessage": [{"Fn::GetAtt": ["SweepLostQueue", "Arn"]}],
    }


def test_runs_that_are_missed_ring():
    hourly = made(every=timedelta(hours=1), missed=2)
    ring = hourly["SweepStoppedAlarm"]
    assert (ring["Period"], ring["EvaluationPeriods"]) == (3600, 2)
    assert (ring["MetricName"], ring["TreatMissingData"]) == ("Invocations", "breaching")
    retrying = hourly["SweepSchedule"]["Target"]["RetryPolicy"]
    assert retrying["MaximumEventAgeInSeconds"] == 3600


@pytest.mark.parametrize("missed", [0, 1441])
def test_an_alarm_that_cannot_ring_is_refused(missed):
    with pytest.raises(ModelError, match="would ring after"):
        made(missed=missed)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (1, "rate(1 minute)"),
        (90, "rate(90 minutes)"),
        (60, "rate(1 hour)"),
        (2880, "rate(2 days)"),
    ],
)
def test_a_rate_is_in_its_largest_unit(minutes, said):
    assert rate(timedelta(minutes=minutes)) == said


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(seconds=30), timedelta(seconds=90)])
def test_a_rate_is_of_whole_minutes(wrong):
    with pytest.raises(ModelError, match="whole minutes"):
        rate(wrong)
