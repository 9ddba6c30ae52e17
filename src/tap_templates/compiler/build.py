"""Stage build: run a stack module and finish what it returns into a template.

What every stack has in common is added here and nowhere else: the standard parameters it refers
to, tags, retention policies, export names, and the parameter form's groups and labels. Pure apart
from running the stack module.
"""

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from troposphere import AWSObject, Export, Output, Parameter, Ref, Tags, Template
from troposphere.backup import BackupPlan, BackupVault
from troposphere.dynamodb import GlobalTable
from troposphere.rds import DBCluster, GlobalCluster
from troposphere.route53 import HealthCheck, HostedZone

from tap_templates.blocks.parameters import standard_parameters
from tap_templates.blocks.stack import StackParameter, StackRule, StackTemplate
from tap_templates.blocks.text import references, sub
from tap_templates.errors import BuildError, TapError
from tap_templates.model.limits import MOST_OUTPUTS, MOST_PARAMETERS, MOST_RESOURCES
from tap_templates.model.names import MANAGED_BY, OWN_REGION, SUFFIX
from tap_templates.model.retention import is_stateful
from tap_templates.model.system import Stack, System

_FIRST_GROUPS = ("Environment", "Regions")
_LAST_GROUPS = ("Tags",)


@dataclass(frozen=True, slots=True)
class BuiltStack:
    """A stack's template as CloudFormation's data structure."""

    system: System
    stack: Stack
    template: dict[str, Any]

    @property
    def place(self) -> str:
        return f"{self.system.name}/{self.stack.name}"


def build_stack(system: System, stack: Stack) -> BuiltStack:
    """Run the stack module and finish its template.

    Raises BuildError where the module raises anything that is no error of ours: it names the
    module's line, since that is where the reader can act.
    """
    place = f"{system.name}/{stack.name}"
    try:
        template = _finish(system, stack, _run_module(stack)).to_dict()
    except TapError as error:
        raise BuildError(place, str(error), error.remedy) from error
    except Exception as error:
        raise BuildError(
            place, f"{type(error).__name__}: {error}", f"mend {_blame(error)}"
        ) from error
    return BuiltStack(system, stack, template)


def _run_module(stack: Stack) -> StackTemplate:
    declared: object = stack.build()
    if not isinstance(declared, StackTemplate):
        raise BuildError(
            "its module",
            f"returned {type(declared).__name__}",
            "return the StackTemplate it builds",
        )
    return declared


def _blame(error: Exception) -> str:
    """Name the deepest line of a stack module, or else the deepest line at all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "templates" in Path(frame.filename).parts[-3:-1]]
    named = [frame for frame in ours if "tap_templates" not in Path(frame.filename).parts]
    frame = (named or frames)[-1]
    return f"{'/'.join(Path(frame.filename).parts[-3:])} line {frame.lineno}"


def _finish(system: System, stack: Stack, declared: StackTemplate) -> Template:
    _check_counts(declared)
    template = Template(Description=declared.description)
    template.set_version("2010-09-09")
    for resource in declared.resources.values():
        _tag(resource)
        _keep_or_delete(system, resource)
        template.add_resource(resource)
    for name, condition in declared.conditions.items():
        template.add_condition(name, condition)
    for rule in declared.rules.values():
        template.add_rule(rule.name, _render_rule(rule))
    for output in declared.outputs.values():
        suffix = "" if system.once_per_account else f"-{SUFFIX}-{OWN_REGION}"
        export = sub(f"{system.name}-{stack.name}-{output.name}{suffix}")
        template.add_output(
            Output(
                output.name,
                Description=output.description,
                Value=output.value,
                Export=Export(export),
            )
        )
    parameters = dict(declared.parameters)
    referred = set(references(template.to_dict()))
    for standard in standard_parameters(system.application):
        if standard.name in referred:
            parameters.setdefault(standard.name, standard)
    for parameter in parameters.values():
        template.add_parameter(_render_parameter(parameter))
    if parameters:
        template.set_metadata({"AWS::CloudFormation::Interface": _interface(parameters)})
    return template


def _check_counts(declared: StackTemplate) -> None:
    """Refuse what troposphere would refuse too, but without saying how many there are."""
    for what, count, most in (
        ("resources", len(declared.resources), MOST_RESOURCES),
        ("parameters", len(declared.parameters), MOST_PARAMETERS),
        ("outputs", len(declared.outputs), MOST_OUTPUTS),
    ):
        if count > most:
            raise BuildError(
                "its module",
                f"declares {count} {what}, CloudFormation allows {most} in a template",
                "split the stack into two",
            )


def _tag(resource: AWSObject) -> None:
    if isinstance(resource, GlobalTable):
        for replica in resource.Replicas:
            # CloudFormation does not copy tags to replicas: each carries its own.
            replica.Tags = _tags(replica.Region)
    elif isinstance(resource, HealthCheck):
        resource.HealthCheckTags = _tags(Ref("AWS::Region"))
    elif isinstance(resource, HostedZone):
        resource.HostedZoneTags = _tags(Ref("AWS::Region"))
    elif isinstance(resource, BackupVault):
        resource.BackupVaultTags = _tag_values(Ref("AWS::Region"))
    elif isinstance(resource, BackupPlan):
        resource.BackupPlanTags = _tag_values(Ref("AWS::Region"))
    elif "Tags" in type(resource).props:
        resource.Tags = _with_own(resource)


def _with_own(resource: AWSObject) -> Tags | dict[str, object]:
    """Add our tags to those the block gave, such as the Name of what has no name."""
    ours = _tag_values(Ref("AWS::Region"))
    if type(resource).props["Tags"][0] is dict:  # API Gateway spells tags as a map
        return {**resource.properties.get("Tags", {}), **ours}
    given: list[Any] = getattr(resource, "Tags", Tags()).tags
    own = {each["Key"]: each["Value"] for each in given}
    return Tags({**own, **ours})


def _tags(region: object) -> Tags:
    return Tags(_tag_values(region))


def _tag_values(region: object) -> dict[str, object]:
    return {
        "Application": Ref("Application"),
        "DR-Tier": Ref("DrTier"),
        "Environment": Ref("Environment"),
        "ManagedBy": MANAGED_BY,
        "Region": region,
    }


def _keep_or_delete(system: System, resource: AWSObject) -> None:
    kind = str(resource.resource_type)
    if is_stateful(kind):
        retained = kind in system.retain
        policy = "Retain" if retained else "Delete"
        resource.DeletionPolicy = policy
        resource.UpdateReplacePolicy = policy
        if isinstance(resource, GlobalTable):
            for replica in resource.Replicas:
                # The policies bind CloudFormation only; this stops a call from anywhere else.
                replica.DeletionProtectionEnabled = retained
        elif isinstance(resource, DBCluster | GlobalCluster):
            resource.DeletionProtection = retained


def _render_rule(rule: StackRule) -> dict[str, Any]:
    assertions = [
        {"Assert": demand.holds, "AssertDescription": demand.says} for demand in rule.demands
    ]
    return {**({"RuleCondition": rule.when} if rule.when else {}), "Assertions": assertions}


def _render_parameter(parameter: StackParameter) -> Parameter:
    body = Parameter(
        parameter.name,
        Type=parameter.type,
        Description=parameter.description,
        ConstraintDescription=f"must be {parameter.constraint}",
    )
    if parameter.default is not None:
        body.Default = parameter.default
    if parameter.pattern:
        body.AllowedPattern = f"^{parameter.pattern}$"
    if parameter.allowed:
        body.AllowedValues = list(parameter.allowed)
    if parameter.at_least is not None:
        body.MinValue = parameter.at_least
    if parameter.at_most is not None:
        body.MaxValue = parameter.at_most
    if parameter.longest is not None:
        body.MaxLength = parameter.longest
    return body


def _interface(parameters: dict[str, StackParameter]) -> dict[str, Any]:
    middle = [
        parameter.group
        for parameter in parameters.values()
        if parameter.group not in (*_FIRST_GROUPS, *_LAST_GROUPS)
    ]
    groups = [*_FIRST_GROUPS, *dict.fromkeys(middle), *_LAST_GROUPS]
    return {
        "ParameterGroups": [
            {"Label": {"default": group}, "Parameters": names}
            for group in groups
            if (names := sorted(each.name for each in parameters.values() if each.group == group))
        ],
        "ParameterLabels": {
            parameter.name: {"default": parameter.label} for parameter in parameters.values()
        },
    }
