"""No acknowledged order is lost, none is applied twice, whatever happens to the regions and when.

The code of the handlers runs on tables and databases in memory, in steps of any order: orders come
in and are repeated, hints arrive late, twice or not at all, functions die between any two of their
calls, databases lose their last commits, regions fail over, half of it, and over again, back, and
wake up believing what was. To show that this would find a fault, faults are planted.
"""

from dataclasses import replace

import pytest
from handlers.orders_regions import EAST, ORDERS, WEST, Regions, ViolationError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from order_replayer.service import Replayer
from orders import moments

REGION = st.sampled_from([EAST, WEST])
ORDER = st.sampled_from(ORDERS)
CRASH = st.sampled_from([None, None, "before", "open", "after", "unmarked", "marked", "flying"])
INDEX = st.integers(0, 50)


class Interleavings(RuleBasedStateMachine):
    """Any step at any time."""

    options: dict = {}  # noqa: RUF012 - each planted fault is a subclass with options of its own

    def __init__(self):
        super().__init__()
        self.world = Regions(**self.options)

    @initialize(skew=st.sampled_from([0.0, -400.0, 400.0]), orders=st.lists(ORDER, max_size=3))
    def begin(self, skew, orders):
        """Clocks of two regions may be minutes apart; within a region they are not."""
        self.world.skew[WEST] = skew
        for order in orders:
            self.world.trade(order)
            self.world.replicate(WEST, 1)

    @rule(order=ORDER)
    def trade(self, order):
        self.world.trade(order)

    @rule(
        region=REGION,
        order=ORDER,
        fault=st.sampled_from([None, None, None, "before", "after", "gone", "conflict"]),
    )
    def accept(self, region, order, fault):
        self.world.accept(region, order, fault)

    @rule(region=REGION, index=INDEX, crash=CRASH, stays=st.booleans())
    def deliver(self, region, index, crash, stays):
        hints = self.world.hints[region]
        if hints:
            index %= len(hints)
            is_done = self.world.deliver(region, hints[index], crash=crash)
            if is_done and not stays:
                del hints[index]

    @rule(which=INDEX, index=INDEX, crash=CRASH)
    def wake_up(self, which, index, crash):
        """A function has read long ago that its region serves, and goes on now."""
        roles = [role for role in self.world.roles if role.serves(role.active)]
        orders = self.world.waiting()
        role, order_id = roles[which % len(roles)], orders[index % len(orders)]
        body = f'{{"orderId": "{order_id}"}}'
        self.world.deliver(role.active, body, role=role, crash=crash)

    @precondition(lambda self: self.world.flying)
    @rule(index=INDEX)
    def mark_arrives(self, index):
        self.world.arrive(index % len(self.world.flying))

    @rule(region=REGION, commits=st.booleans())
    def transaction_ends(self, region, commits):
        if self.world.databases[region].open:
            self.world.finish(region, 0, commits=commits)

    @rule(region=REGION, key=st.none() | ORDER.map(lambda order: order.id))
    def index_catches_up(self, region, key):
        if key is None or key in self.world.journal.items:
            self.world.journal.catch_up(region, key)

    @rule(seconds=st.sampled_from([1, 20, 40, 300]), commits=st.booleans())
    def time_passes(self, seconds, commits):
        self.world.advance(seconds, commits=commits)

    @rule(region=REGION, count=st.integers(1, 4))
    def replicate(self, region, count):
        self.world.replicate(region, count)

    @rule(region=REGION, crash=st.sampled_from([None, None, "before", "open", "after"]))
    def sweep(self, region, crash):
        self.world.sweep(region, crash=crash)

    @rule(region=REGION)
    def rebuild(self, region):
        if self.world.can_rebuild(region):
            self.world.rebuild(region)

    @precondition(lambda self: self.world.run is None)
    @rule(region=REGION)
    def fail_over(self, region):
        """Also onto a database that was left behind, and is taken as it is."""
        if self.world.can_fail_over_to(region):
            self.world.start_failover(region)

    @precondition(lambda self: self.world.run is None and self.world.can_fail_back())
    @rule()
    def fail_back(self):
        self.world.start_failback()

    @precondition(lambda self: self.world.run and self.world.run[0] in ("raise", "switch"))
    @rule()
    def switchover_is_refused(self):
        self.world.take_back()

    @precondition(lambda self: self.world.run)
    @rule(
        times=st.sampled_from([1, 2, 3, 10, 10]),
        settles=st.sampled_from([1, 2, 1000]),
        crash=st.sampled_from([None, None, None, "before", "open", "after"]),
    )
    def machine_goes_on(self, times, settles, crash):
        for _ in range(times):
            if self.world.run:
                self.world.step(settles=settles, crash=crash)

    @precondition(lambda self: self.world.run)
    @rule()
    def machine_is_cut_off(self):
        self.world.run = None

    def teardown(self):
        self.world.settle_all()
        self.world.check()
        self.world.check_marks()


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=max(60, settings().max_examples), stateful_step_count=40
)


# Faults, planted: each must be found.


class BelievesAllMarks(Replayer):
    """Replays what is pending, and nothing of what a failover may have lost."""

    def _settle(self, role, deadline, *, until):
        return super()._settle(replace(role, cuts={}), deadline, until=until)


class CutsOneEpoch(Replayer):
    """Cuts the epoch before, and none of those of which nothing may be left."""

    def _prepare(self, role):
        super()._prepare(role)
        newest = self._patient.newest_before(role.epoch)
        cut = moments.BEGINNING if newest is None else newest[1]
        cuts = {role.epoch - 1: cut, **role.cuts}
        return {"cut": cut, "cuts": {str(epoch): {"S": at} for epoch, at in cuts.items()}}


@pytest.mark.parametrize(
    ("fault", "violation"),
    [
        ({"checks_fence": False}, "lost|wrote into the database of epoch"),
        ({"replayer": BelievesAllMarks}, "lost"),
        ({"replayer": CutsOneEpoch}, "lost"),
    ],
    ids=["no fence", "no replay of marks that are doubted", "one cut"],
)
def test_a_fault_is_found(fault, violation):
    class Planted(Interleavings):
        options = fault

        def teardown(self):
            self.world.settle_all()
            self.world.check()

    with pytest.raises(ViolationError, match=violation):
        run_state_machine_as_test(
            Planted,
            settings=settings(
                max_examples=5000,
                stateful_step_count=40,
                phases=[Phase.generate],
                derandomize=True,
                database=None,
                deadline=None,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.parametrize("replayer", [Replayer, CutsOneEpoch])
def test_a_loss_that_reaches_back_over_epochs_without_orders(replayer):
    """Switchovers are refused, as nothing is replicated; then the region is lost."""
    world = Regions(replayer=replayer)
    world.trade(ORDERS[0])
    for _ in range(2):
        world.start_failback()
        world.take_back()
        while world.run:
            world.step()
    world.start_failover(WEST)
    assert world.role().epoch == 6
    world.settle_all()
    if replayer is Replayer:
        world.check()
        assert set(world.role().cuts) == {1, 2, 3, 4, 5}
    else:
        with pytest.raises(ViolationError, match="lost"):
            world.check()
