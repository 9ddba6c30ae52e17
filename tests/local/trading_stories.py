"""Stories of machines: two runs in a world of their own, many side by side, and how they end."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local.trading_machines import CUT, HERE, HOME, MACHINES, World, rendered, tasks

FAILOVER, FAILBACK = MACHINES["failover"], MACHINES["failback"]
# Tasks that only tell: without them the work is done all the same.
TELLING = {"Announce", "Notify"}
# Reached in a run only after something has failed, or in the other region.
ENDING = {"Recheck", "NotifyFailed", "AnnounceFailed"}
TAKING_BACK = {
    "RaiseFenceAgain",
    "ServeAgain",
    "EnableConsumersAgain",
    "LookEnabledAgain",
    "SettleAgain",
    "NotifyTakenBack",
}


def names(make):
    return [name for name, _ in tasks(json.loads(rendered(make))["States"])]


ON_THE_WAY = {
    "failover": [each for each in names(FAILOVER) if each not in {*ENDING, "Unlatch"}],
    "failback": [each for each in names(FAILBACK) if each not in ENDING | TAKING_BACK],
}


@dataclass
class Story:
    """What became of two runs: one in which something happened, and the next, from the start."""

    world: World
    first: dict
    told: list
    events: list
    second: dict
    between: tuple | None  # the role after the first


def prepared(places, name, kind):
    """A world in which a machine has its work to do: home serves, or has been failed over."""
    world = places.world(name)
    return world.fail_over() if kind == "failback" else world


def two_runs(places, name, kind, faults, **how):
    world = prepared(places, name, kind)
    world.script(faults=faults)
    first = world.run(MACHINES[kind], **how)
    between = world.role() if world.item("role") else None
    world.script(faults={})
    second = world.run(MACHINES[kind])
    return Story(world, first, [], [], second, between)


def all_at_once(places, work):
    """Live through many stories side by side, since they wait more than they work."""
    with ThreadPoolExecutor(12) as pool:
        asked = {key: pool.submit(tell) for key, tell in work.items()}
        stories = {key: each.result() for key, each in asked.items()}
    for story in stories.values():
        story.told, story.events = places.about(story.first["executionArn"])
    return stories


def is_failed_over(world, epoch=2):
    assert world.role() == (epoch, HERE, "serving", epoch)
    assert (world.writer(), world.latched()) == (HERE, True)
    assert world.script()["mapping"] == "Enabled"
    assert world.script()["fence"] == epoch
    assert world.cuts()["1"] == CUT


def is_returned(world, epoch=3):
    assert world.role() == (epoch, HOME, "serving", epoch)
    assert (world.writer(), world.latched()) == (HOME, False)
    assert world.script()["mapping"] == "Disabled"
    assert world.script()["fence"] == epoch


def is_done(kind, world):
    (is_failed_over if kind == "failover" else is_returned)(world)


def in_order(entered, *wanted):
    places = [entered.index(each) for each in wanted]
    assert places == sorted(places), list(zip(wanted, places, strict=True))
