"""Two regions with the code of the real handlers, and everything that may go wrong between them.

A step is one call of a function, one write of a machine, or a fault. Steps come in any order that
AWS allows; what a machine does is in its order, cut off anywhere.
"""

from contextlib import suppress
from datetime import timedelta

from handlers.orders_in_memory import (
    EPOCH,
    BooksInMemory,
    Client,
    Crash,
    Database,
    Heard,
    Queue,
    Table,
    refused,
    timed_out,
)

from order_api.acceptance import Acceptance, Patience
from order_api.answers import Refused
from order_applier.service import Applier
from order_replayer import tasks
from order_replayer.service import RESERVE_SECONDS, Replayer
from orders.applying import settle
from orders.failures import Failure
from orders.journal import Journal
from orders.order import order_of
from orders.role import Phase, read_role

EAST, WEST = "us-east-1", "us-east-2"
OTHER = {EAST: WEST, WEST: EAST}
LONGEST_TRANSACTION = 55  # seconds; the margin is more
ORDERS = [
    order_of(
        f"111122223333:role/{owner}",
        {
            "clientOrderId": f"c{number}",
            "symbol": "AMZN",
            "side": side,
            "quantity": str(2**number),
            "price": "1",
        },
    )
    for number, (owner, side) in enumerate(
        [("one", "buy"), ("one", "sell"), ("two", "buy"), ("two", "buy"), ("one", "buy")]
    )
]


class ViolationError(AssertionError):
    """What must never be."""


class Late(Client):
    """A client whose next marks are on their way when the function dies; they may arrive yet."""

    def __init__(self, table, region, flying):
        super().__init__(table, region)
        self._flying = flying

    def update_item(self, **request):
        self._flying.append((self.region, request))
        raise Crash


class Regions:
    """Both regions. `books` are options of the databases; `replayer` makes one."""

    def __init__(self, *, replayer=Replayer, **books):
        self.now = 0.0
        self.skew = {EAST: 0.0, WEST: 0.0}
        self.journal, self.failover = Table("orderId", is_lazy=True), Table("id")
        self.databases = {
            EAST: Database(EAST, lambda: self.clock(EAST), is_writer=True),
            WEST: Database(WEST, lambda: self.clock(WEST), is_writer=False),
        }
        self.copies_of = {EAST: None, WEST: EAST}
        self.began = {}  # id of an open transaction → when
        self.acknowledged = {}
        self.hints = {EAST: [], WEST: []}
        self.flying = []  # marks that were sent by functions that are gone
        self.roles = [self.role()]  # all that ever were: what a function may still believe
        self.run = None  # the machine: (what comes next, region, epoch)
        self.cuts = None
        self._replayer = replayer
        self._books = books

    def clock(self, region):
        return self.now + self.skew[region]

    # What there is in a region.

    def role(self):
        return read_role(Client(self.failover), "t", home=EAST)

    def client(self, region):
        return Client(self.journal, region, page=2)

    def books(self, region, crash=None):
        made = BooksInMemory(self.databases[region], committed=self._committed, **self._books)
        made.crash = crash
        return made

    def _committed(self, database, epoch):
        role = self.role()
        if role.serves(database.region) and epoch != role.epoch:
            raise ViolationError(f"epoch {epoch} wrote into the database of epoch {role.epoch}")

    def waiting(self):
        """Name the orders that are not applied; all, if there is none."""
        items = self.journal.items.items()
        return [key for key, item in items if "pending" in item] or [order.id for order in ORDERS]

    # The API.

    def accept(self, region, order, fault=None):
        """Take an order. A fault of every attempt leaves it unacknowledged, written or not."""
        client = self.client(region)
        error = timed_out() if fault else None
        times = 20 if fault == "gone" else 1
        if fault == "conflict":
            error = refused("PutItem", "ReplicatedWriteConflictException", 400)
        when = "after" if fault == "after" else "before"
        client.faults = [("put_item", when, error)] * times if fault else []
        queue = Queue()
        queue.failures = [timed_out()] if fault else []
        patience = Patience(stopwatch=lambda: 0.0, sleep=lambda _: None, chance=lambda: 0.0)
        acceptance = Acceptance(
            Journal(client, "t"),
            queue,
            "url",
            region=region,
            patience=patience,
            now=lambda: EPOCH + timedelta(seconds=self.now),
        )
        with suppress(Refused):
            acceptance.accept(order)
            self.acknowledged[order.id] = order
        self.hints[region] += queue.bodies

    # The applier.

    def deliver(self, region, body, *, role=None, crash=None):
        """Have the queue deliver a hint; tell whether it is done with. A role may be an old one."""
        books = self.books(region, crash if crash in ("before", "open", "after") else None)
        client = self.client(region)
        if crash == "unmarked":
            client.faults = [("update_item", "before", Crash())]
        if crash == "marked":
            client.faults = [("update_item", "after", Crash())]
        if crash == "flying":
            client = Late(self.journal, region, self.flying)
        applier = Applier(
            (lambda: role) if role else self.role,
            Journal(client, "t"),
            books,
            Heard(),
            region=region,
        )
        is_done = False
        with suppress(Crash):
            event = {"Records": [{"messageId": "m", "body": body}]}
            is_done = applier(event) == {"batchItemFailures": []}
        for row in self.databases[region].open:
            self.began.setdefault(id(row), self.now)
        return is_done

    def trade(self, order):
        """Take an order and apply it, as on any other day."""
        role = self.role()
        self.accept(role.active, order)
        for body in self.hints[role.active]:
            self.deliver(role.active, body)
        self.hints[role.active] = []

    def arrive(self, index):
        """Let a mark arrive whose sender is gone."""
        region, request = self.flying.pop(index)
        with suppress(Exception):
            self.client(region).update_item(**request)

    def finish(self, region, index, *, commits):
        """Let the database end a transaction whose client is gone."""
        row = self.databases[region].open[index]
        self.books(region).finish(row, commits=commits)

    # Time, copies, indexes.

    def advance(self, seconds, *, commits):
        for region, database in self.databases.items():
            for row in [*database.open]:
                if self.now + seconds - self.began[id(row)] > LONGEST_TRANSACTION:
                    self.books(region).finish(row, commits=commits)
        self.now += seconds

    def replicate(self, region, count):
        source = self.copies_of[region]
        if source is not None:
            known, log = self.databases[region].log, self.databases[source].log
            self.databases[region].log = log[: len(known) + count]

    def rebuild(self, region):
        """Make a region's database anew, as a copy of the one that is written to."""
        other = OTHER[region]
        self.databases[region].follow(self.databases[other], len(self.databases[other].log))
        self.copies_of[region] = other

    def can_rebuild(self, region):
        return (
            self.copies_of[region] is None
            and self.run is None
            and self.role().active == OTHER[region]
            and self.databases[OTHER[region]].is_writer
        )

    # The replayer.

    def replay(self, region, task, *, settles=1000, crash=None):
        ticks = iter(range(10**6))
        books = self.books(region, crash)
        replayer = self._replayer(
            self.role,
            Journal(self.client(region), "t"),
            [books],
            lambda key, body: None,
            Heard(),
            region=region,
            now=lambda: EPOCH + timedelta(seconds=self.now),
            stopwatch=lambda: next(ticks),
        )
        try:
            return replayer(task, RESERVE_SECONDS + settles)
        finally:
            for row in self.databases[region].open:
                self.began.setdefault(id(row), self.now)

    def sweep(self, region, *, crash=None):
        with suppress(Failure, Crash):
            self.replay(region, tasks.Sweep(), crash=crash)

    # The machines.

    def write_role(self, epoch, active, phase, cuts):
        said = {str(each): {"S": at} for each, at in cuts.items()}
        self.failover.put(
            {
                "id": {"S": "role"},
                "epoch": {"N": str(epoch)},
                "active": {"S": active},
                "phase": {"S": phase.value},
                "cuts": {"M": said},
            }
        )
        self.roles.append(self.role())

    def can_fail_over_to(self, region):
        """Any other region may be made active; and one that was to be, and is not yet."""
        role = self.role()
        return not role.serves(region)

    def start_failover(self, region):
        role = self.role()
        epoch = role.epoch
        if not (role.active == region and role.phase is Phase.FAILING_OVER):
            epoch += 1
            self.write_role(epoch, region, Phase.FAILING_OVER, role.cuts)
        self.run = ("promote", region, epoch)

    def start_failback(self):
        role = self.role()
        self.write_role(role.epoch + 1, OTHER[role.active], Phase.FAILING_BACK, role.cuts)
        self.run = ("raise", role.active, role.epoch + 1)

    def can_fail_back(self):
        role = self.role()
        return role.serves(role.active) and self.copies_of[OTHER[role.active]] == role.active

    def take_back(self):
        """The switchover was refused: this region goes on, under a new epoch."""
        _, region, epoch = self.run
        self.write_role(epoch + 1, region, Phase.FAILING_BACK, self.role().cuts)
        self.run = ("raise again", region, epoch + 1)

    def step(self, *, settles=1000, crash=None):
        """Do what the machine does next; stay there if it fails, as its retry does."""
        what, region, epoch = self.run
        with suppress(Failure, Crash):
            self.run = self._stepped(what, region, epoch, settles, crash)

    def _stepped(self, what, region, epoch, settles, crash):  # noqa: PLR0911 - one case a state
        role = self.role()
        match what:
            case "promote":
                self.databases[region].promote()
                self.copies_of[region] = None
                self.copies_of[OTHER[region]] = None  # on its own, and does not know yet
                return "prepare", region, epoch
            case "prepare":
                self.cuts = self.replay(region, tasks.Prepare(epoch))["cuts"]
                return "record", region, epoch
            case "record":
                cuts = {int(each): at["S"] for each, at in self.cuts.items()}
                self.write_role(epoch, region, role.phase, cuts)
                return "replay", region, epoch
            case "replay":
                task = tasks.Replay(epoch, 0, 0)
                done = self.replay(region, task, settles=settles, crash=crash)["done"]
                return ("serve" if done else "replay"), region, epoch
            case "raise" | "raise again":
                self.replay(region, tasks.Raise(epoch))
                return ("switch" if what == "raise" else "serve"), region, epoch
            case "switch":
                self._switch(region)
                return "serve", OTHER[region], epoch
            case "serve":
                self.write_role(epoch, role.active, Phase.SERVING, role.cuts)
                return None
        raise AssertionError(what)

    def _switch(self, region):
        """Give the database to the other region, with all that it has."""
        here, there = self.databases[region], self.databases[OTHER[region]]
        assert not here.open
        there.log = here.log[:]
        there.promote()
        here.is_writer = False
        self.copies_of = {region: OTHER[region], OTHER[region]: None}

    # The end.

    def settle_all(self):
        """Let everything come to rest: transactions, marks, machines, indexes, sweeps."""
        for region, database in self.databases.items():
            while database.open:
                self.finish(region, 0, commits=True)
        while self.flying:
            self.arrive(0)
        self.run = None
        role = self.role()
        if role.phase is not Phase.SERVING:
            self.start_failover(role.active)
            for _ in range(20):
                if self.run:
                    self.step()
        role = self.role()
        assert role.phase is Phase.SERVING
        assert self.databases[role.active].is_writer
        for _ in range(3):
            self.now += 120
            for region in OTHER:
                self.journal.catch_up(region)
            self.replay(role.active, tasks.Sweep())

    def check(self):
        """Every acknowledged order is in the active database once, and nothing that is none."""
        role = self.role()
        database = self.databases[role.active]
        rows = database.rows
        if lost := self.acknowledged.keys() - rows.keys():
            raise ViolationError(f"lost: {sorted(lost)}")
        if database.positions() != Database.positions(_once(rows)):
            raise ViolationError("an order moved its position twice")
        if made_up := rows.keys() - self.journal.items.keys():
            raise ViolationError(f"never ordered: {sorted(made_up)}")

    def check_marks(self):
        """Nothing is left to do: every mark says what is so, and is believed."""
        role = self.role()
        database = self.databases[role.active]
        journal = Journal(self.client(role.active), "t")
        for order_id in self.journal.items:
            books = BooksInMemory(database)
            outcome = settle(order_id, role, journal=journal, books=books)
            if outcome != "done":
                raise ViolationError(f"not settled: {order_id} was {outcome}")


class _Rows:
    def __init__(self, log):
        self.log = log


def _once(rows):
    return _Rows([("order", *row) for row in rows.values()])


__all__ = ["EAST", "ORDERS", "OTHER", "WEST", "Regions", "ViolationError"]
