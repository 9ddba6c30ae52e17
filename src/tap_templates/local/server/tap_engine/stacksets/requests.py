"""What a caller asks of StackSets, read and checked, before anything is changed."""

import re
from typing import Any
from urllib.parse import urlsplit

from ministack.services import s3
from ministack.services.cloudformation import engine, handlers, helpers

from tap_engine.stacksets.model import Preferences, StackSetError, invalid

# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html
NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_OPERATION_ID = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_ACCOUNT = re.compile(r"\d{12}")
_REQUEST_BYTES_MAX = 51_200
_OBJECT_BYTES_MAX = 1_000_000
_PREFERENCES = {
    "RegionConcurrencyType",
    "RegionOrder",
    "FailureToleranceCount",
    "FailureTolerancePercentage",
    "MaxConcurrentCount",
    "MaxConcurrentPercentage",
    "ConcurrencyMode",
}

Request = dict[str, Any]


def is_true(request: Request, name: str) -> bool:
    return str(request.get(name, "")).lower() == "true"


def strings(request: Request, name: str) -> list[str]:
    """Read a list of texts; an absent or empty one is empty."""
    value = request.get(name)
    return [str(each) for each in value] if isinstance(value, list) else []


def pairs(request: Request, name: str, key: str, value: str) -> dict[str, str]:
    """Read a list of key and value as a mapping."""
    entries = request.get(name)
    return {
        str(entry[key]): str(entry.get(value, ""))
        for entry in (entries if isinstance(entries, list) else [])
    }


def parameter_values(request: Request, name: str, previous: dict[str, str]) -> dict[str, str]:
    """Read parameters; one with UsePreviousValue has the value that it has in `previous`."""
    entries = request.get(name)
    values: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else []:
        key = str(entry.get("ParameterKey", ""))
        if not is_true(entry, "UsePreviousValue"):
            values[key] = str(entry.get("ParameterValue", ""))
        elif key in previous:
            values[key] = previous[key]
    return values


def template_body(request: Request) -> str | None:
    """Read the template that is in the request, or in the engine's S3; None if neither is given."""
    body, url = request.get("TemplateBody"), request.get("TemplateURL")
    if body and url:
        raise invalid("Either TemplateBody or TemplateURL must be specified, not both")
    if body:
        if len(str(body).encode()) > _REQUEST_BYTES_MAX:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy "
                f"constraint: Member must have length less than or equal to {_REQUEST_BYTES_MAX}"
            )
        return str(body)
    return _object_text(str(url)) if url else None


def _object_text(url: str) -> str:
    """Fetch a template by the URL of an object, `host/bucket/key` or `bucket.s3….host/key`."""
    split = urlsplit(url)
    bucket, _, key = split.path.lstrip("/").partition("/")
    host = re.match(r"(?P<bucket>.+?)\.s3[.-]", split.hostname or "")
    if host:
        bucket, key = host["bucket"], split.path.lstrip("/")
    content = s3._get_object_data(bucket, key) if bucket and key else None
    if content is None:
        raise invalid(f"S3 error: The specified key does not exist: {url}")
    if len(content) > _OBJECT_BYTES_MAX:
        raise invalid(f"Template may not exceed {_OBJECT_BYTES_MAX} bytes in size.")
    return str(content.decode())


def check_template(body: str, parameters: dict[str, str], capabilities: list[str]) -> None:
    """Refuse a template that does not parse, lacks values, or needs more capabilities."""
    try:
        template = engine._parse_template(body)
        values = [
            {"Key": key, "Value": value, "UsePreviousValue": False}
            for key, value in parameters.items()
        ]
        resolved = engine._resolve_parameters(template, values)
        conditions = engine._evaluate_conditions(template, resolved)
        # Without the values: rules are judged in each region, with the values that hold there.
        engine.validate_template_support(template, conditions)
    except Exception as error:  # the engine's parsers raise what they like; all mean: refused
        raise invalid(str(error)) from error
    unknown = sorted(parameters.keys() - (template.get("Parameters") or {}).keys())
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = handlers._missing_capabilities(
        capabilities, handlers._required_iam_capabilities(template)
    )
    if missing:
        raise StackSetError(
            "InsufficientCapabilitiesException", f"Requires capabilities : {missing}"
        )
    problems = helpers.capabilities_problems(capabilities)
    if problems:
        raise invalid(problems[0])


def declared_parameters(body: str) -> set[str]:
    """List the names of the parameters a template declares."""
    return set(engine._parse_template(body).get("Parameters") or {})


def operation_id(request: Request) -> str | None:
    """Read the id a caller gives an operation."""
    given = request.get("OperationId")
    if given and not _OPERATION_ID.fullmatch(str(given)):
        raise invalid(f"Value '{given}' at 'operationId' failed to satisfy constraint")
    return str(given) if given else None


def targets(request: Request) -> list[tuple[str, str]]:
    """Read accounts and regions as pairs, in the order given."""
    deployment = request.get("DeploymentTargets")
    accounts = strings(request, "Accounts")
    if isinstance(deployment, dict):
        if strings(deployment, "OrganizationalUnitIds"):
            raise invalid("StackSets with SELF_MANAGED permission model can't have OUs as target")
        accounts = accounts or strings(deployment, "Accounts")
    regions = strings(request, "Regions")
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise invalid(f"Value '{account}' at 'accounts' must be an account id of 12 digits")
    for region in regions:
        if not _REGION.fullmatch(region):
            raise invalid(f"Value '{region}' at 'regions' is not a valid region")
    return [(account, region) for region in regions for account in accounts]


def preferences(request: Request) -> Preferences:
    """Read how an operation is to go through the regions."""
    given = request.get("OperationPreferences") or {}
    if not isinstance(given, dict):
        return Preferences()
    unknown = sorted(given.keys() - _PREFERENCES)
    if unknown:
        raise invalid(f"Unknown operation preferences: {', '.join(unknown)}")
    for count, percent in (
        ("FailureToleranceCount", "FailureTolerancePercentage"),
        ("MaxConcurrentCount", "MaxConcurrentPercentage"),
    ):
        if count in given and percent in given:
            raise invalid(f"You can specify either {count} or {percent}, but not both")
    concurrency = given.get("RegionConcurrencyType", "SEQUENTIAL")
    if concurrency not in ("SEQUENTIAL", "PARALLEL"):
        raise invalid(f"Value '{concurrency}' at 'regionConcurrencyType' is not valid")
    percentage = given.get("FailureTolerancePercentage")
    return Preferences(
        region_order=tuple(strings(given, "RegionOrder")),
        parallel=concurrency == "PARALLEL",
        tolerance_count=int(given.get("FailureToleranceCount", 0)),
        tolerance_percent=None if percentage is None else int(percentage),
        as_given=given,
    )
