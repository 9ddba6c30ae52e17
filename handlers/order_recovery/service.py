"""One question of a machine, from payload to answer or failure."""

import time
from collections.abc import Callable
from typing import Any, assert_never

from order_recovery.core import (
    Operation,
    Served,
    not_ready,
    not_returned,
    not_serving,
    operation_of,
)
from order_recovery.writer import Asks
from orders.failures import NotReady, NotReturned, NotServing, TemporaryFailure
from orders.reports import Report
from orders.role import Role


class Recovery:
    """What one region can say of itself and of the other, asked by its machines.

    `role` and `report` read the failover table; `healthy` asks this region's own API.
    """

    def __init__(
        self,
        database: Asks,
        *,
        role: Callable[[], Role],
        report: Callable[[], Report | None],
        healthy: Callable[[], bool],
        region: str,
        other: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._role = role
        self._report = report
        self._healthy = healthy
        self._region = region
        self._other = other
        self._now = now

    def __call__(self, payload: object) -> dict[str, Any]:
        """Answer, or raise the failure that says `not yet` or `not so`. Changes but the canary."""
        match operation_of(payload):
            case Operation.CANARY:
                self._database.prove_writable(self._region)
                return {"writable": True}
            case Operation.VALIDATE:
                return self._validate()
            case Operation.READY:
                return self._ready()
            case Operation.RETURNED:
                return self._returned()
            case never:
                assert_never(never)

    def _validate(self) -> dict[str, Any]:
        try:
            standing, fence = self._database.standing()
        except TemporaryFailure:
            standing, fence = None, None
        role = self._role()
        seen = Served(
            role=role, region=self._region, api=self._healthy(), standing=standing, fence=fence
        )
        if missing := not_serving(seen):
            raise NotServing(*missing)
        return {"serving": True, "epoch": role.epoch}

    def _ready(self) -> dict[str, Any]:
        lags = self._database.lags()
        role = self._role()
        missing = not_ready(
            role,
            region=self._region,
            other=self._other,
            report=self._report(),
            lags=lags,
            now=int(self._now()),
        )
        if missing:
            raise NotReady(*missing)
        return {"ready": True, "epoch": role.epoch}

    def _returned(self) -> dict[str, Any]:
        role = self._role()
        missing = not_returned(role, other=self._other, report=self._report(), now=int(self._now()))
        if missing:
            raise NotReturned(*missing)
        return {"returned": True, "epoch": role.epoch}
