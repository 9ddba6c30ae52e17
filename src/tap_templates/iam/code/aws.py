"""How boto3 behaves, on values: what its attributes are and what its calls return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tap_templates.iam.code.values import (
    NOTHING,
    SAFE,
    UNKNOWN,
    Client,
    Environ,
    External,
    Factory,
    Item,
    Method,
    Pager,
    ResourceApi,
    ResourceMaker,
    ResourceMeta,
    Safe,
    Session,
    Text,
    Unknown,
    Value,
    Values,
    Variable,
)

_FACTORIES = {
    "boto3.client": "client",
    "boto3.resource": "resource",
    "boto3.Session": "Session",
    "boto3.session.Session": "Session",
}
# Of boto3 and botocore, all but these may hand out clients: boto3.DEFAULT_SESSION, …
_MAY_CALL = ("boto3.", "botocore.")
_ONLY_TYPES = (
    "boto3.dynamodb",
    "boto3.session",
    "botocore.config",
    "botocore.exceptions",
)
# Attributes of a client that call nothing.
_HARMLESS = frozenset({"can_paginate", "close", "exceptions", "meta", "waiter_names"})


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call is given."""

    positional: tuple[Values, ...]
    named: Mapping[str, Values]
    is_open: bool  # has *args, or **kwargs that we cannot read

    def get(self, position: int, name: str) -> Values:
        """Read an argument that may be given either way; nothing if it is not given."""
        if position < len(self.positional):
            return self.positional[position]
        return self.named.get(name, NOTHING)

    def all(self) -> Sequence[Values]:
        return (*self.positional, *self.named.values())


def external(name: str) -> Value:
    """Say what a name imported from outside the package is."""
    if name in _FACTORIES:
        return Factory(_FACTORIES[name])
    if name.startswith(_MAY_CALL) and not name.startswith(_ONLY_TYPES):
        return Unknown()
    return Environ() if name == "os.environ" else External(name)


def attribute(value: Value, name: str) -> Values:  # noqa: PLR0911  # one case a kind
    """Say what `.name` of an AWS value is, or of a value outside the package."""
    match value:
        case External(root):
            return frozenset({external(f"{root}.{name}")})
        case Session() if name in ("client", "resource"):
            return frozenset({Factory(name)})
        case Client() if name in _HARMLESS:
            return SAFE
        case Client() | Item() | Pager():
            if isinstance(value, Item) and name == "meta":
                return frozenset({ResourceMeta(value.client)})
            return frozenset({Method(value, name)})
        case ResourceApi(client):
            if name == "meta":
                return frozenset({ResourceMeta(client)})
            return frozenset({ResourceMaker(client, name)})
        case ResourceMeta(client) if name == "client":
            return frozenset({client})
        case Session() | ResourceMeta() | Safe():
            return SAFE
    return UNKNOWN


def constants(values: Values) -> set[str] | None:
    """Read texts that are known as they are written; None if any is not."""
    found: set[str] = set()
    for value in values:
        if not isinstance(value, Text) or not all(isinstance(part, str) for part in value.parts):
            return None
        found.add("".join(part for part in value.parts if isinstance(part, str)))
    return found or None


def variable(names: Values, defaults: Values) -> Values:
    """Say what `os.environ[name]` is, or `os.environ.get(name, default)`."""
    known = constants(names)
    if known is None:
        return frozenset({Text((None,))})
    default: str | None = None
    if defaults:
        stated = constants(defaults)
        if stated is None or len(stated) != 1:
            return frozenset({Text((None,))})
        (default,) = stated
    return frozenset(Text((Variable(name, default),)) for name in known)


def call(value: Value, given: Arguments) -> Values:  # noqa: C901, PLR0911  # one case a kind
    """Say what calling an AWS value returns."""
    match value:
        case Factory("Session"):
            return frozenset({Session()})
        case Factory(kind):
            services = constants(given.get(0, "service_name"))
            if services is None or given.is_open:
                return UNKNOWN
            region = given.get(1, "region_name")
            clients = [Client(service, region) for service in services]
            return frozenset(ResourceApi(c) if kind == "resource" else c for c in clients)
        case ResourceMaker(client, kind):
            return frozenset({Item(client, kind, given.get(0, "name"))})
        case Method(Client() as client, "get_paginator" | "get_waiter" as name):
            states = constants(given.get(0, "operation_name")) or constants(
                given.get(0, "waiter_name")
            )
            if states is None:
                return UNKNOWN
            return frozenset(Pager(client, each, name == "get_waiter") for each in states)
        case Method():
            return SAFE  # a response holds no client
        case External("os.getenv"):
            return variable(given.get(0, "key"), given.get(1, "default"))
        case External("typing.cast"):
            return given.get(1, "val")
        case External() | Safe():
            return SAFE  # a client given to it is reported where it is called
    return UNKNOWN
