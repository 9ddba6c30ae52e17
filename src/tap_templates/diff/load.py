"""Read templates: a file or a folder of them, JSON or YAML, with what their manifest says.

The only module of this package that touches files. What cannot be a template is refused with its
place, before anything looks into it; size and depth are bounded, so that nothing after can hang.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from tap_templates.diff.circles import circle
from tap_templates.diff.model import Template
from tap_templates.diff.values import Number
from tap_templates.errors import TapError, UsageError

LARGEST_BYTES = 4_000_000  # CloudFormation takes 1 MB; what is indented and commented may be more
DEEPEST = 100  # levels of lists and objects
SUFFIXES = frozenset({".json", ".yaml", ".yml", ".template"})
MANIFEST = "manifest.json"
_CORRECT = "correct it"
_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs")

Templates = Mapping[str, Template]


class InputError(TapError):
    """What is to be compared cannot be read as a template."""


def load(path: Path) -> dict[str, Template]:
    """Read a template file, or a folder of them with its manifests, by path below it.

    Raises UsageError if there is no such file or folder, InputError for what is no template.
    """
    if path.is_dir():
        return templates_from({each: _read(path / each, each) for each in _names(path)})
    return _alone(path, path.name)


def load_both(before: Path, after: Path) -> tuple[dict[str, Template], dict[str, Template]]:
    """Read two files as one template's two versions, or two folders; else raise UsageError."""
    for path in (before, after):
        if not path.exists():
            raise UsageError(str(path), "does not exist", "name a template or a folder of them")
    if before.is_dir() != after.is_dir():
        raise UsageError(
            f"{before} and {after}", "are a folder and a file", "give two files or two folders"
        )
    if before.is_dir():
        return load(before), load(after)
    return _alone(before, after.name), _alone(after, after.name)


def _alone(path: Path, name: str) -> dict[str, Template]:
    """Read one file as the template called `name`, with what a manifest beside it says of it."""
    files = {str(path): _read(path, str(path))}
    beside = path.with_name(MANIFEST)
    if path.name == MANIFEST:
        raise InputError(str(path), "is a manifest", "give a template, or the folder")
    if beside.is_file():
        data = _read(beside, str(beside))
        if b'"tap.manifest/' in data:  # another tool's manifest is none of our business
            files[str(beside)] = data
    template = templates_from(files)[str(path)]
    return {name: replace(template, path=name)}


def templates_from(files: Mapping[str, bytes]) -> dict[str, Template]:
    """Read templates from bytes by path (as from a git tree); manifests are told by their name.

    Raises InputError.
    """
    manifests: dict[str, Mapping[str, Any]] = {}
    bodies: dict[str, Mapping[str, Any]] = {}
    for path, data in sorted(files.items()):
        body = _parse(data, path)
        if PurePosixPath(path).name == MANIFEST and "Resources" not in body:
            manifests[str(PurePosixPath(path).parent)] = _manifest(body, path)
        else:
            _check(body, path)
            bodies[path] = body
    return {path: _template(path, body, manifests) for path, body in bodies.items()}


def _names(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix in SUFFIXES and not name.startswith("."):
                yield Path(parent, name).relative_to(folder).as_posix()


def _read(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(name, "does not exist", "name a template or a folder of them") from None
    except OSError as error:
        raise InputError(
            name, f"cannot be read: {error.strerror}", "make it readable, or leave it out"
        ) from None


def _parse(data: bytes, path: str) -> Mapping[str, Any]:
    if len(data) > LARGEST_BYTES:
        raise InputError(
            path,
            f"is larger than {LARGEST_BYTES:,} bytes",
            "CloudFormation takes templates of up to 1 MB; give one of those",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            path, f"is no text in UTF-8 (byte {error.start})", "save it as UTF-8"
        ) from None
    suffix = PurePosixPath(path).suffix
    if suffix == ".json" or (suffix not in {".yaml", ".yml"} and text.lstrip()[:1] == "{"):
        body = parse_json(text, path)
    else:
        from tap_templates.diff.load_yaml import parse_yaml  # noqa: PLC0415 - costs what JSON saves

        body = parse_yaml(text, path)
    if not isinstance(body, Mapping):
        raise InputError(path, "holds no object", "give a CloudFormation template")
    return body


def parse_json(text: str, path: str) -> Any:
    """Parse JSON, keeping the digits of numbers; raise InputError with the place."""
    try:
        found = json.loads(
            text, parse_float=Number, parse_constant=_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} line {error.lineno} column {error.colno}",
            f"is broken JSON: {error.msg}",
            _CORRECT,
        ) from None
    except RecursionError:
        raise too_deep(path) from None
    except ValueError as error:
        raise InputError(path, str(error), _CORRECT) from None
    if _depth_exceeds(found, DEEPEST):
        raise too_deep(path)
    return found


def too_deep(path: str) -> InputError:
    return InputError(path, f"is nested more than {DEEPEST} levels deep", "flatten it")


def _constant(name: str) -> Any:
    raise ValueError(f"holds {name}, which is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"has the key {twice!r} twice in one object")
    return found


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(e for e in each.values() if isinstance(e, dict | list))
            elif isinstance(each, list):
                below.extend(e for e in each if isinstance(e, dict | list))
        if not below:
            return False
        level = below
    return True


def _check(body: Mapping[str, Any], path: str) -> None:
    """Refuse what has not the shape of a template, so that nothing after needs to look."""
    if "Resources" not in body:
        raise InputError(
            path,
            "is no CloudFormation template: it has no Resources",
            "give a template, or keep other files out of the folder",
        )
    for section in _SECTIONS:
        if not isinstance(body.get(section) or {}, Mapping):
            raise InputError(f"{path} /{section}", "is no object", _CORRECT)
    for logical_id, resource in (body["Resources"] or {}).items():
        if not logical_id.startswith("Fn::ForEach::"):
            _check_resource(resource, f"{path} /Resources/{logical_id}")
    for name, output in (body.get("Outputs") or {}).items():
        if not isinstance(output, Mapping) and not name.startswith("Fn::ForEach::"):
            raise InputError(f"{path} /Outputs/{name}", "is no object", _CORRECT)
    _check_conditions(body.get("Conditions") or {}, path)


def _check_resource(resource: Any, place: str) -> None:
    if not isinstance(resource, Mapping) or not isinstance(resource.get("Type"), str):
        raise InputError(place, "is no resource: it has no Type", "give it one")
    if not isinstance(resource.get("Properties") or {}, Mapping):
        raise InputError(f"{place}/Properties", "is no object", _CORRECT)
    if not _are_texts(resource.get("DependsOn", [])):
        raise InputError(f"{place}/DependsOn", "is no logical id and no list of them", _CORRECT)
    if not isinstance(resource.get("Condition", ""), str):
        raise InputError(f"{place}/Condition", "is no name of a condition", _CORRECT)


def _are_texts(value: Any) -> bool:
    listed = value if isinstance(value, list) else [value]
    return all(isinstance(each, str) for each in listed)


def _check_conditions(conditions: Mapping[str, Any], path: str) -> None:
    found = circle({name: list(_conditions_in(each)) for name, each in conditions.items()})
    if found:
        raise InputError(
            f"{path} /Conditions/{found[0]}",
            f"refers to itself: {' → '.join(found)}",
            "break the circle",
        )


def _conditions_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _conditions_in(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "Condition" and isinstance(each, str):
                yield each
            elif key == "Fn::If" and isinstance(each, list) and each and isinstance(each[0], str):
                yield each[0]
            yield from _conditions_in(each)


def _manifest(body: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    if not str(body.get("schema", "")).startswith("tap.manifest/"):
        raise InputError(
            path,
            "is neither a template nor a manifest of the schema tap.manifest/1",
            "give the folder that `make templates` writes, or leave the file out",
        )
    stacks = body.get("stacks")
    wrong = [] if isinstance(stacks, list) else ["stacks"]
    wrong += [] if _are_objects(body.get("packages", {})) else ["packages"]
    if isinstance(stacks, list):
        wrong += [f"stacks/{index}" for index, each in enumerate(stacks) if not _is_stack(each)]
    if wrong:
        raise InputError(f"{path} /{wrong[0]}", "is not what a manifest has there", "compile again")
    return body


def _are_objects(value: Any) -> bool:
    listed = list(value.values()) if isinstance(value, dict) else value
    return isinstance(listed, list) and all(isinstance(each, dict) for each in listed)


def _is_stack(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key), str) for key in ("name", "template"))
        and _are_texts(value.get("regions", []))
        and isinstance(value.get("parameters", {}), dict)
    )


def _template(
    path: str, body: Mapping[str, Any], manifests: Mapping[str, Mapping[str, Any]]
) -> Template:
    where = PurePosixPath(path)
    manifest = manifests.get(str(where.parent), {})
    stacks = (each for each in manifest.get("stacks", ()) if each.get("template") == where.name)
    stack: Mapping[str, Any] = next(stacks, {})
    sections = {name: body.get(name) or {} for name in _SECTIONS if name in body}
    return Template(
        path=path,
        body={**body, **sections},
        parameters=stack.get("parameters") or {},
        regions=tuple(map(str, stack.get("regions") or ())),
        manifest=manifest,
    )
