"""Block: an alarm that tells a topic, both when it rings and when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from troposphere import cloudwatch

from tap_templates.blocks.text import Text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.errors import ModelError
from tap_templates.model.names import Kind, Name

ONE_MINUTE = timedelta(minutes=1)


class Missing(Enum):
    """What it means that the metric has no data."""

    IS_FINE = "notBreaching"
    IS_AN_ALARM = "breaching"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of CloudWatch and how to reduce a period of it to one number."""

    namespace: str
    name: str
    statistic: str  # Sum, Average, Minimum, Maximum, SampleCount, or a percentile like p99
    dimensions: Mapping[str, Text]
    period: timedelta = ONE_MINUTE


def alarm(
    title: str,
    purpose: str,
    metric: Metric,
    *,
    above: float | None = None,
    below: float | None = None,
    periods: int = 1,
    missing: Missing = Missing.IS_FINE,
    tell: Topic,
    means: str,
) -> cloudwatch.Alarm:
    """Ring when `metric` is above, or below, a threshold for so many periods on end.

    `means` tells the person it wakes what has happened.
    """
    if (above is None) == (below is None):
        raise ModelError(
            f"alarm {purpose}", "has no threshold, or two", "say either above or below"
        )
    body = cloudwatch.Alarm(
        f"{title}Alarm",
        AlarmName=sub(Name(Kind.ALARM, purpose).text()),
        AlarmDescription=means,
        Namespace=metric.namespace,
        MetricName=metric.name,
        Dimensions=[
            cloudwatch.MetricDimension(Name=name, Value=value)
            for name, value in sorted(metric.dimensions.items())
        ],
        Period=int(metric.period.total_seconds()),
        EvaluationPeriods=periods,
        Threshold=above if below is None else below,
        ComparisonOperator="GreaterThanThreshold" if below is None else "LessThanThreshold",
        TreatMissingData=missing.value,
        AlarmActions=[tell.arn],
        OKActions=[tell.arn],
    )
    if metric.statistic.startswith("p"):
        body.ExtendedStatistic = metric.statistic
    else:
        body.Statistic = metric.statistic
    return body
