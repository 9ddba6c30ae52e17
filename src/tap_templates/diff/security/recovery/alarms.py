"""How early an alarm sounds: its threshold, and what it makes of missing data."""

from collections.abc import Mapping
from typing import Any, Final

from tap_templates.diff.security.choices import at, holds, stated
from tap_templates.diff.security.recovery.measures import Better, Measure, Measures
from tap_templates.diff.security.recovery.structures import alarm_actions
from tap_templates.diff.values import scalar_text

# From the comparison to the threshold with which it sounds earlier.
_EARLIER: Final[Mapping[str, Better]] = {
    "GreaterThanOrEqualToThreshold": Better.LESS,
    "GreaterThanThreshold": Better.LESS,
    "GreaterThanUpperThreshold": Better.LESS,
    "LessThanLowerThreshold": Better.MORE,
    "LessThanOrEqualToThreshold": Better.MORE,
    "LessThanThreshold": Better.MORE,
}


def measures(properties: Mapping[str, Any]) -> Measures:
    """Iterate over what decides when an alarm sounds, and whom it calls."""
    yield from alarm_actions(properties)
    comparison = scalar_text(properties.get("ComparisonOperator")) or ""
    better = _EARLIER.get(comparison)
    if better is not None and "Threshold" in properties:
        # Two comparisons the other way round are two alarms: nothing to compare.
        label = "alarm threshold"
        yield f"Threshold {better.value}", Measure(label, better, properties["Threshold"])
    periods = properties.get("EvaluationPeriods")
    needed = properties.get("DatapointsToAlarm", periods)
    # One in three sounds earlier than two in two: how many are needed counts, not of how many.
    label = "datapoints to alarm" if "DatapointsToAlarm" in properties else "evaluation periods"
    yield "Datapoints", Measure(label, Better.LESS, needed, 1)
    breaching = holds(properties.get("TreatMissingData"), lambda value: value == "breaching")
    if breaching is not False:
        label = "missing data as breaching"
        yield "Missing", Measure(label, Better.KEPT, certain=breaching is True)
    for query, _ in stated(properties.get("Metrics")):
        period = at(query, "MetricStat", "Period")
        if period is not None:
            name = scalar_text(query.get("Id")) or ""
            label = f"period of metric {name}"
            yield f"Period {name}", Measure(label, Better.LESS, period, 0, "seconds")
