"""Intrinsic functions of canonical arguments: the result, or the call as it stands if unknown."""

from typing import Any

from tap_templates.diff.values import call_of, is_known, joined, same, scalar_text


def join(argument: Any) -> Any:
    match argument:
        case [str(delimiter), list(items)] if not _is_open(items):
            parts: list[Any] = []
            for index, each in enumerate(items):
                if isinstance(each, list) or (isinstance(each, dict) and call_of(each) is None):
                    return {"Fn::Join": argument}
                parts.extend([delimiter, each] if index and delimiter else [each])
            return joined(parts)
    return {"Fn::Join": argument}


def select(argument: Any) -> Any:
    match argument:
        case [index, list(items)] if not _is_open(items):
            position = scalar_text(index)
            if position is not None and position.isdecimal() and int(position) < len(items):
                return items[int(position)]
    return {"Fn::Select": argument}


def split(argument: Any) -> Any:
    match argument:
        case [str(delimiter), str(text)] if delimiter and is_known(text):
            return text.split(delimiter)
    return {"Fn::Split": argument}


def length(argument: Any) -> Any:
    if isinstance(argument, list) and not _is_open(argument):
        return len(argument)
    return {"Fn::Length": argument}


def cidr(argument: Any) -> Any:
    """Cut a known block into subnets of `bits` host bits (8 if not said), as many as asked."""
    import ipaddress  # noqa: PLC0415 - rarely needed, and slow to import

    match argument:
        case [str(block), count, *bits] if len(bits) < 2:
            texts = [scalar_text(each) for each in (count, *(bits or ["8"]))]
            if all(each is not None and each.isdecimal() for each in texts):
                number, host_bits = (int(each or "") for each in texts)
                try:
                    network = ipaddress.ip_network(block)
                    subnets = network.subnets(new_prefix=network.max_prefixlen - host_bits)
                    found = [str(each) for each, _ in zip(subnets, range(number), strict=False)]
                except ValueError:
                    return {"Fn::Cidr": argument}
                if len(found) == number:
                    return found
    return {"Fn::Cidr": argument}


def find_in_map(mappings: Any, keys: list[Any]) -> Any:
    """Look up keys; with an unknown key, keep what it may find, so that a change of it shows."""
    default: list[Any] = []
    if len(keys) == 4:
        match keys[3]:
            case {"DefaultValue": value}:
                default = [value]
        keys = keys[:3]
    found: Any = mappings
    for depth, key in enumerate(keys):
        text = scalar_text(key)
        if text is None:
            return _unknown_entry(found, keys[depth:], default)
        if not isinstance(found, dict) or text not in found:
            return default[0] if default else {"Fn::FindInMap": keys}
        found = found[text]
    return found


def _unknown_entry(candidates: Any, keys: list[Any], default: list[Any]) -> Any:
    if isinstance(candidates, dict):
        rest = keys[1:]
        reached = {
            name: find_in_map(each, rest) if rest else each for name, each in candidates.items()
        }
        reached = {
            name: each
            for name, each in reached.items()
            if not (isinstance(each, dict) and call_of(each) == "Fn::FindInMap" and is_known(rest))
        }
        answers = [*reached.values(), *default]
        if answers and all(same(each, answers[0]) for each in answers):
            return answers[0]
        candidates = reached
    return {"Fn::FindInMap": [candidates, *keys, *default]}


def _is_open(items: list[Any]) -> bool:
    """Tell whether the list may turn out shorter than it is written."""
    return any(call_of(each) == "Fn::If" and "AWS::NoValue" in str(each) for each in items)
