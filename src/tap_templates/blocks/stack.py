"""What a stack module returns: typed resources, parameters, conditions and outputs.

Tags, retention policies, export names and the standard parameters (suffix, regions, tag values)
are not a stack module's business: the build stage adds them to every stack in the same way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from troposphere import AWSHelperFn, AWSObject, Ref

from tap_templates.blocks.text import Text
from tap_templates.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class StackParameter:
    """A template parameter with what X-09 asks of it: group, label, constraint, explanation."""

    name: str
    group: str
    label: str
    description: str
    constraint: str  # what a valid value is, in words
    type: str = "String"
    default: str | int | None = None
    pattern: str | None = None
    allowed: tuple[str, ...] = ()
    at_least: int | None = None
    at_most: int | None = None
    longest: int | None = None

    def __post_init__(self) -> None:
        if not (self.pattern or self.allowed or self.at_least is not None):
            raise ModelError(
                f"parameter {self.name}",
                "accepts any value",
                "give it a pattern, the allowed values, or a range",
            )

    @property
    def ref(self) -> Ref:
        return Ref(self.name)


@dataclass(frozen=True, slots=True)
class StackOutput:
    name: str
    description: str
    value: Text


class OneOf(AWSHelperFn):
    """`Fn::Contains`, which stands in rules only: whether a parameter is one of some values."""

    def __init__(self, values: Iterable[str], parameter: Ref) -> None:
        self.data = {"Fn::Contains": [list(values), parameter]}


@dataclass(frozen=True, slots=True)
class Demand:
    """What must hold of the parameters, and what CloudFormation says where it does not."""

    holds: AWSHelperFn
    says: str


@dataclass(frozen=True, slots=True)
class StackRule:
    """Demands on several parameters at once, checked before anything is deployed.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/rules-section-structure.html
    """

    name: str
    when: AWSHelperFn | None  # None: always
    demands: tuple[Demand, ...]

    def __post_init__(self) -> None:
        if not self.demands:
            raise ModelError(f"rule {self.name}", "demands nothing", "give it a demand")


@dataclass(slots=True)
class StackTemplate:
    """One stack as its module declares it."""

    description: str
    resources: dict[str, AWSObject] = field(default_factory=dict)
    parameters: dict[str, StackParameter] = field(default_factory=dict)
    conditions: dict[str, AWSHelperFn] = field(default_factory=dict)
    outputs: dict[str, StackOutput] = field(default_factory=dict)
    rules: dict[str, StackRule] = field(default_factory=dict)

    def add(self, *resources: AWSObject) -> None:
        """Add resources; a block is a tuple of them: `stack.add(*block)`."""
        for resource in resources:
            title = str(resource.title)
            self._claim(title)
            self.resources[title] = resource

    def parameter(self, parameter: StackParameter) -> Ref:
        """Declare a parameter and return the reference to it."""
        self._claim(parameter.name)
        self.parameters[parameter.name] = parameter
        return parameter.ref

    def condition(self, name: str, condition: AWSHelperFn) -> str:
        if name in self.conditions:
            raise ModelError(f"condition {name}", "is declared twice", "rename one of them")
        self.conditions[name] = condition
        return name

    def rule(self, rule: StackRule) -> None:
        """Refuse at deploy time what parameters must not be together."""
        if rule.name in self.rules:
            raise ModelError(f"rule {rule.name}", "is declared twice", "rename one of them")
        self.rules[rule.name] = rule

    def output(self, name: str, description: str, value: Text) -> None:
        """Declare an output; its export name follows from system, stack and suffix."""
        if name in self.outputs:
            raise ModelError(f"output {name}", "is declared twice", "rename one of them")
        self.outputs[name] = StackOutput(name, description, value)

    def declared(self) -> Mapping[str, object]:
        """Everything a `Ref` may name, apart from what the build stage adds."""
        return {**self.parameters, **self.resources}

    def _claim(self, title: str) -> None:
        # CloudFormation shares one namespace between parameters and resources; troposphere
        # would render both.
        if title in self.resources or title in self.parameters:
            raise ModelError(f"logical id {title}", "is declared twice", "rename one of them")
