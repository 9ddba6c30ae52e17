"""Logs, metrics and traces of a function: what may be said, and no way to say more.

A value that does not look like what its field is for is left out, not shortened. Nothing of a
payment but its id passes: no account, amount, key, token or session.
"""

import re
from collections.abc import Iterable

from telemetry import watch
from telemetry.watch import UnexpectedError, matching, rounded

__all__ = ["UnexpectedError", "Watch"]

_NAME = re.compile(r"[A-Z][A-Za-z]{0,79}")  # of an error, as we name classes
_FIELD = re.compile(r"[a-z][A-Za-z]{0,31}")
_VERSION = re.compile(r"v[0-9]{4}_[a-z0-9_]{1,60}")
_PAYMENT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Watch(watch.Watch):
    """What one function may say. Make it where the function's clients are made, once."""

    ours = ("aurora_access", "payments_", "schema_migrations")

    def say(
        self,
        message: str,
        *,
        payment_id: object = None,
        error: object = None,
        fields: Iterable[str] = (),
        version: str | None = None,
        count: int | None = None,
        took_ms: float | None = None,
    ) -> None:
        """Write one log line: an error if there is an `error`, else information."""
        said = {
            "payment_id": matching(_PAYMENT, payment_id),
            "error": matching(_NAME, error),
            "fields": sorted({each for each in fields if _FIELD.fullmatch(each)}) or None,
            "version": matching(_VERSION, version),
            "count": count,
            "took_ms": rounded(took_ms),
        }
        self._write(message, said, is_error=error is not None)

    def annotate(self, payment_id: str) -> None:
        """Make the trace findable by the payment."""
        if _PAYMENT.fullmatch(payment_id):
            self._tracer.put_annotation("paymentId", payment_id)
