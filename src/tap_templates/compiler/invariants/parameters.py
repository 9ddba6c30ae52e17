"""Parameters: each is explained, constrained and has its place in the form (X-09)."""

from collections.abc import Iterator

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant
from tap_templates.compiler.invariants.values import as_list, inside

_PARAMETERS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/parameters-section-structure.html"
_INTERFACE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-interface.html"
_REMEDY = "declare it as a StackParameter (blocks/stack.py), which demands this"
_CONSTRAINTS = ("AllowedPattern", "AllowedValues", "MinValue")


def _unexplained(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.stacks:
        for name, body in stack.template.get("Parameters", {}).items():
            missing = [
                each for each in ("Description", "ConstraintDescription") if not body.get(each)
            ]
            if missing:
                yield Fault(
                    stack=stack.name,
                    path=f"/Parameters/{name}",
                    what=f"parameter {name} has no {' and no '.join(missing)}",
                    remedy=_REMEDY,
                )


def _unconstrained(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.stacks:
        for name, body in stack.template.get("Parameters", {}).items():
            if not any(each in body for each in _CONSTRAINTS):
                yield Fault(
                    stack=stack.name,
                    path=f"/Parameters/{name}",
                    what=f"parameter {name} takes any value",
                    remedy=f"give it one of {', '.join(_CONSTRAINTS)}",
                )


def _unplaced(compiled: CompiledSystem) -> Iterator[Fault]:
    for stack in compiled.stacks:
        form = inside(stack.template, "Metadata", "AWS::CloudFormation::Interface") or {}
        grouped = [
            name
            for group in as_list(form.get("ParameterGroups"))
            for name in as_list(group.get("Parameters"))
        ]
        labels = form.get("ParameterLabels", {})
        declared = stack.template.get("Parameters", {})
        for name in dict.fromkeys([*declared, *grouped, *labels]):
            if name not in declared:
                problem = "is in the form, but the template does not declare it"
            elif grouped.count(name) != 1:
                problem = f"is in {grouped.count(name)} groups of the form"
            elif not inside(labels, name, "default"):
                problem = "has no label in the form"
            else:
                continue
            yield Fault(
                stack=stack.name,
                path="/Metadata/AWS::CloudFormation::Interface",
                what=f"parameter {name} {problem}",
                remedy="leave the form to the build stage (compiler/build.py): one group and "
                "one label for each parameter",
            )


PARAMETERS = (
    Invariant(
        code="TAP-PAR-01",
        promise="Every parameter says what it is for and what a valid value is.",
        source_url=_PARAMETERS,
        check=_unexplained,
    ),
    Invariant(
        code="TAP-PAR-02",
        promise="Every parameter refuses what is no value of it.",
        source_url=_PARAMETERS,
        check=_unconstrained,
    ),
    Invariant(
        code="TAP-PAR-03",
        promise="Every parameter has one group and one label in the form.",
        source_url=_INTERFACE,
        check=_unplaced,
    ),
)
