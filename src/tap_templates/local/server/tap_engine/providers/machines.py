"""AWS::StepFunctions::StateMachine: the engine's, with the settings that it loses or misspells."""

from collections.abc import Mapping
from typing import Any

from ministack.services import stepfunctions

from tap_engine.providers.provider import Made, Properties, Provider, engines_own

_machine = engines_own("AWS::StepFunctions::StateMachine")


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    arn, attributes = _machine.create(logical_id, _engines(properties), stack)
    _trace(arn, properties)
    return arn, attributes


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    arn, attributes = _machine.update(physical_id, _engines(old), _engines(new), stack, lid)
    _trace(arn, new)
    return arn, attributes


def _engines(properties: Properties) -> dict[str, Any]:
    """Give the properties with logging in the words of the service's API."""
    logging = properties.get("LoggingConfiguration")
    if not logging:
        return dict(properties)
    said = _in_words_of_the_api(logging)
    said["includeExecutionData"] = str(said.get("includeExecutionData", False)).lower() == "true"
    return {**properties, "LoggingConfiguration": said}


def _in_words_of_the_api(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            f"{key[:1].lower()}{key[1:]}": _in_words_of_the_api(each) for key, each in value.items()
        }
    return [_in_words_of_the_api(each) for each in value] if isinstance(value, list) else value


def _trace(arn: str, properties: Properties) -> None:
    enabled = (properties.get("TracingConfiguration") or {}).get("Enabled", False)
    record = stepfunctions._state_machines[arn]
    record["tracingConfiguration"] = {"enabled": str(enabled).lower() == "true"}


PROVIDERS = (
    Provider(
        type="AWS::StepFunctions::StateMachine",
        create=_create,
        update=_update,
        delete=_machine.delete,
    ),
)
