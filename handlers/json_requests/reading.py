"""From the body of a request to what it says. Pure; nothing in it is believed, nor quoted."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn


class Unread(Exception):  # noqa: N818  # an answer, not a defect
    """A request that cannot be read, and what is answered to it."""

    def __init__(self, status: int, error: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.headers = headers or {}


@contextmanager
def told_by(refused: Callable[..., Exception]) -> Iterator[None]:
    """Refuse as a system does what cannot be read: `refused(status, error, headers=…)`."""
    try:
        yield
    except Unread as unread:
        raise refused(unread.status, unread.error, headers=unread.headers) from None


def mapping(value: object) -> Mapping[Any, Any]:
    """Give an object's names and values; none of what is no object."""
    return value if isinstance(value, dict) else {}


def only(method: object, allowed: str) -> None:
    """Refuse every other method."""
    if method != allowed:
        raise Unread(405, "MethodNotAllowed", {"allow": allowed})


def check_type(content_type: object) -> None:
    """Refuse what is not sent as JSON in UTF-8."""
    said = content_type if isinstance(content_type, str) else ""
    media, *parameters = (part.strip().lower() for part in said.split(";"))
    is_plain = all(each in ("", "charset=utf-8", 'charset="utf-8"') for each in parameters)
    if media != "application/json" or not is_plain:
        raise Unread(415, "UnsupportedMediaType", {"accept": "application/json"})


def text_of(request: Mapping[Any, Any], bytes_max: int) -> str:
    """Read the body as text, its size checked before anything is decoded."""
    body, is_base64 = request.get("body"), request.get("isBase64Encoded", False)
    if body is None or body == "":
        raise Unread(400, "EmptyBody")
    if not isinstance(body, str) or not isinstance(is_base64, bool):
        raise Unread(400, "UnreadableBody")
    if len(body) > ((bytes_max + 2) // 3 * 4 if is_base64 else bytes_max):
        raise Unread(413, "BodyTooLarge")
    try:
        raw = base64.b64decode(body, validate=True) if is_base64 else body.encode()
    except (binascii.Error, ValueError):  # no Base64, or no ASCII; half a surrogate pair in text
        raise Unread(400, "NotBase64" if is_base64 else "NotUtf8") from None
    if len(raw) > bytes_max:
        raise Unread(413, "BodyTooLarge")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Unread(400, "NotUtf8") from None


def no_constant(_: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError


def loaded(
    text: str,
    *,
    parse_float: Callable[[str], object],
    parse_int: Callable[[str], object],
    parse_constant: Callable[[str], object] = no_constant,
) -> Any:
    """Read JSON; a ValueError of what makes the numbers is `NotJson` as well."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=parse_float,
            parse_int=parse_int,
            parse_constant=parse_constant,
        )
    except RecursionError:
        raise Unread(400, "TooDeep") from None
    except ValueError:
        raise Unread(400, "NotJson") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name given twice: two readers could take two different values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unread(400, "DuplicateName")
    return found
