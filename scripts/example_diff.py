"""Make the example of `docs/template-diff/`: two folders of templates, before and after a change.

Both come from the committed templates of market-pipeline, so that they are what a pull request
would show: one dangerous change, one harmless one, twenty that change the text only.

    python scripts/example_diff.py FOLDER          writes FOLDER/before and FOLDER/after
    python scripts/example_diff.py FOLDER --docs   and renders docs/template-diff/ anew
"""

import copy
import json
import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from tap_templates.diff.api import compare_templates
from tap_templates.diff.faces import html, markdown
from tap_templates.diff.faces.grouping import tell
from tap_templates.diff.faces.html_bodies import bodies
from tap_templates.diff.load import load
from tap_templates.diff.security.analysers import ANALYSERS

ROOT = Path(__file__).resolve().parent.parent
SYSTEM = "market-pipeline"
COSMETIC = 20
COMMENT, PAGE = "comment.md", "page.html"
Body = dict[str, Any]


def make(into: Path) -> tuple[Path, Path]:
    """Write both folders; the same every time."""
    before = {
        path.name: json.loads(path.read_text())
        for path in sorted((ROOT / "build" / "templates" / SYSTEM).glob("*.json"))
    }
    after = copy.deepcopy(before)
    touched = {("processing.json", _broaden(after)), ("processing.json", _retry_more(after))}
    _rewrite(after, touched)
    sides = (into / "before", into / "after")
    for side, bodies_of_side in zip(sides, (before, after), strict=True):
        folder = side / SYSTEM
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in bodies_of_side.items():
            (folder / name).write_text(json.dumps(body, indent=2) + "\n")
    return sides


def render(before: Path, after: Path) -> dict[str, str]:
    """Compare the folders and give the committed files by name."""
    sides = load(before), load(after)
    diff = compare_templates(*sides, analysers=ANALYSERS)
    telling = tell(diff, {path: each.regions for path, each in sides[1].items()})
    return {
        COMMENT: markdown.render(telling),
        PAGE: html.render(telling, bodies(diff, *sides)),
    }


def _broaden(templates: dict[str, Body]) -> str:
    """Dangerous: the storage function may do anything with its table."""
    role = templates["processing.json"]["Resources"]["StorageRole"]
    for statement in _statements(role):
        if statement["Action"] in ("dynamodb:PutItem", ["dynamodb:PutItem"]):
            statement["Action"] = ["dynamodb:*"]
            return "StorageRole"
    raise SystemExit("StorageRole has no statement for dynamodb:PutItem alone: change the example")


def _statements(role: Body) -> Iterator[Body]:
    for policy in role["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def _retry_more(templates: dict[str, Body]) -> str:
    """Harmless: a step is tried once more."""
    machine = templates["processing.json"]["Resources"]["PipelineMachine"]
    machine["Properties"]["Definition"]["States"]["Validate"]["Retry"][0]["MaxAttempts"] += 1
    return "PipelineMachine"


def _rewrite(templates: dict[str, Body], touched: set[tuple[str, str]]) -> None:
    """Cosmetic: rewrite one thing in each of twenty other resources, in turns."""
    left = COSMETIC
    ways = cycle((_turn_tags, _join_texts, _write_numbers_as_texts, _remark))
    way = next(ways)
    for name, body in templates.items():
        for logical_id, resource in sorted(body.get("Resources", {}).items()):
            if left and (name, logical_id) not in touched and way(resource):
                left -= 1
                way = next(ways)
    if left:
        raise SystemExit(f"{left} cosmetic changes too few: change the example")


def _turn_tags(resource: Body) -> bool:
    tags = resource["Properties"].get("Tags")
    if not isinstance(tags, list) or len(tags) < 2:
        return False
    tags.reverse()
    return True


def _join_texts(resource: Body) -> bool:
    """Write the first Fn::Sub of the resource as Fn::Join."""
    for holder, key in _places(resource["Properties"]):
        match holder[key]:
            case {"Fn::Sub": str(text)} if "${!" not in text:
                holder[key] = {"Fn::Join": ["", list(_parts(text))]}
                return True
    return False


def _write_numbers_as_texts(resource: Body) -> bool:
    for holder, key in _places(resource["Properties"]):
        if isinstance(holder, dict) and type(holder[key]) is int:
            holder[key] = str(holder[key])
            return True
    return False


def _remark(resource: Body) -> bool:
    resource.setdefault("Metadata", {})["Owner"] = "market data"
    return True


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = sorted(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _parts(text: str) -> Iterator[Any]:
    while text:
        head, found, rest = text.partition("${")
        if head:
            yield head
        name, _, text = rest.partition("}")
        if found:
            resource, dot, attribute = name.partition(".")
            yield {"Fn::GetAtt": [resource, attribute]} if dot else {"Ref": name}


def main(arguments: list[str], say: Callable[[str], None] = print) -> None:
    if not arguments:
        raise SystemExit(__doc__)
    before, after = make(Path(arguments[0]))
    say(f"wrote {before} and {after}")
    if "--docs" in arguments:
        for name, text in render(before, after).items():
            (ROOT / "docs" / "template-diff" / name).write_text(text)
            say(f"wrote docs/template-diff/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
