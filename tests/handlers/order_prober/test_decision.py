"""What the prober decides, round by round, from what it has seen."""

from dataclasses import replace

import pytest

from order_prober.core import (
    STUCK_AFTER_ROUNDS,
    FailBack,
    FailOver,
    MayReturn,
    Memory,
    Rest,
    Round,
    Settings,
    decide,
    wanted_consumers,
)
from orders.reports import Report
from orders.role import Phase, Role

HOME, AWAY = "us-east-1", "us-east-2"
NOW = 1_000_000
STANDBY = Settings(region=AWAY, other=HOME, home=HOME)
ACTIVE_AWAY = STANDBY
WELL = Report(at=NOW - 10, api=True, database=True, consumers="Enabled")
STALE = replace(WELL, at=NOW - 81)
ILL = replace(WELL, database=False)
SERVES_HOME = Role(epoch=4, active=HOME)
SERVES_AWAY = Role(epoch=5, active=AWAY)


def seen(**changes):
    known = Round(
        at=NOW,
        wrote=True,
        sees_out=True,
        other_answers=True,
        own_database=True,
        role=SERVES_HOME,
        report=WELL,
    )
    return replace(known, **changes)


GONE = seen(other_answers=False, report=STALE)


@pytest.mark.parametrize(
    ("what", "before", "after", "decision"),
    [
        # A standby that sees the other well, or half ill, stands by.
        (seen(), Memory(), Memory(), Rest("standing by")),
        (seen(), Memory(failures=2), Memory(), Rest("standing by")),  # flapping: from the start
        (seen(other_answers=False), Memory(failures=2), Memory(), Rest("standing by")),
        (seen(report=STALE), Memory(failures=2), Memory(), Rest("standing by")),
        (seen(report=replace(WELL, at=NOW - 80)), Memory(), Memory(), Rest("standing by")),
        (seen(report=replace(WELL, at=NOW + 500)), Memory(), Memory(), Rest("standing by")),
        # Gone: unreachable and silent, so many rounds on end.
        (GONE, Memory(), Memory(failures=1), Rest("counting")),
        (GONE, Memory(failures=1), Memory(failures=2), Rest("counting")),
        (GONE, Memory(failures=2), Memory(failures=3), FailOver(5, "unreachable")),
        (GONE, Memory(failures=3), Memory(failures=4), FailOver(5, "unreachable")),
        # Asked for still: the run that was named first has failed before it did anything.
        (GONE, Memory(failures=26), Memory(failures=27), FailOver(5, "unreachable")),
        (GONE, Memory(failures=27), Memory(failures=28), FailOver(5, "unreachable", before=1)),
        (GONE, Memory(failures=52), Memory(failures=53), FailOver(5, "unreachable", before=2)),
        (
            seen(report=ILL),
            Memory(database_failures=42),
            Memory(database_failures=43),
            FailOver(5, "database", before=1),
        ),
        # Its database takes no writes: said by itself, and freshly.
        (
            seen(report=ILL),
            Memory(database_failures=16),
            Memory(database_failures=17),
            Rest("counting"),
        ),
        (
            seen(report=ILL),
            Memory(database_failures=17),
            Memory(database_failures=18),
            FailOver(5, "database"),
        ),
        (seen(), Memory(database_failures=17), Memory(), Rest("standing by")),
        (
            seen(report=replace(ILL, at=NOW - 81)),
            Memory(database_failures=17),
            Memory(),
            Rest("standing by"),
        ),
        # Nothing here to turn to: the role stays where it is, until there is.
        (
            replace(GONE, own_database=False),
            Memory(failures=2),
            Memory(failures=2),
            Rest("no database to turn to"),
        ),
        (
            seen(report=ILL, own_database=False),
            Memory(database_failures=17),
            Memory(database_failures=17),
            Rest("no database to turn to"),
        ),
        (replace(GONE, own_database=False), Memory(), Memory(failures=1), Rest("counting")),
        (seen(own_database=False), Memory(), Memory(), Rest("standing by")),
        # We may be the ones who are cut off.
        (replace(GONE, wrote=False), Memory(failures=9), Memory(), Rest("isolated")),
        (replace(GONE, role=None), Memory(failures=9), Memory(), Rest("isolated")),
        (replace(GONE, sees_out=False), Memory(failures=9), Memory(), Rest("blind")),
        (
            seen(report=ILL, sees_out=False),
            Memory(database_failures=99),
            Memory(),
            Rest("blind"),
        ),
        # Both dead: nobody here can tell, and nothing is written.
        (
            replace(GONE, wrote=False, sees_out=False, role=None, report=None),
            Memory(failures=9),
            Memory(),
            Rest("isolated"),
        ),
        # A region that has never said anything is not lost.
        (
            seen(other_answers=False, report=None),
            Memory(failures=9),
            Memory(),
            Rest("never heard of"),
        ),
        # A machine is at it, whichever.
        (
            replace(GONE, role=replace(SERVES_AWAY, phase=Phase.FAILING_OVER)),
            Memory(failures=9),
            Memory(failures=10),  # it is counted for how long
            Rest("moving"),
        ),
        (
            replace(GONE, role=replace(SERVES_HOME, phase=Phase.FAILING_BACK)),
            Memory(failures=9),
            Memory(),
            Rest("moving"),
        ),
    ],
)
def test_a_standby(what, before, after, decision):
    assert decide(what, before, STANDBY) == (after, decision)


def test_an_active_home_gives_up_nobody():
    settings = Settings(region=HOME, other=AWAY, home=HOME)
    for each in (seen(), GONE, seen(sees_out=False), seen(report=None)):
        assert decide(each, Memory(failures=9), settings) == (Memory(), Rest("at home"))


def test_home_may_fail_back_over_to_itself_when_the_other_is_lost():
    """Away is active and lost: home is its standby, and does as any standby does."""
    settings = Settings(region=HOME, other=AWAY, home=HOME)
    found = decide(replace(GONE, role=SERVES_AWAY), Memory(failures=2), settings)
    assert found == (Memory(failures=3), FailOver(6, "unreachable"))


LONG = NOW - 30 * 60
AUTOMATIC = replace(ACTIVE_AWAY, automatic_failback=True)


@pytest.mark.parametrize(
    ("changes", "since", "settings", "after", "decision"),
    [
        ({}, None, ACTIVE_AWAY, NOW, Rest("home is well")),
        ({}, LONG + 1, ACTIVE_AWAY, LONG + 1, Rest("home is well")),
        ({}, LONG, ACTIVE_AWAY, LONG, MayReturn()),
        ({}, LONG, AUTOMATIC, LONG, FailBack(6)),
        ({}, LONG - 1799, AUTOMATIC, LONG - 1799, FailBack(6)),
        ({}, LONG - 1800, AUTOMATIC, LONG - 1800, FailBack(6, before=1)),
        ({}, LONG + 1, AUTOMATIC, LONG + 1, Rest("home is well")),
        ({"other_answers": False}, LONG, AUTOMATIC, None, Rest("home is not well")),
        ({"report": STALE}, LONG, AUTOMATIC, None, Rest("home is not well")),
        ({"report": ILL}, LONG, AUTOMATIC, None, Rest("home is not well")),
        ({"report": replace(WELL, api=False)}, LONG, AUTOMATIC, None, Rest("home is not well")),
        ({"report": None}, LONG, AUTOMATIC, None, Rest("home is not well")),
        ({"wrote": False}, LONG, AUTOMATIC, None, Rest("isolated")),
    ],
)
def test_the_way_back(changes, since, settings, after, decision):
    found = decide(seen(role=SERVES_AWAY, **changes), Memory(healthy_since=since), settings)
    assert found == (Memory(healthy_since=after), decision)


def test_being_taken_back_starts_the_waiting_anew():
    moving = seen(role=replace(SERVES_AWAY, phase=Phase.FAILING_BACK))
    assert decide(moving, Memory(healthy_since=LONG), AUTOMATIC) == (Memory(), Rest("moving"))


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        (SERVES_HOME, "Enabled"),
        (SERVES_AWAY, "Disabled"),
        (replace(SERVES_HOME, phase=Phase.FAILING_OVER), None),
        (replace(SERVES_HOME, phase=Phase.FAILING_BACK), None),
        (replace(SERVES_AWAY, phase=Phase.FAILING_OVER), "Disabled"),
        (replace(SERVES_AWAY, phase=Phase.FAILING_BACK), "Disabled"),
    ],
)
def test_consumers_follow_the_role(role, wanted):
    assert wanted_consumers(role, HOME) == wanted


ENVIRONMENT = {"AWS_REGION": AWAY, "OTHER_REGION": HOME, "HOME_REGION": HOME}


def test_settings_are_read():
    assert Settings.of(ENVIRONMENT) == STANDBY
    assert STANDBY.stale_seconds == 80
    found = Settings.of(
        {
            **ENVIRONMENT,
            "PROBE_ROUNDS": "4",
            "PROBE_ROUND_SECONDS": "5",
            "PROBE_FAILURES": "2",
            "PROBE_DATABASE_FAILURES": "9",
            "REPORT_STALE_SECONDS": "50",
            "HEALTHY_MINUTES": "7",
            "AUTOMATIC_FAILBACK": "yes",
        }
    )
    assert (found.rounds, found.round_seconds, found.failures) == (4, 5, 2)
    assert (found.database_failures, found.healthy_minutes) == (9, 7)
    assert (found.automatic_failback, found.stale_seconds) == (True, 50)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"PROBE_FAILURES": "0"}, "PROBE_FAILURES must be 1"),
        ({"HEALTHY_MINUTES": "0", "PROBE_ROUNDS": "0"}, "HEALTHY_MINUTES and PROBE_ROUNDS"),
        ({"AUTOMATIC_FAILBACK": "true"}, "AUTOMATIC_FAILBACK"),
        ({"OTHER_REGION": AWAY}, "do not make a pair"),
        ({"HOME_REGION": "eu-west-1"}, "do not make a pair"),
        ({"PROBE_ROUNDS": "many"}, "invalid literal"),
    ],
)
def test_settings_that_would_never_or_always_act_are_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        Settings.of({**ENVIRONMENT, **changes})


MOVES_HERE = seen(role=Role(epoch=5, active=AWAY, phase=Phase.FAILING_OVER))


@pytest.mark.parametrize(
    ("rounds", "decision"),
    [
        (1, Rest("moving")),
        (STUCK_AFTER_ROUNDS - 1, Rest("moving")),
        (STUCK_AFTER_ROUNDS, FailOver(5, "not finished", 1)),
        (STUCK_AFTER_ROUNDS + 1, Rest("moving")),
        (2 * STUCK_AFTER_ROUNDS, FailOver(5, "not finished", 2)),
    ],
)
def test_a_failover_that_does_not_end_is_run_again_under_its_epoch(rounds, decision):
    before = Memory(failures=rounds - 1)
    assert decide(MOVES_HERE, before, STANDBY) == (Memory(failures=rounds), decision)


@pytest.mark.parametrize(
    ("active", "phase"),
    [(HOME, Phase.FAILING_OVER), (AWAY, Phase.FAILING_BACK), (HOME, Phase.FAILING_BACK)],
)
def test_what_moves_elsewhere_or_back_is_left_to_its_own(active, phase):
    moving = seen(role=Role(epoch=5, active=active, phase=phase))
    long = Memory(failures=STUCK_AFTER_ROUNDS - 1)
    assert decide(moving, long, STANDBY) == (Memory(), Rest("moving"))
