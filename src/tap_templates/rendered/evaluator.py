"""Evaluate intrinsic functions and conditions of one template in one region."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import islice
from typing import Any, Final

from tap_templates.errors import TapError
from tap_templates.rendered.arns import Identity, Place, identify
from tap_templates.rendered.tokens import attribute_token, is_known, split_known, token

_SUB = re.compile(r"\$\{([^}]*)\}")
_NO_VALUE: Final = object()


class ResolveError(TapError):
    """A template says something we cannot evaluate, so that nothing is claimed about it."""


class UnknownList(list[str]):
    """A list whose length and elements only AWS knows; as data, a list of one token."""

    def __init__(self, what: str, region: str) -> None:
        super().__init__([token(f"{what}.*", region)])
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression is evaluated in."""

    template: Mapping[str, Any]
    stack: str
    region: str
    parameters: Mapping[str, str]  # as given; may lack some
    account: str
    partition: str

    @property
    def url_suffix(self) -> str:
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"


class Evaluator:
    """Evaluates on demand and remembers what a resource is called."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._identities: dict[str, Identity] = {}
        self._conditions: dict[str, bool] = {}
        self._open: list[str] = []  # what is being evaluated, to tell a cycle
        self._intrinsics: Mapping[str, Callable[[Any, str], Any]] = {
            "Ref": self._ref,
            "Fn::Base64": self._base64,
            "Fn::Cidr": self._cidr,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": self._get_azs,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
        }
        for name in scope.parameters:
            if name not in scope.template.get("Parameters", {}):
                raise ResolveError(
                    f"{scope.stack} parameter {name}",
                    "is given a value, but the template does not declare it",
                    "declare it, or give it no value",
                )

    def value(self, value: Any, path: str) -> Any:
        """Resolve `value` at JSON pointer `path`; an AWS::NoValue at the very top is an error."""
        result = self._walk(value, path)
        if result is _NO_VALUE:
            raise self._error(path, "is AWS::NoValue where a value is needed")
        return result

    def exists(self, section: str, name: str) -> bool:
        """Tell whether the condition of a resource or output holds; without one it does."""
        condition = self.scope.template[section][name].get("Condition")
        return condition is None or self._named_condition(condition, f"/{section}/{name}/Condition")

    def parameters(self) -> dict[str, Any]:
        """Resolve all declared parameters."""
        return {name: self._parameter(name) for name in self.scope.template.get("Parameters", {})}

    def identity(self, logical_id: str, path: str) -> Identity:
        """Work out what a resource is called."""
        if logical_id in self._identities:
            return self._identities[logical_id]
        if not self.exists("Resources", logical_id):
            raise self._error(path, f"refers to {logical_id}, whose condition is false in here")
        raw = self.scope.template["Resources"][logical_id]
        properties = raw.get("Properties", {})

        def property_of(key: str) -> Any:
            if key not in properties:
                return None
            found = self._walk(properties[key], f"/Resources/{logical_id}/Properties/{key}")
            return None if found is _NO_VALUE else found

        place = Place(
            stack=self.scope.stack,
            logical_id=logical_id,
            region=self.scope.region,
            account=self.scope.account,
            partition=self.scope.partition,
            url_suffix=self.scope.url_suffix,
        )
        self._enter(f"name of {logical_id}", path)
        identity = identify(raw["Type"], place, property_of)
        self._open.pop()
        self._identities[logical_id] = identity
        return identity

    def _walk(self, value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            if called := self._called(value, path):
                return self._intrinsics[called](value[called], f"{path}/{called}")
            pairs = ((key, self._walk(each, f"{path}/{key}")) for key, each in value.items())
            return {key: each for key, each in pairs if each is not _NO_VALUE}
        if isinstance(value, list):
            found = [self._walk(each, f"{path}/{index}") for index, each in enumerate(value)]
            return [each for each in found if each is not _NO_VALUE]
        return value

    def _called(self, value: Mapping[str, Any], path: str) -> str | None:
        """Name the intrinsic that `value` calls, if it is one."""
        marks = [key for key in value if key == "Ref" or key.startswith("Fn::")]
        if not marks:
            return None
        if len(value) > 1:
            raise self._error(path, f"has {marks[0]} beside other keys")
        if marks[0] not in self._intrinsics:
            raise self._error(path, f"calls {marks[0]}, which we do not evaluate")
        return marks[0]

    def _error(self, path: str, what: str) -> ResolveError:
        place = f"{self.scope.stack} {path} in {self.scope.region}"
        return ResolveError(
            place, what, "say it with Ref, Fn::GetAtt, Fn::Sub, Fn::Join, Fn::If or a literal"
        )

    def _enter(self, what: str, path: str) -> None:
        if what in self._open:
            raise self._error(path, f"is a cycle: {' → '.join([*self._open, what])}")
        self._open.append(what)

    def _parameter(self, name: str) -> Any:
        declared = self.scope.template["Parameters"][name]
        kind = declared.get("Type", "String")
        what = f"{self.scope.stack}.{name}"
        is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
        if kind.startswith("AWS::SSM::Parameter::Value<"):
            # The value given is where it is kept, not what it is.
            what, given = f"{what}.Value", None
            is_list = "List" in kind
        else:
            given = self.scope.parameters.get(name, declared.get("Default"))
        if given is None:
            region = self.scope.region
            return UnknownList(what, region) if is_list else token(what, region)
        if is_list:
            text = str(given)
            return [each.strip() for each in split_known(text, ",")] if text else []
        return self._text(given, f"/Parameters/{name}")

    def _text(self, value: Any, path: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise self._error(path, f"has {value!r} where a text is needed")

    def _arguments(self, argument: Any, count: tuple[int, ...], path: str) -> list[Any]:
        if not isinstance(argument, list) or len(argument) not in count:
            raise self._error(path, f"needs a list of {' or '.join(map(str, count))}")
        return argument

    def _list(self, value: Any, path: str) -> list[Any]:
        found = self._walk(value, path)
        if not isinstance(found, list):
            raise self._error(path, f"has {found!r} where a list is needed")
        return found

    def _string(self, value: Any, path: str) -> str:
        return self._text(self._walk(value, path), path)

    # Intrinsic functions, each given its argument and its place.

    def _pseudo(self, name: str, path: str) -> Any:
        scope = self.scope
        known: dict[str, Any] = {
            "AWS::AccountId": scope.account,
            "AWS::NoValue": _NO_VALUE,
            "AWS::NotificationARNs": UnknownList(f"{scope.stack}.{name}", scope.region),
            "AWS::Partition": scope.partition,
            "AWS::Region": scope.region,
            # StackSets generates the name.
            "AWS::StackId": token(f"{scope.stack}.{name}", scope.region),
            "AWS::StackName": token(f"{scope.stack}.{name}", scope.region),
            "AWS::URLSuffix": scope.url_suffix,
        }
        if name not in known:
            raise self._error(path, f"refers to {name}, which is no pseudo parameter")
        return known[name]

    def _ref(self, argument: Any, path: str) -> Any:
        if not isinstance(argument, str):
            raise self._error(path, "needs a name")
        if argument.startswith("AWS::"):
            return self._pseudo(argument, path)
        if argument in self.scope.template.get("Parameters", {}):
            return self._parameter(argument)
        if argument in self.scope.template.get("Resources", {}):
            return self.identity(argument, path).ref
        raise self._error(path, f"refers to {argument}, which the template does not have")

    def _get_att(self, argument: Any, path: str) -> str:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        logical_id, attribute = self._arguments(argument, (2,), path)
        attribute = self._string(attribute, f"{path}/1")
        if logical_id not in self.scope.template.get("Resources", {}):
            raise self._error(path, f"refers to {logical_id}, which the template does not have")
        found = self.identity(logical_id, path).attributes.get(attribute)
        if found is not None:
            return found
        return attribute_token(self.scope.stack, logical_id, attribute, self.scope.region)

    def _sub(self, argument: Any, path: str) -> str:
        text, variables = argument, {}
        if isinstance(argument, list):
            text, variables = self._arguments(argument, (2,), path)
        if not isinstance(text, str) or not isinstance(variables, Mapping):
            raise self._error(path, "needs a text, or a text and its variables")

        def put(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                return self._string(variables[name], f"{path}/1/{name}")
            called = self._get_att if "." in name else self._ref
            return self._text(called(name, path), path)

        return _SUB.sub(put, text)

    def _join(self, argument: Any, path: str) -> str:
        delimiter, items = self._arguments(argument, (2,), path)
        values = self._list(items, f"{path}/1")
        if isinstance(values, UnknownList):
            return token(f"{values.what}.join({delimiter})", self.scope.region)
        return str(delimiter).join(self._text(value, f"{path}/1") for value in values)

    def _select(self, argument: Any, path: str) -> Any:
        index, items = self._arguments(argument, (2,), path)
        position = self._string(index, f"{path}/0")
        values = self._list(items, f"{path}/1")
        if isinstance(values, UnknownList):
            return token(f"{values.what}.{position}", self.scope.region)
        if not position.isdecimal() or int(position) >= len(values):
            raise self._error(path, f"selects {position} of {len(values)} values (0-based)")
        return values[int(position)]

    def _split(self, argument: Any, path: str) -> list[str]:
        delimiter, source = self._arguments(argument, (2,), path)
        text = self._string(source, f"{path}/1")
        if not isinstance(delimiter, str) or not delimiter:
            raise self._error(path, "needs a delimiter")
        # What a token stands for may hold the delimiter too.
        if not is_known(text):
            return UnknownList(f"split({delimiter},{text})", self.scope.region)
        return text.split(delimiter)

    def _if(self, argument: Any, path: str) -> Any:
        name, yes, no = self._arguments(argument, (3,), path)
        holds = self._named_condition(name, path)
        return self._walk(yes if holds else no, f"{path}/{1 if holds else 2}")

    def _find_in_map(self, argument: Any, path: str) -> Any:
        keys = self._arguments(argument, (3,), path)
        found: Any = self.scope.template.get("Mappings", {})
        for index, key in enumerate(keys):
            text = self._string(key, f"{path}/{index}")
            if not isinstance(found, Mapping) or text not in found:
                raise self._error(path, f"finds no {text!r} in the map")
            found = found[text]
        return found

    def _base64(self, argument: Any, path: str) -> str:
        text = self._string(argument, path)
        if is_known(text):
            return base64.b64encode(text.encode()).decode()
        return token(f"base64({text})", self.scope.region)

    def _get_azs(self, argument: Any, path: str) -> list[str]:
        region = self._string(argument, path) or self.scope.region
        return UnknownList(f"GetAZs({region})", self.scope.region)

    def _cidr(self, argument: Any, path: str) -> list[str]:
        block, *sizes = self._arguments(argument, (2, 3), path)
        text = self._string(block, f"{path}/0")
        count, *bits = [
            self._string(size, f"{path}/{index}") for index, size in enumerate(sizes, 1)
        ]
        if not count.isdecimal() or not all(each.isdecimal() for each in bits):
            raise self._error(path, f"has the count {' and '.join([count, *bits])!r}")
        if bits and is_known(text):
            return self._blocks(text, int(count), int(bits[0]), path)
        # How large the blocks are that are asked for without bits is not documented.
        what = f"cidr({','.join([text, count, *bits])})"
        return [token(f"{what}.{index}", self.scope.region) for index in range(int(count))]

    def _blocks(self, text: str, count: int, bits: int, path: str) -> list[str]:
        """Cut `count` blocks, with `bits` left for hosts, off the beginning of a block."""
        try:
            block = ip_network(text)
            free = block.max_prefixlen - block.prefixlen
            cut = [str(each) for each in islice(block.subnets(free - bits), count)]
        except ValueError as error:
            raise self._error(path, f"cannot be cut: {error}") from error
        if len(cut) < count:
            raise self._error(path, f"wants {count} blocks of {text}, which has {len(cut)}")
        return cut

    # Conditions.

    def _named_condition(self, name: Any, path: str) -> bool:
        conditions = self.scope.template.get("Conditions", {})
        if not isinstance(name, str) or name not in conditions:
            raise self._error(path, f"names condition {name!r}, which the template does not have")
        if name not in self._conditions:
            self._enter(f"condition {name}", path)
            self._conditions[name] = self._holds(conditions[name], f"/Conditions/{name}")
            self._open.pop()
        return self._conditions[name]

    def _holds(self, condition: Any, path: str) -> bool:
        if not isinstance(condition, Mapping) or len(condition) != 1:
            raise self._error(path, "is no condition")
        ((called, argument),) = condition.items()
        inner = f"{path}/{called}"
        match called:
            case "Condition":
                return self._named_condition(argument, inner)
            case "Fn::Equals":
                return self._equals(argument, inner)
            case "Fn::Not" | "Fn::And" | "Fn::Or":
                counts = (1,) if called == "Fn::Not" else tuple(range(2, 11))
                # All parts are evaluated, so that an unknown value in any of them is told.
                parts = [
                    self._holds(each, f"{inner}/{index}")
                    for index, each in enumerate(self._arguments(argument, counts, inner))
                ]
                combine = any if called == "Fn::Or" else all
                return combine(parts) is not (called == "Fn::Not")
        raise self._error(path, f"calls {called}, which we do not evaluate in a condition")

    def _equals(self, argument: Any, path: str) -> bool:
        left, right = (
            self._string(each, f"{path}/{index}")
            for index, each in enumerate(self._arguments(argument, (2,), path))
        )
        if left != right and not (is_known(left) and is_known(right)):
            raise self._error(path, f"hangs on an unknown value: {left} == {right}")
        return left == right
