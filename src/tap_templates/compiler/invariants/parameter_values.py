"""Parameter values: what a stack is given is what its parameters take (X-09).

CloudFormation looks at the constraints when a stack is created, in every region again: a value
that its own template refuses stops a rollout. Values that only another stack knows are not looked
at here.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant
from tap_templates.compiler.invariants.values import as_list, number
from tap_templates.model.names import package_key
from tap_templates.rendered.tokens import is_known, package_token

_PARAMETERS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/parameters-section-structure.html"
_SSM = "AWS::SSM::Parameter::Value<"


def refusal(value: Any, declared: Mapping[str, Any]) -> str | None:
    """Say why a parameter does not take a value; None if it does.

    Of a list, CloudFormation holds every element to pattern, allowed values and bounds.
    """
    kind = str(declared.get("Type", "String"))
    text = _spelled(value)
    for each in text.split(",") if _is_list(kind) else [text]:
        if problem := _not_allowed(each.strip() if _is_list(kind) else each, declared):
            return problem
        if kind in ("Number", "List<Number>") and (problem := _out_of_bounds(each, declared)):
            return problem
    return _wrong_length(text, declared)


def _is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def _spelled(value: Any) -> str:
    """Spell a value as it comes to the stack: as text, whatever the template's JSON has."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(_spelled, value)) if isinstance(value, list) else str(value)


def _not_allowed(text: str, declared: Mapping[str, Any]) -> str | None:
    pattern = declared.get("AllowedPattern")
    if pattern is not None:
        try:
            matched = re.fullmatch(str(pattern), text)
        except re.error as error:
            return f"its AllowedPattern {pattern} cannot be read ({error})"
        if matched is None:
            return f"its AllowedPattern is {pattern}"
    if "AllowedValues" in declared:
        allowed = [_spelled(each) for each in as_list(declared["AllowedValues"])]
        if text not in allowed:
            return f"its AllowedValues are {', '.join(allowed)}"
    return None


def _out_of_bounds(text: str, declared: Mapping[str, Any]) -> str | None:
    value = number(text)
    if value is None:
        return "it is a number"
    lowest, highest = number(declared.get("MinValue")), number(declared.get("MaxValue"))
    if lowest is not None and value < lowest:
        return f"its MinValue is {declared['MinValue']}"
    if highest is not None and value > highest:
        return f"its MaxValue is {declared['MaxValue']}"
    return None


def _wrong_length(text: str, declared: Mapping[str, Any]) -> str | None:
    shortest, longest = number(declared.get("MinLength")), number(declared.get("MaxLength"))
    if shortest is not None and len(text) < shortest:
        return f"its MinLength is {declared['MinLength']}"
    if longest is not None and len(text) > longest:
        return f"its MaxLength is {declared['MaxLength']}"
    return None


def _refused(compiled: CompiledSystem) -> Iterator[Fault]:
    packages = _package_values(compiled)
    for stack in compiled.stacks:
        for name, declared in stack.template.get("Parameters", {}).items():
            path = f"/Parameters/{name}"
            if "Default" in declared and (problem := refusal(declared["Default"], declared)):
                yield Fault(
                    stack=stack.name,
                    path=f"{path}/Default",
                    what=f"parameter {name} refuses its own default "
                    f"{_spelled(declared['Default'])!r}: {problem}",
                    remedy="correct the default, or what the parameter allows",
                )
    for resolved in compiled.view.stacks:
        parameters = compiled.template(resolved.stack).get("Parameters", {})
        for name, given in resolved.parameters.items():
            declared = parameters[name]
            if declared.get("Default") == given or str(declared.get("Type")).startswith(_SSM):
                continue  # told above, or known in the account alone
            text = _spelled(given)
            value = packages.get(text, text)
            if is_known(value) and (problem := refusal(value, declared)):
                yield Fault(
                    stack=resolved.stack,
                    region=resolved.region,
                    path=f"/Parameters/{name}",
                    what=f"parameter {name} refuses {value!r}, which it is given: {problem}",
                    remedy="correct the value in the system module, or what the parameter allows",
                )


def _package_values(compiled: CompiledSystem) -> dict[str, str]:
    """Spell key and digest of each package as the deployer does, for some content."""
    values: dict[str, str] = {}
    for package in compiled.system.packages:
        digest = hashlib.sha256(package.name.encode())
        key = package_key(package.name, digest.hexdigest())
        values[package_token(package.name)] = key
        values[package_token(package.name, "sha256")] = b64encode(digest.digest()).decode()
    return values


PARAMETER_VALUES = (
    Invariant(
        code="TAP-PAR-04",
        promise="Every parameter takes its default and what the manifest gives it.",
        source_url=_PARAMETERS,
        check=_refused,
    ),
)
