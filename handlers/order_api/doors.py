"""From a REST proxy event to what is asked for. Pure.

Nothing in it is believed, in this order: what is called, who calls, how much is sent, and only then
what it says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from json_requests.reading import check_type, loaded, mapping, only, text_of, told_by
from order_api.answers import Refused
from orders.order import ORDER_ID, InvalidOrder, Order, Problem, order_of

BODY_BYTES_MAX = 16 * 1024
_SESSION = re.compile(r"[A-Za-z0-9_-]{16,128}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_ENTRIES_MAX = 50
_VALUE_MAX = 1000  # characters
_VERSION_MAX = 10**9
# Of an assumed role, what follows is the session's name, which its user chooses.
_CALLER = re.compile(
    r"arn:aws[a-z-]*:(?:sts::(?P<of_role>[0-9]{12}):assumed-role/(?P<role>[A-Za-z0-9+=,.@_-]{1,64})/"
    r"[A-Za-z0-9+=,.@_-]{2,64}"
    r"|iam::(?P<of_user>[0-9]{12}):user/(?:[\x21-\x7e]*/)?(?P<user>[A-Za-z0-9+=,.@_-]{1,64}))"
)


@dataclass(frozen=True, slots=True)
class AskHealth:
    """Does this function run; if `is_deep`: does the journal take this region's writes?"""

    is_deep: bool


@dataclass(frozen=True, slots=True)
class AskFlag:
    """Is traffic to stay away from the home region?"""


@dataclass(frozen=True, slots=True)
class AskOrder:
    """What became of an order?"""

    owner: str
    order_id: str


@dataclass(frozen=True, slots=True)
class AskSession:
    """What does a session know?"""

    owner: str
    session_id: str


@dataclass(frozen=True, slots=True)
class PutSession:
    """Write a session anew, if it still has that version; 0 if there is none yet."""

    owner: str
    session_id: str
    version: int
    data: Mapping[str, str]


Asked = AskHealth | AskFlag | AskOrder | AskSession | PutSession | Order
_OPEN: Mapping[str, AskHealth | AskFlag] = {
    "/health": AskHealth(is_deep=False),
    "/health/deep": AskHealth(is_deep=True),
    "/dr-flag": AskFlag(),
}


@told_by(Refused)
def asked(given: object) -> Asked:
    """Read a request; raise Refused."""
    request = mapping(given)
    given_path, method = request.get("path"), request.get("httpMethod")
    path = given_path if isinstance(given_path, str) else ""
    if path in _OPEN:
        only(method, "GET")
        return _OPEN[path]
    kind, _, name = path.removeprefix("/").partition("/")
    if kind not in ("orders", "sessions") or (kind == "sessions" and not name):
        raise Refused(404, "NotFound")
    owner = _owner(request)
    if kind == "sessions":
        return _session(request, owner, name)
    if name:
        only(method, "GET")
        if not ORDER_ID.fullmatch(name):
            raise Refused(404, "OrderNotFound")
        return AskOrder(owner, name)
    only(method, "POST")
    try:
        return order_of(owner, _loaded(request))
    except InvalidOrder as invalid:
        raise Refused(400, "InvalidOrder", invalid.problems) from None


def _session(request: Mapping[Any, Any], owner: str, session_id: str) -> AskSession | PutSession:
    method = request.get("httpMethod")
    if method not in ("GET", "PUT"):
        raise Refused(405, "MethodNotAllowed", headers={"allow": "GET, PUT"})
    if not _SESSION.fullmatch(session_id):
        raise Refused(404, "SessionNotFound")
    if method == "GET":
        return AskSession(owner, session_id)
    given = _loaded(request)
    problems = []
    if not isinstance(given, dict) or given.keys() != {"version", "data"}:
        raise Refused(400, "InvalidSession", [Problem("body", "an object of version and data")])
    version, data = given["version"], given["data"]
    is_version = isinstance(version, int) and not isinstance(version, bool)
    if not is_version or not 0 <= version < _VERSION_MAX:
        problems.append(Problem("version", "the version it has; 0 if it is new"))
    if not _is_data(data):
        rule = f"at most {_ENTRIES_MAX} names with texts of at most {_VALUE_MAX} characters"
        problems.append(Problem("data", rule))
    if problems:
        raise Refused(400, "InvalidSession", problems)
    return PutSession(owner, session_id, version, data)


def _is_data(given: object) -> bool:
    return (
        isinstance(given, dict)
        and len(given) <= _ENTRIES_MAX
        and all(
            _NAME.fullmatch(name) and isinstance(value, str) and len(value) <= _VALUE_MAX
            for name, value in given.items()
        )
    )


def _owner(request: Mapping[Any, Any]) -> str:
    """Name the IAM role or user that signed. The API demands IAM; should it not, nobody passes."""
    identity = mapping(mapping(request.get("requestContext")).get("identity"))
    arn = identity.get("userArn")
    found = _CALLER.fullmatch(arn) if isinstance(arn, str) else None
    if found is None:
        raise Refused(401, "Unauthorized")
    if found["role"]:
        return f"{found['of_role']}:role/{found['role']}"
    return f"{found['of_user']}:user/{found['user']}"


def _loaded(request: Mapping[Any, Any]) -> Any:
    check_type(_header(request, "content-type"))
    return loaded(
        text_of(request, BODY_BYTES_MAX),
        parse_float=_no_number,
        parse_int=_small,
        parse_constant=_no_number,
    )


def _no_number(_: str) -> NoReturn:
    """Refuse what no field of ours is: fractions are texts, NaN and Infinity are no JSON."""
    raise Refused(400, "NumberRefused")


def _small(digits: str) -> int:
    if len(digits) > 10:
        raise Refused(400, "NumberRefused")
    return int(digits)


def _header(request: Mapping[Any, Any], wanted: str) -> object:
    found = [
        value
        for name, value in mapping(request.get("headers")).items()
        if isinstance(name, str) and name.lower() == wanted
    ]
    if len(found) > 1:
        raise Refused(400, "AmbiguousHeaders")
    return found[0] if found else None
