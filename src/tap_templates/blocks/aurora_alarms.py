"""Block part: what is watched of an Aurora cluster."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from troposphere import cloudwatch

from tap_templates.blocks.alarm import Metric, Missing, alarm
from tap_templates.blocks.text import Text
from tap_templates.blocks.topic import Topic

BUSY_PERCENT = 80
LEAST_MEMORY_BYTES = 512 * 1024 * 1024
MOST_LAG_MS = 5000
_FIVE_MINUTES = 5
_LAG = "AuroraGlobalDBRPOLag"  # the one for PostgreSQL; published where the copy is


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A cluster as its metrics know it, and whom its alarms tell."""

    title: str
    purpose: str
    identifier: Text
    most_connections: int
    tell: Topic

    def metric(self, name: str, statistic: str) -> Metric:
        """Measure the cluster as a whole: its busiest instance, or its poorest."""
        return Metric(
            namespace="AWS/RDS",
            name=name,
            statistic=statistic,
            dimensions={"DBClusterIdentifier": self.identifier},
            period=timedelta(minutes=1),
        )


def load_alarms(watched: Watched) -> Iterator[cloudwatch.Alarm]:
    """Declare the alarms on connections, CPU and memory."""
    title, purpose = watched.title, watched.purpose
    yield alarm(
        f"{title}Connections",
        f"{purpose}-connections",
        watched.metric("DatabaseConnections", "Maximum"),
        above=watched.most_connections,
        periods=_FIVE_MINUTES,
        tell=watched.tell,
        means="An instance has had too many connections for five minutes: soon it refuses more.",
    )
    yield alarm(
        f"{title}Cpu",
        f"{purpose}-cpu",
        watched.metric("CPUUtilization", "Maximum"),
        above=BUSY_PERCENT,
        periods=_FIVE_MINUTES,
        tell=watched.tell,
        means=f"An instance has been busier than {BUSY_PERCENT} % for five minutes.",
    )
    yield alarm(
        f"{title}Memory",
        f"{purpose}-memory",
        watched.metric("FreeableMemory", "Minimum"),
        below=LEAST_MEMORY_BYTES,
        periods=_FIVE_MINUTES,
        tell=watched.tell,
        means="An instance has had less than 512 MiB of memory free for five minutes.",
    )


def lag_alarm(watched: Watched, *, is_global: str | None) -> cloudwatch.Alarm:
    """Declare the alarm on what a failover would lose; it belongs into both regions.

    Aurora publishes the lag in the region of the copy, which a failover moves: where there is no
    data, nothing is wrong.
    """
    made = alarm(
        f"{watched.title}Lag",
        f"{watched.purpose}-lag",
        watched.metric(_LAG, "Maximum"),
        above=MOST_LAG_MS,
        periods=3,
        missing=Missing.IS_FINE,
        tell=watched.tell,
        means=f"The copy in this region has been more than {MOST_LAG_MS / 1000:.0f} s behind for "
        "three minutes: a failover now would lose that much.",
    )
    if is_global is not None:
        made.Condition = is_global
    return made


def copy_stopped_alarm(watched: Watched, *, is_global: str | None) -> cloudwatch.Alarm:
    """Declare the alarm on a copy of which nothing is heard; for the secondary only."""
    made = alarm(
        f"{watched.title}CopyStopped",
        f"{watched.purpose}-copy-stopped",
        watched.metric(_LAG, "SampleCount"),
        below=1,
        periods=_FIVE_MINUTES,
        missing=Missing.IS_AN_ALARM,
        tell=watched.tell,
        means="Nothing has been heard of replication to this region for five minutes. After a "
        "failover to this region that is as it should be, until the roles are home.",
    )
    if is_global is not None:
        made.Condition = is_global
    return made
