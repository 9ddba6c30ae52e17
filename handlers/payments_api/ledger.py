"""The ledger in PostgreSQL: one transaction books a payment with its two entries, or nothing.

Isolation is READ COMMITTED, on purpose. Whether a key is new is decided by its unique index alone:
a second insert of the key waits for the first to commit or roll back, and the read after it sees
what was committed. Balances are moved by the database, row by row in the order of account ids, so
two payments never wait for each other in a circle. SERIALIZABLE would add aborts and no safety.

A connection that is lost leaves open whether COMMIT was done. The answer is always the same: do all
of it again on a new connection. The insert finds the key if it was done (also while the old server
process is still at it: then it waits), and `booked_by` says that the work is our own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from aurora_access.connecting import Connection, Database
from aurora_access.faults import constraint_of
from aurora_access.persisting import GaveUpError, Persistence, persist
from payments_api.core import Payment, Problem, Refused

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
# No conflict target: the id follows from the key, so either unique index may be hit first.
_ADD_PAYMENT = """
INSERT INTO payments.payment (
    payment_id, idempotency_key, digest, debtor, creditor, currency, amount, card_token, reference,
    answer, booked_at, booked_in, booked_by
) VALUES (
    %(id)s, %(key)s, %(digest)s, %(debtor)s, %(creditor)s, %(currency)s, %(amount)s,
    %(card_token)s, %(reference)s, %(answer)s, now(), %(region)s, %(request)s
)
ON CONFLICT DO NOTHING
RETURNING payment_id
"""
_FIND_BY_KEY = """
SELECT digest, answer, booked_by FROM payments.payment WHERE idempotency_key = %(key)s
"""
_ADD_ENTRIES = """
INSERT INTO payments.entry (payment_id, side, account_id, currency, amount)
SELECT %(id)s, side, account_id, %(currency)s, amount
FROM (
    VALUES ('DEBIT', %(debtor)s, -%(amount)s::numeric), ('CREDIT', %(creditor)s, %(amount)s)
) AS entry (side, account_id, amount)
ORDER BY account_id
"""
_FIND_BY_ID = "SELECT answer FROM payments.payment WHERE payment_id = %(id)s"

# Refusals of the business: constraint → error, and the field at fault.
_REFUSALS = {
    "account_balance_not_below_lowest": (
        "InsufficientFunds",
        "debtor",
        "an account with the funds",
    ),
    "entry_currency_of_account": ("CurrencyMismatch", "currency", "the currency of both accounts"),
    "payment_creditor_known": ("UnknownAccount", "creditor", "an account that exists"),
    "payment_debtor_known": ("UnknownAccount", "debtor", "an account that exists"),
}

_Result = TypeVar("_Result")


class LedgerRefusedError(Exception):
    """A constraint that no request can violate was violated: a defect. The text is its name."""


class DatabaseUnavailableError(Exception):
    """The database cannot do it now. The text is a fault's name. With the same key, ask again."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A payment that is in the ledger."""

    answer: str
    is_replay: bool


class Ledger:
    """Books payments, each key once."""

    def __init__(
        self,
        database: Database,
        persistence: Persistence,
        *,
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._persistence = persistence
        self._count = count

    def book(self, payment: Payment, *, answer: str, region: str, request: str) -> Booked:
        """Book a payment unless its key is booked; then give what was answered the first time.

        `request` must be unique to this call. Raises Refused (409 for a key with another payment,
        422 for what the business refuses) and DatabaseUnavailableError.
        """
        values = {
            "id": payment.id,
            "key": payment.key,
            "digest": payment.digest,
            "debtor": payment.debtor,
            "creditor": payment.creditor,
            "currency": payment.currency,
            "amount": payment.amount,
            "card_token": payment.card_token,
            "reference": payment.reference,
            "answer": answer,
            "region": region,
            "request": request,
        }
        return self._persist(lambda connection: _book(connection, values))

    def find(self, payment_id: str) -> str | None:
        """Give what was answered to a payment; None if there is none. Works on a standby too."""

        def read(connection: Connection) -> str | None:
            row = connection.execute(_FIND_BY_ID, {"id": payment_id}).fetchone()
            return None if row is None else str(row[0])

        return self._persist(read)

    def _persist(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do the work until it is done, refused, or time is up. It must be safe to do twice."""
        try:
            return persist(self._database, work, self._persistence, count=self._count)
        except GaveUpError as gave_up:
            raise DatabaseUnavailableError(gave_up.fault.name) from None
        except psycopg.errors.IntegrityError as error:
            raise _refusal(error) from None


def _book(connection: Connection, values: dict[str, Any]) -> Booked:
    connection.execute(_BEGIN)
    if connection.execute(_ADD_PAYMENT, values).fetchone() is None:
        stored = connection.execute(_FIND_BY_KEY, values).fetchone()
        connection.execute("ROLLBACK")
        if stored is None:
            raise LedgerRefusedError("payment_pkey")  # two keys of one id: a broken digest
        digest, answer, booked_by = stored
        if digest != values["digest"]:
            raise Refused(409, "IdempotencyKeyReused")
        return Booked(answer, is_replay=booked_by != values["request"])
    connection.execute(_ADD_ENTRIES, values)
    ended = connection.execute("COMMIT")
    if ended.statusmessage != "COMMIT":  # PostgreSQL answers ROLLBACK, and no error, if it must
        raise psycopg.OperationalError("not committed")
    return Booked(values["answer"], is_replay=False)


def _refusal(error: psycopg.Error) -> Exception:
    name = constraint_of(error) or "unknown"
    if name not in _REFUSALS:
        return LedgerRefusedError(name)
    kind, field, rule = _REFUSALS[name]
    return Refused(422, kind, [Problem(field, rule)])
