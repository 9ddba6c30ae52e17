"""Masking: for every face of a diff, before anything is written.

A secret is told by where it is (a NoEcho parameter's default, a property that takes a password),
by the name it goes by (an environment variable `DB_PASSWORD`), or by its own form (an access key,
a token, a private key, a URL with a password). A reference is no secret: it says where one is.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from tap_templates.diff.values import call_of, scalar_text

MASK: Final = "********"

# Names that say what they hold. `SecretArn`, `KeyId` and the like say where it is.
_NAME = re.compile(
    r"passw(?:or)?d|passphrase|(?:^|[_\-. ])pwd|secret|credential|private[_\-. ]?key|api[_\-. ]?key"
    r"|access[_\-. ]?key|auth[_\-. ]?token|(?:^|[_\-. ]|[a-z])tokens?$|signing[_\-. ]?key"
    r"|connection[_\-. ]?string|encryption[_\-. ]?key",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(?:arn|name|id|path|url|uri|ref|version|length|policy|rotation|enabled|days|type|authority"
    r"|expiry|ttl|seconds|class|source|usage|manager)s?$",
    re.IGNORECASE,
)
_FORTY_LETTERS: Final = (
    r"(?<![A-Za-z0-9/+=])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])"
    r"(?=[A-Za-z0-9/+]*[0-9])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
# Parts of a text that are secrets by their form.
_FORMS: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", 0),
        (r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}\b|\bwhsec_[A-Za-z0-9+/=]{16,}", 0),
        (r"\beyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*", 0),
        (r"\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bgithub_pat_[A-Za-z0-9_]{20,}\b", 0),
        (r"\bxox[abeprs]-[A-Za-z0-9-]{10,}", 0),
        (r"\bAIza[A-Za-z0-9_-]{35}\b", 0),
        (r"\bnpm_[A-Za-z0-9]{30,}\b|\bpypi-[A-Za-z0-9_-]{20,}", 0),
        (r"(?<=://)[^\s/:@]*:[^\s@]+(?=@)", 0),
        (r"(?i)\b(?:[a-z0-9_]*_)?(?:password|passwd|pwd|secret|token|api_?key)=[^\s;,&\"']+", 0),
        (r"(?i)\"[a-z0-9_-]*(?:password|passwd|secret|token|api_?key)\"\s*:\s*\"[^\"]+\"", 0),
        # 40 letters of base64 with capitals, digits and small letters: an AWS secret key's form.
        (_FORTY_LETTERS, 0),
    )
)
_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
# Properties that hold a secret although their names end as if they told where one is.
_PLACES: Final = frozenset({"SecretString"})


def masked(value: Any, path: tuple[str, ...], *, name: str = "", within: Any = None) -> Any:
    """Give a value as it may be shown: secrets in it replaced, at any depth.

    `path` is where it stands; `name` is that of the parameter or output it belongs to; `within`
    is the raw resource, in which the name beside a value is looked up: `{Name: DB_PASSWORD,
    Value: …}` of a container, of which the value alone has changed.
    """
    steps = (name, *(step for step in path if step != "Default")) if name else path
    if value is not None and _is_literal(value) and _is_named_beside(within, path):
        return MASK
    return _walk(steps, value)


def masked_text(text: str) -> str:
    """Replace secrets in a sentence."""
    for form in _FORMS:
        text = form.sub(MASK, text)
    return text


def _walk(path: tuple[str, ...], value: Any) -> Any:
    called = call_of(value)
    if called == "Tap::Secret":
        return MASK
    if called in ("Ref", "Fn::GetAtt"):
        return value
    if isinstance(value, Mapping):
        named = _named_pair(value)
        return {
            key: MASK
            if key == named and _is_literal(each)
            # What a function makes has the name above it.
            else _walk(path if called else (*path, str(key)), each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_walk(path, each) for each in value]
    return _scalar(path, value)


def _scalar(path: tuple[str, ...], value: Any) -> Any:
    if _is_secret_place(path) and _is_literal(value):
        return MASK
    text = scalar_text(value)
    if text is None:
        return value
    shown = masked_text(text)
    return value if shown == text else shown


def _is_named_beside(within: Any, path: tuple[str, ...]) -> bool:
    for step in path[:-1]:
        if isinstance(within, Mapping):
            within = within.get(step)
        elif isinstance(within, list) and step.isdecimal() and int(step) < len(within):
            within = within[int(step)]
        else:
            return False
    return bool(path) and isinstance(within, Mapping) and _named_pair(within) == path[-1]


def _named_pair(value: Mapping[str, Any]) -> str | None:
    """Give the key of the value in `{Name: DB_PASSWORD, Value: …}`, as containers have it."""
    for name, held in (("Name", "Value"), ("Key", "Value"), ("name", "value"),
                       ("ParameterKey", "ParameterValue")):  # fmt: skip
        if held in value and _is_telling(scalar_text(value.get(name)) or ""):
            return held
    return None


def _is_literal(value: Any) -> bool:
    """Tell whether a value is written out, and not a switch or a reference to where it is."""
    text = scalar_text(value)
    if not text or isinstance(value, bool) or text.lower() in ("true", "false"):
        return False
    return bool(_DYNAMIC.sub("", text))


def _is_secret_place(path: tuple[str, ...]) -> bool:
    steps = [step for step in path if not step.isdecimal()]
    return bool(steps) and (steps[-1] in _PLACES or _is_telling(steps[-1]))


def _is_telling(name: str) -> bool:
    return bool(_NAME.search(name)) and not _ELSEWHERE.search(name)
