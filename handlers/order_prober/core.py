"""What is to be done about what a round of probes has seen. Pure.

The other region is given up only by one that can prove that it is itself well: it has just written
into the table that both must agree on, and reaches its own API by the way out that it reached for
the other's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orders.reports import DISABLED, ENABLED, Report
from orders.role import Phase, Role

# Five minutes of rounds: longer than a run takes to take hold of the role, after which nobody is
# asked to start another. Whoever is asked still, asks for a run that failed before that.
AGAIN_AFTER_ROUNDS = 25
# Half an hour of rounds in which this region has been failing over: whatever run does it has ended,
# or is no worse off for another one, which takes the role over and goes on where it is.
STUCK_AFTER_ROUNDS = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the prober is and how patient. Raises ValueError for what would never or always act."""

    region: str
    other: str
    home: str
    rounds: int = 5
    round_seconds: int = 10
    failures: int = 3  # rounds on end in which the other region is gone
    # Rounds on end in which the other's database takes no writes: more, since Aurora replaces a
    # writer within its region in about a minute, and orders are accepted all the while.
    database_failures: int = 18
    # A report is too old after all rounds of a minute, and the pause before the next.
    stale_seconds: int = 80
    healthy_minutes: int = 30
    automatic_failback: bool = False

    def __post_init__(self) -> None:
        counts = {
            "PROBE_ROUNDS": self.rounds,
            "PROBE_ROUND_SECONDS": self.round_seconds,
            "PROBE_FAILURES": self.failures,
            "PROBE_DATABASE_FAILURES": self.database_failures,
            "REPORT_STALE_SECONDS": self.stale_seconds,
            "HEALTHY_MINUTES": self.healthy_minutes,
        }
        if wrong := sorted(name for name, count in counts.items() if count < 1):
            raise ValueError(f"{' and '.join(wrong)} must be 1 or more")
        if self.region == self.other or self.home not in (self.region, self.other):
            raise ValueError("OTHER_REGION and HOME_REGION do not make a pair with this region")

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the environment of the function."""
        counts = {
            "rounds": "PROBE_ROUNDS",
            "round_seconds": "PROBE_ROUND_SECONDS",
            "failures": "PROBE_FAILURES",
            "database_failures": "PROBE_DATABASE_FAILURES",
            "stale_seconds": "REPORT_STALE_SECONDS",
            "healthy_minutes": "HEALTHY_MINUTES",
        }
        automatic = environment.get("AUTOMATIC_FAILBACK", "no")
        if automatic not in ("yes", "no"):
            raise ValueError("AUTOMATIC_FAILBACK is neither yes nor no")
        given = {key: int(environment[name]) for key, name in counts.items() if name in environment}
        return cls(
            region=environment["AWS_REGION"],
            other=environment["OTHER_REGION"],
            home=environment["HOME_REGION"],
            automatic_failback=automatic == "yes",
            **given,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered from round to round: the item `watch#<region>`."""

    failures: int = 0
    database_failures: int = 0
    healthy_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round has seen. `role` None: the table did not answer."""

    at: int  # seconds since 1970
    wrote: bool  # this region's own report, into the table that both agree on
    sees_out: bool  # this region's own API, by the way out: any answer shows that there is one
    other_answers: bool
    own_database: bool  # as this region reports it: a copy, where it stands by, answers
    role: Role | None
    report: Report | None  # of the other region; None: it never said anything


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class FailOver:
    """Make this region the active one, under this epoch; by how many runs that was asked before."""

    epoch: int
    why: str
    before: int = 0


@dataclass(frozen=True, slots=True)
class FailBack:
    """Give the orders back, under this epoch; by how many runs that was asked before."""

    epoch: int
    before: int = 0


@dataclass(frozen=True, slots=True)
class MayReturn:
    """Let people know that the home region has been well for long; they decide."""


Decision = Rest | FailOver | FailBack | MayReturn


def decide(seen: Round, before: Memory, settings: Settings) -> tuple[Memory, Decision]:
    """Say what is to be done, and what to remember."""
    if seen.role is None or not seen.wrote:
        # We may be the ones who are cut off: nothing that was counted so counts.
        return Memory(), Rest("isolated")
    if seen.role.phase is not Phase.SERVING:
        return _while_moving(seen.role, before, settings)
    if seen.role.active == settings.region:
        return _as_active(seen, seen.role, before, settings)
    if not seen.sees_out:
        return Memory(), Rest("blind")
    return _as_standby(seen, seen.role, before, settings)


def _while_moving(role: Role, before: Memory, settings: Settings) -> tuple[Memory, Decision]:
    """Leave a run alone; start another if the failover to this region does not come to its end."""
    if role.phase is not Phase.FAILING_OVER or role.active != settings.region:
        return Memory(), Rest("moving")
    memory = Memory(failures=before.failures + 1)
    times, rest = divmod(memory.failures, STUCK_AFTER_ROUNDS)
    if rest:
        return memory, Rest("moving")
    return memory, FailOver(role.epoch, "not finished", times)


def _as_standby(
    seen: Round, role: Role, before: Memory, settings: Settings
) -> tuple[Memory, Decision]:
    report = seen.report
    if report is None:
        return Memory(), Rest("never heard of")  # it is still being built
    is_stale = report.age_seconds(seen.at) > settings.stale_seconds
    is_gone = is_stale and not seen.other_answers
    takes_no_writes = not is_stale and not report.database
    memory = Memory(
        failures=before.failures + 1 if is_gone else 0,
        database_failures=before.database_failures + 1 if takes_no_writes else 0,
    )
    if not seen.own_database and _is_enough(memory, settings):
        # Taking the role would stop the other for good, and bring nothing up here: nobody could
        # promote, or log in to, a cluster that does not answer. So the last round is still to come.
        waiting = Memory(
            failures=min(memory.failures, settings.failures - 1),
            database_failures=min(memory.database_failures, settings.database_failures - 1),
        )
        return waiting, Rest("no database to turn to")
    if memory.failures >= settings.failures:
        asked = memory.failures - settings.failures
        return memory, FailOver(role.epoch + 1, "unreachable", asked // AGAIN_AFTER_ROUNDS)
    if memory.database_failures >= settings.database_failures:
        asked = memory.database_failures - settings.database_failures
        return memory, FailOver(role.epoch + 1, "database", asked // AGAIN_AFTER_ROUNDS)
    return memory, Rest("counting" if is_gone or takes_no_writes else "standing by")


def _is_enough(memory: Memory, settings: Settings) -> bool:
    return (
        memory.failures >= settings.failures
        or memory.database_failures >= settings.database_failures
    )


def _as_active(
    seen: Round, role: Role, before: Memory, settings: Settings
) -> tuple[Memory, Decision]:
    if settings.region == settings.home:
        return Memory(), Rest("at home")
    report = seen.report
    is_well = (
        report is not None
        and seen.other_answers
        and report.age_seconds(seen.at) <= settings.stale_seconds
        and report.api
        and report.database
    )
    if not is_well:
        return Memory(), Rest("home is not well")
    since = seen.at if before.healthy_since is None else before.healthy_since
    memory = replace(Memory(), healthy_since=since)
    waited, wait = seen.at - since, settings.healthy_minutes * 60
    if waited < wait:
        return memory, Rest("home is well")
    if not settings.automatic_failback:
        return memory, MayReturn()
    return memory, FailBack(role.epoch + 1, waited // wait - 1)


def wanted_consumers(role: Role, region: str) -> str | None:
    """Say which state the mapping of this region should have; None while a machine sees to it."""
    if role.active != region:
        return DISABLED
    return ENABLED if role.phase is Phase.SERVING else None
