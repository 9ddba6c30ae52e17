"""Where a resource's meaning comes from besides its own text: parameters, mappings, conditions."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tap_templates.diff.model import Template
from tap_templates.diff.values import same

_SUB: Final = re.compile(r"\$\{([^!}][^}]*)\}")
_SECTIONS: Final = ("Parameters", "Mappings", "Conditions")


def changed_sources(before: Template, after: Template) -> dict[tuple[str, str], str]:
    """Say in words which parameters, mappings and conditions mean something else now."""
    found: dict[tuple[str, str], str] = {}
    for section in _SECTIONS:
        old, new = before.body.get(section, {}), after.body.get(section, {})
        for name in sorted({*old, *new}):
            if not same(old.get(name), new.get(name)):
                found[section, name] = _words(section, name)
    for name in sorted({*before.parameters, *after.parameters}):
        if _given(before, name) != _given(after, name):
            found["Parameters", name] = f"parameter {name}, which the manifest gives another value"
    return found


def used(raw: Any, body: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """List the parameters, mappings and conditions that a piece of a template depends on."""
    found: set[tuple[str, str]] = set()
    pending = list(_names(raw, body))
    while pending:
        each = pending.pop()
        if each not in found:
            found.add(each)
            if each[0] == "Conditions":
                pending.extend(_names(body["Conditions"].get(each[1]), body))
    return frozenset(found)


def _names(value: Any, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _names(each, body)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _called(key, each, body)
            yield from _names(each, body)


def _called(key: str, argument: Any, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    first = argument[0] if isinstance(argument, list) and argument else argument
    if key == "Ref":
        yield from _declared("Parameters", argument, body)
    elif key == "Fn::Sub" and isinstance(first, str):
        for name in _SUB.findall(first):
            yield from _declared("Parameters", name.strip(), body)
    elif key == "Fn::FindInMap":
        if isinstance(first, str):
            yield from _declared("Mappings", first, body)
        else:  # by a name that is worked out: any of them
            yield from (("Mappings", name) for name in body.get("Mappings", {}))
    elif key in {"Fn::If", "Condition"}:
        yield from _declared("Conditions", first, body)


def _declared(section: str, name: Any, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(name, str) and name in body.get(section, {}):
        yield section, name


def _words(section: str, name: str) -> str:
    kind = section.removesuffix("s").lower()
    return f"{kind} {name}, which changed"


def _given(template: Template, name: str) -> Any:
    """Give a manifest's value, with the digest of what it names."""
    given = template.parameters.get(name)
    if isinstance(given, Mapping):
        package = given.get("package") or given.get("package_sha256")
        packages = template.manifest.get("packages")
        if isinstance(packages, Mapping) and package in packages:
            return given, packages[package].get("sha256")
    return given, None
