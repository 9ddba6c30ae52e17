"""What an expression in a handler may be, as far as it matters to find AWS calls.

A set of these stands for an expression: whatever may reach it. The empty set, and a set with
`Unknown` in it, mean that something may reach it of which we know nothing.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """Could be anything, also an AWS client."""


@dataclass(frozen=True, slots=True)
class Safe:
    """Surely no AWS client: a response, a number, an object of a library that calls nothing."""


@dataclass(frozen=True, slots=True)
class Variable:
    """The value of an environment variable."""

    name: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text put together of what we know; None is a part we do not."""

    parts: tuple[str | Variable | None, ...]


@dataclass(frozen=True, slots=True)
class Environ:
    """`os.environ`."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A mapping as written: what each key and value may be."""

    items: tuple[tuple["Values", "Values"], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, tuple or set as written."""

    items: tuple["Values", ...]


@dataclass(frozen=True, slots=True)
class External:
    """Something of a module outside the package, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True)
class Builtin:
    """A name of the language itself."""

    name: str


@dataclass(frozen=True, slots=True)
class PackageModule:
    """A module of the handler's package."""

    name: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the package; `scope` is its id. `bound` is what its first parameter is."""

    scope: str
    bound: "Value | None" = None


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the package."""

    scope: str


@dataclass(frozen=True, slots=True)
class Instance:
    """Any object of a class of the package: objects of one class are not told apart."""

    scope: str


@dataclass(frozen=True, slots=True)
class Factory:
    """`boto3.client`, `boto3.resource`, `boto3.Session` and the same of a session."""

    makes: str


@dataclass(frozen=True, slots=True)
class Session:
    """A boto3 session."""


@dataclass(frozen=True, slots=True)
class Client:
    """A boto3 client; `region` is what was given as region_name, empty for the own region."""

    service: str
    region: "Values"


@dataclass(frozen=True, slots=True)
class ResourceApi:
    """`boto3.resource(service)`."""

    client: Client


@dataclass(frozen=True, slots=True)
class ResourceMaker:
    """`boto3.resource("dynamodb").Table`, not yet called."""

    client: Client
    kind: str


@dataclass(frozen=True, slots=True)
class ResourceMeta:
    """`.meta` of a resource, whose `.client` is a client."""

    client: Client


@dataclass(frozen=True, slots=True)
class Item:
    """`boto3.resource("dynamodb").Table(name)`."""

    client: Client
    kind: str
    name: "Values"


@dataclass(frozen=True, slots=True)
class Pager:
    """A paginator or waiter, of an operation or of a state waited for."""

    client: Client
    what: str
    is_waiter: bool


@dataclass(frozen=True, slots=True)
class Method:
    """A method that calls AWS: of a client, an item, a paginator or a waiter."""

    owner: Client | Item | Pager
    name: str


@dataclass(frozen=True, slots=True)
class Plain:
    """A method of a text, list, mapping or of the environment."""

    owner: "Text | Dictionary | Listed | Environ"
    name: str


Value = (
    Unknown
    | Plain
    | Safe
    | Text
    | Environ
    | Dictionary
    | Listed
    | External
    | Builtin
    | PackageModule
    | Function
    | Class
    | Instance
    | Factory
    | Session
    | Client
    | ResourceApi
    | ResourceMaker
    | ResourceMeta
    | Item
    | Pager
    | Method
)
Values = frozenset[Value]

NOTHING: Values = frozenset()
UNKNOWN: Values = frozenset({Unknown()})
SAFE: Values = frozenset({Safe()})

# With one of these in hand, code may call AWS.
CARRIERS = (
    Factory,
    Session,
    Client,
    ResourceApi,
    ResourceMaker,
    ResourceMeta,
    Item,
    Pager,
    Method,
)
DEEPEST = 6  # of nested literals; deeper ones are unknown, so that inference ends


def text(value: str) -> Values:
    return frozenset({Text((value,))})


def carries(values: Values) -> bool:
    """Tell whether an AWS client is among `values`, or within a list or mapping of them."""
    for value in values:
        if isinstance(value, CARRIERS):
            return True
        if isinstance(value, Listed) and any(map(carries, value.items)):
            return True
        if isinstance(value, Dictionary) and any(carries(each) for _, each in value.items):
            return True
    return False


def elements(values: Values) -> Values:
    """Say what an element of `values` may be: of a literal, of it; else as little as of it."""
    found: set[Value] = set()
    for value in values:
        match value:
            case Listed(items):
                found.update(*items)
            case Dictionary(items):
                found.update(*(each for _, each in items))
            case Safe() | Text():
                found.add(Safe())
            case _:
                found.add(Unknown())
    return frozenset(found)


def depth(value: Any) -> int:
    """Count how deep literals are nested."""
    match value:
        case frozenset():
            return max(map(depth, value), default=0)
        case Listed(items):
            return 1 + max(map(depth, items), default=0)
        case Dictionary(items):
            return 1 + max((depth(each) for _, each in items), default=0)
    return 0
