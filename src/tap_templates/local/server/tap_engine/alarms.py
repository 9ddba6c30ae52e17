"""Patch and clock: alarms judged by their own dimensions, periods and missing data.

The engine looks at all metrics of a name together, whatever their dimensions, and only when a
metric is put. Here every alarm is judged every second. A period is the last `Period` seconds and
not the clock's minute, so that an alarm of one minute rings within a second or two.

The queues' metrics, which AWS publishes every minute, are published here when they change.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, sqs

from tap_engine.faults import FAULTS
from tap_engine.originals import patch

_TICK_SECONDS = 0.5
_REPEAT_SECONDS = 15
_HOUR_SECONDS = 3600

Alarm = Mapping[str, Any]
Verdict = tuple[str, str]  # state and reason

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def install() -> None:
    """Make the patch, and start the clock."""
    patch(
        cloudwatch,
        "_evaluate_alarm",
        "a0b0acd3d432",
        lambda original: lambda alarm: _evaluate(alarm, original),
        why="dimensions, periods and TreatMissingData are ignored",
    )
    threading.Thread(target=_run, daemon=True, name="tap-alarms").start()


def judge(alarm: Alarm) -> Verdict | None:
    """Say which state the alarm's metric calls for; None while there is too little data.

    In the account and region of the current request.
    """
    wanted = {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or []}
    key = alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(wanted)
    return verdict(alarm, cloudwatch._metrics.get(key) or [], time.time())


def verdict(alarm: Alarm, points: Iterable[Mapping[str, Any]], moment: float) -> Verdict | None:
    """Judge the points of an alarm's metric at a moment. Pure, but for the engine's statistics."""
    period, periods = int(alarm.get("Period", 60)), int(alarm.get("EvaluationPeriods", 1))
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    compare = _COMPARE[alarm["ComparisonOperator"]]
    values: list[float | None] = []
    points = list(points)
    for index in range(periods):
        end = moment - index * period
        within = [each for each in points if end - period < each["Timestamp"] <= end]
        values.append(
            float(cloudwatch._stat_value(cloudwatch._calc_stats(within), statistic, within))
            if within
            else None
        )
    missing = alarm.get("TreatMissingData") or "missing"
    known = [value for value in values if value is not None]
    if not known:
        young = moment - alarm["AlarmConfigurationUpdatedTimestamp"] < period * periods
        if missing in ("missing", "ignore") or (missing == "breaching" and young):
            return None
    breaching = sum(compare(value, alarm["Threshold"]) for value in known)
    if missing == "breaching":
        breaching += len(values) - len(known)
    state = "ALARM" if breaching >= needed else "OK"
    newest = "no data" if not known else f"{statistic} {known[0]:g}"
    return state, (
        f"Threshold Crossed: {breaching} of {periods} datapoints ({newest}) "
        f"{alarm['ComparisonOperator']} {alarm['Threshold']:g}"
    )


def _evaluate(alarm: dict[str, Any], original: Any) -> None:
    if not alarm.get("Namespace") or alarm.get("ComparisonOperator") not in _COMPARE:
        original(alarm)  # metric math and anomaly detection: not ours
        return
    found = judge(alarm)
    if found is None or found[0] == alarm["StateValue"]:
        return
    before = alarm["StateValue"]
    alarm["StateValue"], alarm["StateReason"] = found
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], before, *found)
    cloudwatch._dispatch_alarm_actions(alarm, before, *found)
    cloudwatch._evaluate_parent_alarms(alarm)


def _run() -> None:
    published: dict[tuple[str, str, str], tuple[float, float]] = {}
    while True:
        time.sleep(_TICK_SECONDS)
        try:
            _publish_queues(published)
            for (account, region, _), alarm in cloudwatch._alarms.all_items():
                if region not in FAULTS.dead:
                    with request_scope(account, region):
                        cloudwatch._evaluate_alarm(alarm)
        except Exception:  # noqa: BLE001 - one bad alarm must not stop the clock of the others
            cloudwatch.logger.exception("alarms")


def _publish_queues(published: dict[tuple[str, str, str], tuple[float, float]]) -> None:
    """Publish how many messages wait in each queue, if that changed or was not said lately."""
    moment = time.time()
    for (account, region, _), queue in sqs._queues.all_items():
        key = account, region, str(queue["name"])
        waiting = float(sum(each["visible_at"] <= moment for each in list(queue["messages"])))
        value, said = published.get(key, (-1.0, 0.0))
        if region in FAULTS.dead or (value == waiting and moment - said < _REPEAT_SECONDS):
            continue
        published[key] = waiting, moment
        name = "ApproximateNumberOfMessagesVisible"
        with request_scope(account, region):
            dimensions = {"QueueName": key[2]}
            cloudwatch.record_metric("AWS/SQS", name, waiting, "Count", dimensions)
            points = cloudwatch._metrics[("AWS/SQS", name, cloudwatch._dims_key(dimensions))]
            while points and points[0]["Timestamp"] < moment - _HOUR_SECONDS:
                points.pop(0)
