"""What the acts of trading-dr's drill share: the place, servers, clients, and what is seen."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tap_templates.deploy.cloud import Wire
from tap_templates.drill.databases import Databases
from tap_templates.drill.following import Following, Log, Probe, Repeating, wait_until
from tap_templates.drill.place import DrillError, Place
from tap_templates.drill.resolver import Resolver, UnresolvedError, read
from tap_templates.drill.tally import Tally
from tap_templates.drill.trading_books import ROLE, Journal, booked, hold
from tap_templates.drill.traffic import Traffic
from tap_templates.local.driver import Move
from tap_templates.local.engine import EngineError
from tap_templates.model.names import Kind

DNS, RDS, FEED, CLIENTS, DRILL = "dns", "rds", "feed", "clients", "drill"
_SETTLED_SECONDS = 90.0
_READY_SECONDS = 120.0
_BETWEEN_RUNS_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a drill is played."""

    clients: int = 4
    load_seconds: float = 3.0  # before the kill, and after the recovery
    stall_seconds: float = 1.0  # of replication, before the kill
    is_manual: bool = False  # the drill starts the machine, not the prober
    replays: bool = True  # False: the negative control
    returns: bool = False  # the second act


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What the compile allows on AWS, in seconds; None where AWS publishes no bound."""

    named: int | None  # until the name leads elsewhere
    accepted: int | None  # until clients know
    noticed: int | None  # until the machine is started
    decided: int | None  # until it orders the promotion


@dataclass(slots=True, kw_only=True)
class Stage:
    """Mutable by nature: `move` is called by the engine while an act goes on."""

    place: Place
    options: Options
    budget: Budget
    log: Log
    databases: Databases
    traffic: Traffic
    wire: Wire
    kept: set[str] = field(default_factory=set)  # orders in the promoted database, at that moment
    marked: set[str] = field(default_factory=set)  # orders that the journal thought applied then
    waiting: set[str] = field(default_factory=set)  # and those it did not
    is_over: bool = False  # the clusters move for show from now on

    def journal(self, region: str) -> Journal:
        return Journal(self.place, self.wire, region)

    def tally(self) -> Tally:
        return hold(self.databases, self.traffic.orders())

    def move(self, move: Move) -> None:
        """Do what the engine asks of whoever has the databases. Runs in a thread of its own."""
        if self.is_over:
            return
        self.log.tell(RDS, f"asks for the writer in {move.to_region}")
        if move.is_data_loss_allowed:
            self.databases.fail_over(move, lambda: self._look(move.to_region))
        else:
            self.databases.switch_over(move)
        self.log.tell("postgres", f"the server of {move.to_region} takes writes")

    def _look(self, region: str) -> None:
        """See what the promoted database has, before anybody may write to it."""
        journal = Journal(self.place, self.place.wires(), region)
        self.kept = booked(self.databases, region)
        self.marked, self.waiting = journal.applied(), journal.pending()


def settle(stage: Stage, region: str) -> tuple[str, ...]:
    """Wait until a region has nothing left to apply; say what it has, if it takes too long.

    The journal says what that is: the queue only gives hints. Without a replay, what the queue of
    the region gave no hint of waits for ever, so only those are waited for.
    """
    journal = stage.journal(region)
    own = set() if stage.options.replays else stage.waiting

    def left() -> int:
        return len(journal.pending() - own)

    too_long = DrillError("drill", "orders still wait", "read the log of the engine")
    stage.log.tell(DRILL, f"waits until {region} has applied what was acknowledged")
    try:
        wait_until(lambda: not left(), too_long, seconds=_SETTLED_SECONDS, every=0.5)
    except DrillError:
        return (f"{left()} orders still wait in {region} after {_SETTLED_SECONDS:g} s",)
    return ()


@contextmanager
def watched(stage: Stage) -> Iterator[None]:
    """Play the scheduler of both regions, and tell what moves, for the time of an act."""
    place = stage.place
    with ExitStack() as stack:
        for region in (place.primary, place.secondary):
            for purpose, payload in (("order-prober", {}), ("order-replayer", _SWEEP)):
                act = _invoking(place, region, purpose, payload)
                stack.enter_context(Repeating(act, pause_seconds=_BETWEEN_RUNS_SECONDS))
        stack.enter_context(Following(stage.log, place.wires(), _probes(place)))
        yield


_SWEEP = {"operation": "sweep"}


def _invoking(
    place: Place, region: str, purpose: str, payload: dict[str, str]
) -> Callable[[], object]:
    wire = place.wires()
    return lambda: place.invoke(wire, region, purpose, payload)


def _probes(place: Place) -> Mapping[str, Probe]:
    """List what is asked all the time, each by its name in the timeline."""

    def clusters(wire: Wire) -> str | None:
        (found,) = wire.call(place.secondary, "rds", "describe_global_clusters")["GlobalClusters"]
        writers = [each for each in found["GlobalClusterMembers"] if each["IsWriter"]]
        regions = ", ".join(each["DBClusterArn"].split(":")[3] for each in writers)
        return f"{found['Status']}, written to in {regions}"

    def feed(wire: Wire) -> str | None:
        name = place.name(Kind.FUNCTION, "order-applier")
        mappings = wire.call(place.secondary, "lambda", "list_event_source_mappings")
        states = [
            each["State"] for each in mappings["EventSourceMappings"] if name in each["FunctionArn"]
        ]
        return f"the applier of {place.secondary} is {', '.join(states)}"

    return {DNS: lambda _: led_to(place), RDS: clusters, FEED: feed}


def led_to(place: Place) -> str | None:
    """Say where the name of the API leads now, in the words of the timeline."""
    try:
        return leads_to(read(place.control("dns", name=f"api.{place.domain}")).region)
    except (EngineError, UnresolvedError):  # nowhere, or the engine is busy with itself
        return None


def leads_to(region: str) -> str:
    return f"the name leads to {region}"


def resolver(place: Place) -> Resolver:
    """Make a client's resolver of the API's name."""
    return Resolver(f"api.{place.domain}", lambda name: place.control("dns", name=name))


def warm_up(stage: Stage) -> None:
    """Wait until the system serves at home: both probers, an order in the books, the name."""
    place = stage.place
    table = place.name(Kind.TABLE, ROLE)

    def said(region: str) -> bool:
        key = {"id": {"S": f"report#{region}"}}
        found = stage.wire.call(
            place.secondary, "dynamodb", "get_item", TableName=table, Key=key, ConsistentRead=True
        )
        return bool(found.get("Item", {}).get("api", {}).get("BOOL"))

    def is_home() -> bool:
        return led_to(place) == leads_to(place.primary)

    def await_that(is_so: Callable[[], bool], otherwise: str) -> None:
        wait_until(is_so, _not_well(otherwise), seconds=_READY_SECONDS)

    await_that(is_home, "the name does not lead home")
    await_that(
        lambda: said(place.primary) and said(place.secondary), "a prober finds its region ill"
    )
    stage.traffic.start(stage.options.clients)
    try:
        await_that(lambda: bool(booked(stage.databases, place.primary)), "no order is booked")
    finally:
        stage.traffic.stop()
    # A function that starts for the first time answers late, which a health check may take for ill.
    await_that(is_home, "the name does not come back home")
    stage.log.tell(DRILL, f"{place.primary} serves, and orders are booked")


def _not_well(what: str) -> DrillError:
    return DrillError(
        "drill", f"{what} after {_READY_SECONDS:g} s", "run with --keep; the engine's log says why"
    )


def pause(seconds: float) -> None:
    """Let the clients go on for a while."""
    time.sleep(seconds)
