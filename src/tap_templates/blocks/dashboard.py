"""Block: a dashboard of one region, made of rows of graphs.

CloudWatch takes the body as a string of JSON; it is made here from typed widgets, so that a
variable in it can only be one whose parameter admits no quotes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from troposphere import AWSHelperFn, Sub, cloudwatch

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.text import Text, sub
from tap_templates.model.names import OWN_REGION, Kind, Name

_WIDTH = 24  # of CloudWatch's grid
_HEIGHT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One metric in a graph."""

    metric: Metric
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    title: str
    lines: Sequence[Line]
    region: str = OWN_REGION  # where the metrics are

    def body(self, *, x: int, y: int, width: int) -> dict[str, object]:
        """Render as CloudWatch's dashboard structure spells a metric widget."""
        return {
            "type": "metric",
            "x": x,
            "y": y,
            "width": width,
            "height": _HEIGHT,
            "properties": {
                "title": self.title,
                "region": self.region,
                "view": "timeSeries",
                "period": int(self.lines[0].metric.period.total_seconds()),
                "metrics": [_line(line) for line in self.lines],
            },
        }


def p(percentile: int, metric: Metric) -> Metric:
    """Take a percentile of `metric`."""
    return replace(metric, statistic=f"p{percentile}")


def dashboard(title: str, purpose: str, *rows: Sequence[Graph]) -> cloudwatch.Dashboard:
    """Declare a dashboard; graphs of a row share its width. Its name carries the region."""
    widgets = []
    for number, row in enumerate(rows):
        width = _WIDTH // len(row)
        for column, graph in enumerate(row):
            widgets.append(graph.body(x=column * width, y=number * _HEIGHT, width=width))
    body = json.dumps({"widgets": widgets}, sort_keys=True, separators=(",", ":"))
    return cloudwatch.Dashboard(
        f"{title}Dashboard",
        DashboardName=sub(Name(Kind.DASHBOARD, purpose).text()),
        DashboardBody=Sub(body),
    )


def _line(line: Line) -> list[object]:
    metric = line.metric
    parts: list[object] = [metric.namespace, metric.name]
    for name, value in sorted(metric.dimensions.items()):
        parts += [name, _plain(value)]
    return [*parts, {"label": line.label, "stat": metric.statistic}]


def _plain(value: Text) -> str:
    # Inside the one big Sub, a variable is written as it is inside a small one.
    if isinstance(value, AWSHelperFn):
        return (
            str(value.data["Fn::Sub"]) if "Fn::Sub" in value.data else f"${{{value.data['Ref']}}}"
        )
    return value
