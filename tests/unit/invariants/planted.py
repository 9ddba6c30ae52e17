"""One planted fault a row: an edit of a compiled system, and what must be said of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Template = dict[str, Any]
WEST = "us-west-2"


@dataclass(frozen=True)
class Planted:
    code: str
    stack: str
    edit: Callable[[Template], object]
    logical_id: str = ""
    says: str = ""  # words of `what`
    remedy: str = ""  # words of `remedy`
    path: str | None = None
    at: str | None = None  # the stack the finding is at, if not the edited one
    system: str = "trading-events"

    @property
    def id(self) -> str:
        return f"{self.code} {self.says or self.logical_id}"

    def is_told_by(self, fault: Any) -> bool:
        """Is this said, where it is and with the way out?"""
        return (
            fault.logical_id == self.logical_id
            and self.says in fault.what
            and self.remedy in fault.remedy
            and self.path in (None, fault.path)
        )

    def findings(self, found: Iterable[Any]) -> list[Any]:
        """Pick what finds this fault; fail and show what is found there if nothing does."""
        stack = self.stack if self.at is None else self.at
        here = [each for each in found if (each.code, each.stack) == (self.code, stack)]
        matching = [each for each in here if self.is_told_by(each)]
        assert matching, here
        return matching


def properties(template: Template, logical_id: str) -> Template:
    return template["Resources"][logical_id]["Properties"]


def put(logical_id: str, path: str, value: object) -> Callable[[Template], object]:
    """Set a property; `path` is dotted, numbers index lists."""

    def edit(template: Template) -> None:
        place: Any = properties(template, logical_id)
        *steps, last = [int(each) if each.isdecimal() else each for each in path.split(".")]
        for step in steps:
            place = place[step]
        place[last] = value

    return edit


def drop(logical_id: str, name: str) -> Callable[[Template], object]:
    return lambda template: properties(template, logical_id).pop(name)


def attribute(logical_id: str, name: str, value: object) -> Callable[[Template], object]:
    return lambda template: template["Resources"][logical_id].update({name: value})


def add(logical_id: str, kind: str, **body: object) -> Callable[[Template], object]:
    resource = {"Type": kind, "Properties": body}
    return lambda template: template["Resources"].update({logical_id: resource})


def remove(*logical_ids: str) -> Callable[[Template], object]:
    return lambda template: [template["Resources"].pop(each) for each in logical_ids]


def parameter(name: str, **changes: object) -> Callable[[Template], object]:
    """Change a parameter's declaration; None takes a key away."""

    def edit(template: Template) -> None:
        declared = template["Parameters"][name]
        declared.update(changes)
        for key in [key for key, value in changes.items() if value is None]:
            del declared[key]

    return edit


def both(*edits: Callable[[Template], object]) -> Callable[[Template], object]:
    return lambda template: [edit(template) for edit in edits]


def sub(text: str) -> Template:
    return {"Fn::Sub": text}


def arn(service: str, resource: str, region: str = "${AWS::Region}") -> Template:
    return sub(f"arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{resource}")


def replace_text(old: str, new: str) -> Callable[[Template], object]:
    """Replace text in the dashboard's body."""

    def edit(template: Template) -> None:
        body = properties(template, "TradingDashboard")["DashboardBody"]
        assert old in body["Fn::Sub"]
        body["Fn::Sub"] = body["Fn::Sub"].replace(old, new)

    return edit


def in_primary_only(logical_id: str) -> Callable[[Template], object]:
    def edit(template: Template) -> None:
        template["Parameters"]["PrimaryRegion"] = {"Type": "String", "Default": "us-east-1"}
        equals = {"Fn::Equals": [{"Ref": "AWS::Region"}, {"Ref": "PrimaryRegion"}]}
        template.setdefault("Conditions", {})["IsPrimary"] = equals
        template["Resources"][logical_id]["Condition"] = "IsPrimary"

    return edit


def ignoring(rule: str, **metadata: object) -> Template:
    return {"cfn-lint": {"config": {"ignore_checks": [rule]}}, **metadata}
