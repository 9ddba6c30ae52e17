"""The Query protocol of CloudFormation: flat parameters in, XML out. Pure."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
Answer = tuple[int, dict[str, str], bytes]
# What XML 1.0 cannot carry, even escaped; a template or a reason may hold it.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f￾￿]")


def unflatten(params: Mapping[str, Any]) -> dict[str, Any]:
    """Read `A.member.1.B=x` as `{"A": [{"B": "x"}]}`; a bare `A=` is an empty text."""
    tree: dict[str, Any] = {}
    for key, value in params.items():
        parts = key.split(".")
        node = tree
        for part in parts[:-1]:
            inner = node.setdefault(part, {})
            node = inner if isinstance(inner, dict) else node
        node[parts[-1]] = value[0] if isinstance(value, list) else value
    listed = _lists(tree)
    return listed if isinstance(listed, dict) else {}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"} and isinstance(node["member"], dict):
        members = sorted(node["member"].items(), key=lambda item: int(item[0]))
        return [_lists(each) for _, each in members]
    return {key: _lists(value) for key, value in node.items()}


def flatten(prefix: str, value: Any) -> dict[str, list[str]]:
    """Write `value` as Query parameters under `prefix`."""
    if isinstance(value, Mapping):
        joined: dict[str, list[str]] = {}
        for key, each in value.items():
            joined |= flatten(f"{prefix}.{key}" if prefix else key, each)
        return joined
    if isinstance(value, list):
        joined = {}
        for index, each in enumerate(value, start=1):
            joined |= flatten(f"{prefix}.member.{index}", each)
        return joined
    return {} if value is None else {prefix: [_text(value)]}


def xml(tag: str, value: Any) -> str:
    """Write one element; None is no element."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return f"<{tag}>{''.join(xml(key, each) for key, each in value.items())}</{tag}>"
    if isinstance(value, list):
        return f"<{tag}>{''.join(xml('member', each) for each in value)}</{tag}>"
    return f"<{tag}>{escape(_UNSPEAKABLE.sub('?', _text(value)))}</{tag}>"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def answer(action: str, result: Mapping[str, Any]) -> Answer:
    """Write a successful response."""
    inner = "".join(xml(key, value) for key, value in result.items())
    body = (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    )
    return 200, {"Content-Type": "application/xml"}, body.encode()


def error(code: str, message: str, status: int) -> Answer:
    """Write an error."""
    said = {"Type": "Sender", "Code": code, "Message": message}
    body = (
        f'<ErrorResponse xmlns="{NAMESPACE}">{xml("Error", said)}'
        f"<RequestId>{uuid4()}</RequestId></ErrorResponse>"
    )
    return status, {"Content-Type": "application/xml"}, body.encode()


def read(body: bytes, tag: str) -> str | None:
    """Find the text of an element in an answer of the engine's own handlers."""
    found = re.search(f"<{tag}>(.*?)</{tag}>", body.decode(), re.DOTALL)
    if not found:
        return None
    text = found.group(1)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'")):
        text = text.replace(entity, character)
    return text.replace("&amp;", "&")
