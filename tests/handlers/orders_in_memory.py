"""The tables, queue and databases of orders in this process, as the functions of a region see them.

A table is one for all regions, as a strongly consistent global table is; a region's indexes are
behind until they are told to catch up. Expressions are evaluated, and what is not known here is an
error of the test. A database has a log of commits; a copy has a beginning of it.
"""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError, ReadTimeoutError

from orders import moments
from orders.books import MARGIN_SECONDS, Applied
from orders.failures import NotWritable, StaleEpoch, TemporaryFailure
from orders.journal import APPLIED, PENDING
from orders.trust import Mark

EPOCH = datetime(2026, 11, 20, 12, tzinfo=UTC)
_TOKEN = re.compile(r"\s*(<>|<=|>=|<|>|=|\(|\)|,|[:#]?[A-Za-z_][A-Za-z0-9_]*)")
_INDEXES = {PENDING: ("pending", "acceptedAt"), APPLIED: ("appliedIn", "appliedAt")}


def refused(operation, code, status=400, **more):
    answer = {"Error": {"Code": code, "Message": "secret of o-1"}, **more}
    return ClientError(answer | {"ResponseMetadata": {"HTTPStatusCode": status}}, operation)


def timed_out():
    return ReadTimeoutError(endpoint_url="https://secret.example")


class Crash(BaseException):
    """The function dies here."""


class Table:
    """Items by key. Each region sees writes at once, and its own indexes when they catch up."""

    def __init__(self, key, *, is_lazy=False):
        self.key = key
        self.items = {}
        self.is_lazy = is_lazy
        self.indexed = {}  # region → key → the item as the region's indexes know it

    def put(self, item):
        """Write without a client, as a machine does."""
        self.items[item[self.key]["S"]] = item

    def catch_up(self, region, key=None):
        known = self.indexed.setdefault(region, {})
        known.update(self.items if key is None else {key: self.items[key]})


class Client:
    """A region's client of a table. Each of `faults` is met once: raised before or after a call."""

    def __init__(self, table, region="us-east-1", page=1000):
        self.table = table
        self.region = region
        self.page = page
        self.faults = []  # (operation, "before" or "after", error)
        self.requests = []

    def get_item(self, **request):
        def work():
            assert request["ConsistentRead"] is True
            found = self.table.items.get(request["Key"][self.table.key]["S"])
            return {"Item": dict(found)} if found else {}

        return self._do("get_item", request, work)

    def put_item(self, **request):
        def work():
            key = request["Item"][self.table.key]["S"]
            self._demand("PutItem", self.table.items.get(key), request)
            self._write(key, dict(request["Item"]))
            return {}

        return self._do("put_item", request, work)

    def update_item(self, **request):
        def work():
            key = request["Key"][self.table.key]["S"]
            before = self.table.items.get(key)
            self._demand("UpdateItem", before, request)
            self._write(key, _updated({**(before or {}), **request["Key"]}, request))
            return {}

        return self._do("update_item", request, work)

    def query(self, **request):
        def work():
            partition, sort = _INDEXES[request["IndexName"]]
            known = self.table.indexed.get(self.region, {}) if self.table.is_lazy else None
            items = [
                item
                for item in (self.table.items if known is None else known).values()
                if partition in item
                and sort in item
                and Condition(request["KeyConditionExpression"], item, request).holds()
            ]
            items.sort(key=lambda item: (item[sort]["S"], item[self.table.key]["S"]))
            keys = [item[self.table.key]["S"] for item in items]
            after = request.get("ExclusiveStartKey", {}).get(self.table.key, {}).get("S")
            start = keys.index(after) + 1 if after else 0
            page = items[start : start + self.page]
            is_last = start + self.page >= len(items)
            more = {} if is_last else {"LastEvaluatedKey": {self.table.key: page[-1]["orderId"]}}
            return {"Items": page, **more}

        return self._do("query", request, work)

    def _do(self, operation, request, work):
        self.requests.append((operation, request))
        fault = next((each for each in self.faults if each[0] == operation), None)
        if fault:
            self.faults.remove(fault)
            if fault[1] == "before":
                raise fault[2]
        answer = work()
        if fault:
            raise fault[2]
        return answer

    def _write(self, key, item):
        self.table.items[key] = item

    def _demand(self, operation, item, request):
        condition = request.get("ConditionExpression")
        if condition is None or Condition(condition, item or {}, request).holds():
            return
        shown = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item
        more = {"Item": dict(item)} if shown else {}
        raise refused(operation, "ConditionalCheckFailedException", **more)


class Condition:
    """OR of AND of comparisons, `attribute_exists`, `attribute_not_exists` and brackets."""

    def __init__(self, expression, item, request):
        self._left = _TOKEN.findall(expression)
        assert "".join(self._left) == re.sub(r"\s", "", expression), expression
        self._item = item
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})

    def holds(self):
        held = self._any()
        assert not self._left, self._left
        return held

    def _take(self, wanted=None):
        token = self._left.pop(0)
        assert wanted in (None, token), (wanted, token)
        return token

    def _any(self):
        held = self._all()
        while self._left[:1] == ["OR"]:
            self._take()
            held = self._all() or held
        return held

    def _all(self):
        held = self._one()
        while self._left[:1] == ["AND"]:
            self._take()
            held = self._one() and held
        return held

    def _one(self):
        token = self._take()
        if token == "(":
            held = self._any()
            self._take(")")
            return held
        if token in ("attribute_exists", "attribute_not_exists"):
            self._take("(")
            name = self._name(self._take())
            self._take(")")
            return (name in self._item) is (token == "attribute_exists")
        found = self._item.get(self._name(token))
        comparison, value = self._take(), self._values[self._take()]
        return found is not None and _compare(found, comparison, value)

    def _name(self, token):
        return self._names[token] if token.startswith("#") else token


def _compare(found, comparison, value):
    [(kind, left)], [(other, right)] = found.items(), value.items()
    if kind != other:
        return False
    if kind == "N":
        left, right = int(left), int(right)
    return {
        "=": left == right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[comparison]


def _updated(item, request):
    values = request["ExpressionAttributeValues"]
    sets, _, removes = request["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    for each in sets.split(","):
        name, _, value = (part.strip() for part in each.partition("="))
        item[name] = values[value]
    for each in removes.split(",") if removes else ():
        item.pop(each.strip(), None)
    return item


class Queue:
    """Messages that were sent; fails with each of `failures` first."""

    def __init__(self):
        self.bodies = []
        self.failures = []

    def send_message(self, **request):
        if self.failures:
            raise self.failures.pop(0)
        self.bodies.append(request["MessageBody"])
        return {}


class Heard:
    """Stands for the watch; keeps what it hears."""

    def __init__(self):
        self.lines = []
        self.counted = Counter()

    def say(self, message, **values):
        self.lines.append((message, values))

    def count(self, name, amount=1):
        self.counted[name] += amount

    def time(self, name, took_ms):
        assert took_ms >= 0

    def annotate(self, order_id):
        assert order_id.startswith("o-")


class Database:
    """A region's cluster: what it has committed, in order, and whether it takes writes."""

    def __init__(self, region, clock, *, is_writer):
        self.region = region
        self.clock = clock  # seconds, by this database's own clock
        self.is_writer = is_writer
        self.log = [("fence", 1)]
        self.open = []  # transactions whose client is gone: they may be committed yet
        self._ticks = 0

    @property
    def fence(self):
        return max(each[1] for each in self.log if each[0] == "fence")

    @property
    def rows(self):
        """Order id → (order, applied_at, epoch); the first is the one that is kept."""
        found = {}
        for kind, *row in self.log:
            if kind == "order":
                found.setdefault(row[0].id, tuple(row))
        return found

    def positions(self):
        """What all commits add up to, counted without looking at ids."""
        moved = Counter()
        for kind, *row in self.log:
            if kind == "order":
                order = row[0]
                sign = 1 if order.side == "buy" else -1
                moved[order.owner, order.symbol] += sign * order.quantity
        return moved

    def moment(self):
        """The time by this database's clock; no two are alike."""
        self._ticks += 1
        at = EPOCH + timedelta(seconds=self.clock(), microseconds=self._ticks)
        return moments.written(at)

    def promote(self):
        self.is_writer = True

    def follow(self, writer, length):
        """Become a copy of the first commits of another."""
        self.is_writer = False
        self.open = []
        self.log = writer.log[:length]


class BooksInMemory:
    """The books of `orders.books`, on such a database. `crash` says where the next call dies."""

    def __init__(self, database, *, checks_fence=True, margin=MARGIN_SECONDS, committed=None):
        self.database = database
        self.crash = None  # "before", "open" or "after" its commit
        self.is_down = False
        self._checks_fence = checks_fence
        self._margin = margin
        self._committed = committed or (lambda database, epoch: None)

    def apply_order(self, order, epoch):
        self._write()
        database, crash = self.database, self.crash
        self.crash = None
        if crash == "before":
            raise Crash
        if self._checks_fence and database.fence != epoch:
            raise StaleEpoch("fence")
        if any(row[0].id == order.id for row in database.open):
            raise TemporaryFailure("database busy")  # the index waits for the other transaction
        known = database.rows.get(order.id)
        if known is None:
            row = (order, database.moment(), epoch)
            if crash == "open":
                database.open.append(row)
                raise Crash
            self.commit(row)
        if crash == "after":
            raise Crash
        _, at, row_epoch = known or row
        return Applied(Mark(epoch, at), row_epoch, is_new=known is None)

    def commit(self, row):
        self.database.log.append(("order", *row))
        self._committed(self.database, row[2])

    def finish(self, row, *, commits):
        """Let an open transaction end."""
        self.database.open.remove(row)
        if commits:
            self.commit(row)

    def raise_fence(self, epoch):
        self._write()
        if self.database.open:
            raise TemporaryFailure("database busy")  # its holders are waited for
        if self.database.fence > epoch:
            raise StaleEpoch("fence")
        if self.database.fence < epoch:
            self.database.log.append(("fence", epoch))

    def newest_before(self, epoch):
        rows = [(of, at) for _, at, of in self.database.rows.values() if of < epoch]
        if not rows:
            return None
        newest, at = max(rows)
        return newest, moments.before(at, timedelta(seconds=self._margin))

    def present(self, order_ids):
        return set(order_ids) & self.database.rows.keys()

    def _write(self):
        if self.is_down:
            raise TemporaryFailure("database lost")
        if not self.database.is_writer:
            raise NotWritable("database")
