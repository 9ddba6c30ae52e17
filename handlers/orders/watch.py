"""Logs, metrics and traces of a function: what may be said, and no way to say more.

A value that does not look like what its field is for is left out, not shortened. Nothing of an
order but its id passes: no owner, symbol, quantity, price or session; no message of AWS or
PostgreSQL.
"""

import re
from collections.abc import Iterable

from orders.failures import Failure, UnexpectedError
from telemetry import watch
from telemetry.watch import matching, rounded

_WORDS = re.compile(r"[a-z][a-z -]{0,59}")
_ERROR = re.compile(r"[A-Z][A-Za-z0-9_]{0,79}")
_FINDING = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,79}")
_VERSION = re.compile(r"v[0-9]{4}_[a-z0-9_]{1,60}")
_ORDER = re.compile(r"o-[0-9a-f]{32}")
_RUN = re.compile(r"(failover|failback)-[0-9]{1,9}(-[0-9]{1,9})?")


class Watch(watch.Watch):
    """What one function may say. Make it where the function's clients are made, once.

    A `Failure` leaves a handler as it is, logged by its name: machines route by it. Any other
    exception leaves as UnexpectedError.
    """

    ours = ("aurora_access", "order", "schema_migrations")
    expected = (Failure,)
    unexpected = UnexpectedError

    def say(
        self,
        message: str,
        *,
        order_id: object = None,
        error: object = None,
        findings: Iterable[object] = (),
        operation: object = None,
        run: object = None,
        epoch: int | None = None,
        version: object = None,
        count: int | None = None,
        took_ms: float | None = None,
    ) -> None:
        """Write one log line: an error if there is an `error`, else information.

        `message` is lower-case words; `error` the name of a class or of one of our errors;
        `findings` are names of fields or of checks.
        """
        said = {
            "order_id": matching(_ORDER, order_id),
            "error": matching(_ERROR, error),
            "findings": sorted({matching(_FINDING, each) or "withheld" for each in findings})
            or None,
            "operation": matching(_WORDS, operation),
            "run": matching(_RUN, run),
            "epoch": epoch,
            "version": matching(_VERSION, version),
            "count": count,
            "took_ms": rounded(took_ms),
        }
        self._write(message, said, is_error=error is not None)

    def told(self, failure: Exception) -> None:
        """Count a failure and write its name down, with what was found."""
        found = failure.findings if isinstance(failure, Failure) else ()
        self.count("Failures")
        self.say("failed", error=type(failure).__name__, findings=found)

    def annotate(self, order_id: str) -> None:
        """Make the trace findable by the order."""
        if _ORDER.fullmatch(order_id):
            self._tracer.put_annotation("orderId", order_id)
