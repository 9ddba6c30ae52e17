"""Evaluate one template's intrinsic functions in one region, as far as they can be.

Unlike `rendered.evaluator`, which judges a finished system and refuses what it cannot know, this
one leaves the unknown in its canonical form (`values`) and never fails: a change is shown whatever
the template holds. A region of None stands for any region at all.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from tap_templates.diff import conditions, functions
from tap_templates.diff.model import Template
from tap_templates.diff.values import NO_VALUE, call_of, joined, scalar_text

# Other in each process: should a digest ever be shown, it tells nobody which secret it is of.
_SALT = os.urandom(16)
_SUB = re.compile(r"\$\{([^}]*)\}")
# How regions of other partitions begin, and what their host names end with.
_PARTITIONS = {
    "cn-": ("aws-cn", "amazonaws.com.cn"),
    "us-gov-": ("aws-us-gov", "amazonaws.com"),
    "us-isob-": ("aws-iso-b", "sc2s.sgov.gov"),
    "us-iso-": ("aws-iso", "c2s.ic.gov"),
    "eusc-": ("aws-eusc", "amazonaws.eu"),
}


class Evaluator:
    """Evaluates on demand; remembers parameters and conditions."""

    def __init__(self, template: Template, region: str | None) -> None:
        self.template = template
        self.region = region
        self._body = template.body
        self._parameters: dict[str, Any] = {}
        self._conditions: dict[str, Any] = {}
        self._open: set[str] = set()  # conditions being evaluated; `load` refuses cycles
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::GetAZs": self._get_azs,
            "Fn::If": self._if,
            "Fn::Join": lambda argument: functions.join(self.value(argument)),
            "Fn::Select": lambda argument: functions.select(self.value(argument)),
            "Fn::Split": lambda argument: functions.split(self.value(argument)),
            "Fn::Cidr": lambda argument: functions.cidr(self.value(argument)),
            "Fn::Length": lambda argument: functions.length(self.value(argument)),
            "Fn::Sub": self._sub,
        }

    def value(self, raw: Any) -> Any:
        """Evaluate `raw`; what is AWS::NoValue at the very top stays `NO_VALUE`."""
        if isinstance(raw, dict):
            called = call_of(raw)
            if called is not None:
                return self._call(called, raw[called])
            pairs = ((key, self.value(each)) for key, each in raw.items())
            return {key: each for key, each in pairs if each is not NO_VALUE}
        if isinstance(raw, list):
            found = [self.value(each) for each in raw]
            return [each for each in found if each is not NO_VALUE]
        return raw

    def condition(self, name: Any) -> Any:
        """Give True, False, or the expression the condition comes down to."""
        declared = self._body.get("Conditions", {})
        if not isinstance(name, str) or name not in declared or name in self._open:
            return {"Condition": name}
        if name not in self._conditions:
            self._open.add(name)
            self._conditions[name] = conditions.evaluate(
                declared[name], value=self.value, named=self.condition
            )
            self._open.discard(name)
        return self._conditions[name]

    def exists(self, raw: Any) -> Any:
        """Evaluate the Condition attribute of a resource or output; without one it holds."""
        name = raw.get("Condition") if isinstance(raw, dict) else None
        return True if name is None else self.condition(name)

    def parameter(self, name: str) -> Any:
        """Give the value of a declared parameter: the manifest's, else the default, else a Ref."""
        if name not in self._parameters:
            self._parameters[name] = self._parameter(name)
        return self._parameters[name]

    def _call(self, called: str, argument: Any) -> Any:
        if called in self._functions:
            return self._functions[called](argument)
        found = self.value(argument)
        return {called: found}

    def _parameter(self, name: str) -> Any:
        declared = self._body["Parameters"][name]
        declared = declared if isinstance(declared, dict) else {}
        kind = str(declared.get("Type", "String"))
        given = self._given(name)
        if given is None:
            given = declared.get("Default")
        if given is None:
            return {"Ref": name}
        if kind.startswith("AWS::SSM::Parameter::Value<"):
            return {"Tap::Stored": [kind, given]}
        text = scalar_text(given)
        if text is None:
            return given
        if str(declared.get("NoEcho", "")).lower() == "true":
            return {"Tap::Secret": hashlib.sha256(_SALT + text.encode()).hexdigest()}
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [each.strip() for each in text.split(",")] if text else []
        return text

    def _given(self, name: str) -> Any:
        manifest = self.template.manifest
        match self.template.parameters.get(name):
            case {"package": str(package), **rest}:
                digest = _digest(manifest, package)
                if not rest and digest:
                    return f"{package}-{digest[:16]}.zip"
                return {"Tap::Package": [package, digest, *map(str, rest.values())]}
            case {"package_sha256": str(package)}:
                return {"Tap::Package": [package, _digest(manifest, package), "sha256"]}
            case {"output": {"stack": stack, "region": region, "name": output}}:
                return {"Tap::Output": [stack, self._taken_in(region), output]}
            case given:
                return given

    def _taken_in(self, region: Any) -> Any:
        return self.region if region == "own" else region

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if isinstance(name, str):
            if name in self._body.get("Parameters", {}):
                return self.parameter(name)
            if name in {"AWS::Region", "AWS::Partition", "AWS::URLSuffix"} and self.region:
                return self._of_region(name, self.region)
        return {"Ref": name}

    @staticmethod
    def _of_region(name: str, region: str) -> str:
        if name == "AWS::Region":
            return region
        found = (each for start, each in _PARTITIONS.items() if region.startswith(start))
        partition, suffix = next(found, ("aws", "amazonaws.com"))
        return partition if name == "AWS::Partition" else suffix

    def _get_att(self, argument: Any) -> Any:
        if isinstance(argument, str):
            name, _, attribute = argument.partition(".")
            return {"Fn::GetAtt": [name, attribute]}
        found = self.value(argument)
        if isinstance(found, list) and len(found) > 1 and all(isinstance(e, str) for e in found):
            return {"Fn::GetAtt": [found[0], ".".join(found[1:])]}
        return {"Fn::GetAtt": found}

    def _get_azs(self, argument: Any) -> Any:
        region = self.value(argument)
        return {"Fn::GetAZs": self._ref("AWS::Region") if region == "" else region}

    def _if(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            return {"Fn::If, malformed": self.value(argument)}
        condition = self.condition(argument[0])
        if condition is True:
            return self.value(argument[1])
        if condition is False:
            return self.value(argument[2])
        return conditions.choice(condition, self.value(argument[1]), self.value(argument[2]))

    def _find_in_map(self, argument: Any) -> Any:
        keys = argument if isinstance(argument, list) else [argument]
        found = [self.value(each) for each in keys]
        mappings = self._body.get("Mappings", {})
        return functions.find_in_map(mappings, found)

    def _sub(self, argument: Any) -> Any:
        text, given = argument, {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
            text, given = argument
        if not isinstance(text, str):
            return {"Fn::Sub": self.value(argument)}
        parts: list[Any] = []
        end = 0
        for match in _SUB.finditer(text):
            parts.append(text[end : match.start()])
            end = match.end()
            parts.append(self._variable(match.group(1), given))
        parts.append(text[end:])
        return joined(parts)

    def _variable(self, name: str, given: Mapping[str, Any]) -> Any:
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in given:
            return self.value(given[name])
        name = name.strip()
        if name in given:
            return self.value(given[name])
        return self._get_att(name) if "." in name else self._ref(name)


def _digest(manifest: Mapping[str, Any], package: str) -> str:
    packages = manifest.get("packages")
    about = packages.get(package) if isinstance(packages, dict) else None
    return str(about.get("sha256", "")) if isinstance(about, dict) else ""
