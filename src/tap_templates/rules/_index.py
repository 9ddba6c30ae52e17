"""One pass over a template, shared by all rules: its resources, and what names them.

`Index.of` builds it once for each template that cfn-lint hands round, so that a rule costs what
it looks at and not another walk. What a rule asks for first (which queue does this ARN mean?) is
computed then and kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from cfnlint.template.template import Template

from ._values import Expr, Node, Token, arn, expression, is_intrinsic, merged, split, tokens

# How a resource's name is written: the property that sets it, and the attributes that give it
# back ("" is Ref). Ref of a rule on a custom bus is `bus|rule` and hence no name.
_NAMES: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", frozenset({""})),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName", frozenset({""})),
    "AWS::DynamoDB::GlobalTable": ("TableName", frozenset({""})),
    "AWS::DynamoDB::Table": ("TableName", frozenset({""})),
    "AWS::Events::EventBus": ("Name", frozenset({"", "Name"})),
    "AWS::IAM::Role": ("RoleName", frozenset({""})),
    "AWS::Lambda::Alias": ("Name", frozenset()),
    "AWS::Lambda::Function": ("FunctionName", frozenset({""})),
    "AWS::SNS::Topic": ("TopicName", frozenset({"TopicName"})),
    "AWS::SQS::Queue": ("QueueName", frozenset({"QueueName"})),
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource whose type is known; `properties` is a node even where they are missing."""

    logical_id: str
    type: str
    properties: Node
    condition: str | None
    depends_on: frozenset[str] = frozenset()

    @property
    def path(self) -> tuple[str | int, ...]:
        return ("Resources", self.logical_id)

    def get(self, *keys: str) -> Iterator[Node]:
        """Yield the property reached by `keys`, once for every branch of `Fn::If` on the way."""
        return self.properties.get(*keys)

    def elements(self, *keys: str) -> Iterator[Node]:
        """Yield the elements of a list property."""
        for node in self.get(*keys):
            yield from node.each()


@dataclass(frozen=True, slots=True)
class FunctionTarget:
    """A Lambda function by name, and the version or alias of it; () is the function itself."""

    name: Expr
    qualifier: Expr = ()


class Index:
    """What rules ask of a template."""

    _known: ClassVar[WeakKeyDictionary[Template, "Index"]] = WeakKeyDictionary()

    def __init__(self, cfn: Template) -> None:
        self.regions: tuple[str, ...] = tuple(cfn.regions)
        self.resources = {r.logical_id: r for r in _resources(cfn.template)}
        self._parameters = _section(cfn.template, "Parameters")
        self._mappings = _section(cfn.template, "Mappings")
        sets = getattr(cfn.context, "parameter_sets", None) or []
        self._given = [s.parameters for s in sets if isinstance(s.parameters, Mapping)]
        # Held by its parts: the index lives as long as the template and must not keep it alive.
        self._conditions = cfn.conditions

    @classmethod
    def of(cls, cfn: Template) -> "Index":
        """Return the index of a template, made at the first call."""
        if cfn not in cls._known:
            cls._known[cfn] = cls(cfn)
        return cls._known[cfn]

    def typed(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of these types in the template's order."""
        for kind in types:
            yield from self._by_type.get(kind, ())

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources.values():
            found.setdefault(resource.type, []).append(resource)
        return found

    def regions_of(self, resource: Resource) -> tuple[tuple[str, ...], bool]:
        """Return the linted regions that may hold a resource, and whether they surely do.

        Not sure where a Condition depends on parameters: it may hold in one region only.
        """
        if resource.condition is None:
            return self.regions, True
        possible, sure = [], True
        for region in self.regions:
            holds = self._holds(resource.condition, region)
            if True in holds:
                possible.append(region)
                sure = sure and False not in holds
        return tuple(possible), sure

    def _holds(self, condition: str, region: str) -> set[bool]:
        try:
            return set(self._conditions.build_scenerios_on_region(condition, region))
        except Exception:  # noqa: BLE001  # sympy inside; a broken condition is cfn-lint's to report
            return {True, False}

    def parameter(self, name: str) -> Mapping[str, Any] | None:
        """Return how a parameter is declared, None if there is none of that name."""
        found = self._parameters.get(name)
        return found if isinstance(found, Mapping) else None

    @cached_property
    def references(self) -> dict[str, frozenset[str]]:
        """For each resource the logical ids that its properties refer to."""
        return {
            resource.logical_id: frozenset(_referred(resource.properties.value))
            for resource in self.resources.values()
        }

    # --- names and ARNs ---------------------------------------------------------------------

    def expression(self, value: Any) -> Expr:
        """Take a value apart and write the names of the template's resources in one way.

        A queue's `GetAtt QueueName` and the same name written out are then equal.
        """
        return self._named(expression(value), frozenset())

    def _named(self, parts: Expr, seen: frozenset[str]) -> Expr:
        if all(isinstance(part, str) for part in parts):
            return parts
        result: list[str | Token] = []
        for part in parts:
            result += (part,) if isinstance(part, str) else self._name(part, seen)
        return merged(tuple(result))

    def _name(self, token: Token, seen: frozenset[str]) -> Expr:
        resource = self.resources.get(token.logical_id)
        if resource is None or token.logical_id in seen:
            return (token,)
        given_by, attributes = _NAMES.get(resource.type, ("", frozenset()))
        if token.attribute not in attributes:
            return (token,)
        names = list(resource.get(given_by))
        if len(names) == 1 and isinstance(names[0].value, str | int | Mapping):
            return self._named(expression(names[0].value), seen | {token.logical_id})
        return (Token(token.logical_id, min(attributes)),)

    def resource_of(self, value: Any) -> tuple[Resource, str] | None:
        """Return the resource that a value is a plain Ref or GetAtt of, and the attribute."""
        parts = expression(value)
        if len(parts) == 1 and isinstance(parts[0], Token):
            resource = self.resources.get(parts[0].logical_id)
            return (resource, parts[0].attribute) if resource else None
        return None

    def queues_of(self, value: Any) -> frozenset[str]:
        """Return the logical ids of the template's queues that an ARN, URL or name may mean."""
        direct = self.resource_of(value)
        if direct:
            is_queue = direct[0].type == "AWS::SQS::Queue"
            return frozenset({direct[0].logical_id}) if is_queue else frozenset()
        parts = self.expression(value)
        if (found := arn(parts)) is not None:
            return self._queues_by_name(found.resource) if self._here(found.region) else frozenset()
        return self._queues_by_name(split(parts, "/")[-1])  # the last part of a URL is the name

    def _here(self, region: Expr) -> bool:
        """Say whether a resource of that region may be one of this template."""
        literal = region[0] if len(region) == 1 and isinstance(region[0], str) else None
        return literal is None or literal in self.regions

    def _queues_by_name(self, name: Expr) -> frozenset[str]:
        return frozenset(self._queue_names.get(name, ()))

    @cached_property
    def _queue_names(self) -> dict[Expr, list[str]]:
        names: dict[Expr, list[str]] = {}
        for queue in self.typed("AWS::SQS::Queue"):
            name = self._name(Token(queue.logical_id, "QueueName"), frozenset())
            names.setdefault(name, []).append(queue.logical_id)
        return names

    def function_of(self, value: Any) -> FunctionTarget | None:
        """Return the function that a name or ARN means; None where that cannot be told."""
        direct = self.resource_of(value)
        if direct:
            return self._function_resource(*direct)
        parts = expression(value)
        if parts and isinstance(parts[0], Token) and len(parts) > 1:
            head = self.resources.get(parts[0].logical_id)
            if head and head.type == "AWS::Lambda::Function":  # !Sub "${Function.Arn}:live"
                base = self._function_resource(head, parts[0].attribute)
                fields = split(self.expression(value)[1:], ":") if parts[0].attribute else []
                if base and len(fields) == 2 and fields[0] == ():
                    return FunctionTarget(base.name, fields[1])
        parts = self.expression(value)
        if (found := arn(parts)) is not None:
            fields = split(found.resource, ":")
            known = found.service == ("lambda",) and fields[0] == ("function",)
            fields = fields[1:] if known else []
        else:
            literal = bool(parts) and any(isinstance(part, str) for part in parts)
            fields = split(parts, ":") if literal else []
        return FunctionTarget(*fields) if len(fields) in {1, 2} else None

    def _function_resource(self, resource: Resource, attribute: str) -> FunctionTarget | None:
        if resource.type == "AWS::Lambda::Function" and attribute in {"", "Arn"}:
            return FunctionTarget(self._name(Token(resource.logical_id), frozenset()))
        if resource.type not in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
            return None
        if attribute not in {"", "AliasArn", "FunctionArn"}:
            return None
        base = [self.function_of(node.value) for node in resource.get("FunctionName")]
        if len(base) != 1 or base[0] is None:
            return None
        if resource.type == "AWS::Lambda::Version":
            return FunctionTarget(base[0].name, (Token(resource.logical_id, "Version"),))
        names = [self.expression(node.value) for node in resource.get("Name")]
        return FunctionTarget(base[0].name, names[0]) if len(names) == 1 else None

    def rule_name(self, rule: Resource) -> Expr:
        """Return what follows `rule/` in the ARN of an EventBridge rule."""
        names = [self.expression(n.value) for n in rule.get("Name") if n.present]
        name = names[0] if len(names) == 1 else (Token(rule.logical_id, "Name"),)
        buses = [self.expression(n.value) for n in rule.get("EventBusName") if n.present]
        if len(buses) > 1:
            return (Token(rule.logical_id, "BusAndName"),)
        bus = buses[0] if buses else ("default",)
        if (found := arn(bus)) is not None:
            bus = split(found.resource, "/")[-1]
        return name if bus == ("default",) else merged((*bus, "/", *name))

    # --- values that parameters and regions decide ------------------------------------------

    def texts(self, value: Any, region: str) -> frozenset[str] | None:
        """Return the texts a value can have in a region, None where parameters leave it open.

        A parameter has the values given to cfn-lint, else its default.
        """
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return frozenset({str(value)})
        if is_intrinsic(value) and "Fn::FindInMap" in value:
            return self._mapped(value["Fn::FindInMap"], region)
        found: set[str] = {""}
        for part in expression(value):
            options = {part} if isinstance(part, str) else self._token_texts(part, region)
            if options is None or len(found) * len(options) > 100:
                return None
            found = {head + tail for head in found for tail in options}
        return frozenset(found)

    def texts_anywhere(self, value: Any) -> frozenset[str] | None:
        """Return the texts a value can have in any of the linted regions."""
        found: set[str] = set()
        for region in self.regions:
            texts = self.texts(value, region)
            if texts is None:
                return None
            found |= texts
        return frozenset(found)

    def _token_texts(self, token: Token, region: str) -> set[str] | None:
        if token == Token("AWS::Region"):
            return {region}
        parameter = self._parameters.get(token.logical_id)
        if token.attribute or not isinstance(parameter, Mapping):
            return None
        if str(parameter.get("Type", "")).startswith("AWS::SSM::"):
            return None  # the value is the name of what holds the value
        given = [p[token.logical_id] for p in self._given if token.logical_id in p]
        values = given or ([parameter["Default"]] if "Default" in parameter else [])
        plain = {str(v) for v in values if isinstance(v, str | int | float)}
        return plain if plain and len(plain) == len(set(map(str, values))) else None

    def _mapped(self, argument: Any, region: str) -> frozenset[str] | None:
        if not isinstance(argument, list) or len(argument) != 3:
            return None
        keys = [self.texts(key, region) for key in argument]
        level: Any = self._mappings
        for key in keys:
            if key is None or len(key) != 1 or not isinstance(level, Mapping):
                return None
            level = level.get(next(iter(key)))
        return frozenset({level}) if isinstance(level, str) else None


def _section(template: Any, name: str) -> Mapping[str, Any]:
    found = template.get(name) if isinstance(template, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _referred(value: Any) -> Iterator[str]:
    todo = [value]
    while todo:
        value = todo.pop()
        if is_intrinsic(value) and not {"Fn::If", "Fn::Join"} & set(value):
            yield from (token.logical_id for token in tokens(expression(value)))
        if isinstance(value, Mapping):
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _resources(template: Any) -> Iterator[Resource]:
    for logical_id, body in _section(template, "Resources").items():
        if not isinstance(body, Mapping) or not isinstance(body.get("Type"), str):
            continue
        given = body.get("Condition")
        condition = given if isinstance(given, str) else None
        when = ((condition, True),) if condition else ()
        path: tuple[str | int, ...] = ("Resources", str(logical_id))
        properties = Node({}, path, when)
        if "Properties" in body:
            first = next(Node(body["Properties"], (*path, "Properties"), when).branches())
            properties = Node({}, path, when) if first.absent else first
        waits = body.get("DependsOn")
        listed = waits if isinstance(waits, list) else [waits]
        depends_on = frozenset(str(each) for each in listed if isinstance(each, str))
        yield Resource(str(logical_id), str(body["Type"]), properties, condition, depends_on)
