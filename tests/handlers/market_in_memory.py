"""The table, bucket and topic of the pipeline in this process, as one client each sees them.

The table evaluates the expressions that the handlers write, and nothing else: what it does not know
is an error of the test. That it decides as a table does is held against moto by a test.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, str]]
_TOKEN = re.compile(r"\s*(<>|<=|=|\(|\)|,|[:#]?[A-Za-z_][A-Za-z0-9_]*)")
_SORTS = {"GSI1": "GSI1SK", "TimeSeriesIndex": "TS_SK"}


def refused(operation: str, code: str, status: int = 400, **more: Any) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(answer, operation)


class Crash(BaseException):
    """The function dies here."""


class Table:
    """Items by key, with conditions decided on the item as it is."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def get_item(self, **request: Any) -> dict[str, Any]:
        self.requests.append(("get_item", request))
        found = self.items.get(_key(request["Key"]))
        return {"Item": found} if found else {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        self.requests.append(("put_item", request))
        key = _key(request["Item"])
        self._demand("PutItem", self.items.get(key), request)
        self.items[key] = dict(request["Item"])
        return {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        self.requests.append(("update_item", request))
        key = _key(request["Key"])
        before = self.items.get(key)
        self._demand("UpdateItem", before, request)
        self.items[key] = _updated({**(before or {}), **request["Key"]}, request)
        assert request["ReturnValues"] == "ALL_OLD"
        return {"Attributes": before} if before else {}

    def query(self, **request: Any) -> dict[str, Any]:
        self.requests.append(("query", request))
        sort = _SORTS[request["IndexName"]]
        holds = [
            item
            for item in self.items.values()
            if sort in item and _Condition(request["KeyConditionExpression"], item, request).holds()
        ]
        holds.sort(key=lambda item: item[sort]["S"], reverse=not request["ScanIndexForward"])
        return {"Items": holds[: request.get("Limit")]}

    def _demand(self, operation: str, item: Item | None, request: Mapping[str, Any]) -> None:
        condition = request.get("ConditionExpression")
        if condition is None or _Condition(condition, item or {}, request).holds():
            return
        shown = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item
        more = {"Item": item} if shown else {}
        raise refused(operation, "ConditionalCheckFailedException", **more)


class Silent:
    """A watch that keeps what it is told; what it lets through is market_events' concern."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.counted: list[str] = []

    def say(self, message: str, **more: Any) -> None:
        self.said.append({"message": message, **more})

    def count(self, name: str, amount: int = 1) -> None:
        self.counted.append(name)

    def time(self, name: str, took_ms: float) -> None:
        assert took_ms >= 0

    def annotate(self, event_id: str, event_type: str) -> None:
        pass


class Bucket:
    """Objects by key; `before` is called as a write arrives, `after` as its answer leaves."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.requests: list[dict[str, Any]] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def put_object(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        self.before()
        assert request["IfNoneMatch"] == "*"
        if request["Key"] in self.objects:
            raise refused("PutObject", "PreconditionFailed", 412)
        self.objects[request["Key"]] = request["Body"]
        self.after()
        return {}


class Topic:
    """Messages, in order."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.failures: list[Exception] = []

    def publish(self, **request: Any) -> dict[str, Any]:
        if self.failures:
            raise self.failures.pop(0)
        self.messages.append(request["Message"])
        return {}


def _key(attributes: Item) -> tuple[str, str]:
    return attributes["PK"]["S"], attributes["SK"]["S"]


def _tokens(expression: str) -> list[str]:
    found = _TOKEN.findall(expression)
    assert "".join(found) == re.sub(r"\s", "", expression), expression
    return found


class _Condition:
    """OR of AND of comparisons, `attribute_not_exists` and brackets."""

    def __init__(self, expression: str, item: Item, request: Mapping[str, Any]) -> None:
        self._left = _tokens(expression)
        self._item = item
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})

    def holds(self) -> bool:
        held = self._any()
        assert not self._left, self._left
        return held

    def _take(self, wanted: str | None = None) -> str:
        token = self._left.pop(0)
        assert wanted in (None, token), (wanted, token)
        return token

    def _any(self) -> bool:
        held = self._all()
        while self._left[:1] == ["OR"]:
            self._take()
            held = self._all() or held
        return held

    def _all(self) -> bool:
        held = self._one()
        while self._left[:1] == ["AND"]:
            self._take()
            held = self._one() and held
        return held

    def _one(self) -> bool:
        token = self._take()
        if token == "(":
            held = self._any()
            self._take(")")
            return held
        if token == "attribute_not_exists":
            self._take("(")
            name = self._name(self._take())
            self._take(")")
            return name not in self._item
        found = self._item.get(self._name(token))
        comparison, value = self._take(), self._values[self._take()]
        match comparison:
            case "=":
                return found == value
            case "<>":  # true of what is not there, as in DynamoDB
                return found != value
            case "<=":
                return found is not None and found["S"] <= value["S"]
        raise AssertionError(comparison)

    def _name(self, token: str) -> str:
        return self._names[token] if token.startswith("#") else token


def _updated(item: Item, request: Mapping[str, Any]) -> Item:
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    sets, removes = request["UpdateExpression"].removeprefix("SET ").split(" REMOVE ")
    after = dict(item)
    for each in re.split(r",(?![^(]*\))", sets):
        name, _, value = (part.strip() for part in each.partition("="))
        if kept := re.fullmatch(r"if_not_exists\((#\w+), (:\w+)\)", value):
            after[names[name]] = item.get(names[kept[1]], values[kept[2]])
        else:
            after[names[name]] = values[value]
    for each in removes.split(","):
        after.pop(names[each.strip()], None)
    return after
