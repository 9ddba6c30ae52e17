"""AWS::Lambda::Function and ::Version: what the engine loses or lets pass."""

from ministack.services import lambda_svc

from tap_engine import loopback
from tap_engine.providers.provider import Made, Properties, Provider, engines_own, shaped

_function = engines_own("AWS::Lambda::Function")
_version = engines_own("AWS::Lambda::Version")


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    _check_code(properties)
    name, attributes = _function.create(logical_id, properties, stack)
    _configure(name, properties, {})
    return name, attributes


def _update(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    _check_code(new)
    name, attributes = _function.update(physical_id, old, new, stack, lid)
    _configure(name, new, old)
    return name, attributes


def _check_code(properties: Properties) -> None:
    """Refuse code that is not there: the engine makes a function that answers with nonsense."""
    code = properties.get("Code", {})
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if bucket and not lambda_svc._fetch_code_from_s3(
        bucket, key, version_id=code.get("S3ObjectVersion")
    ):
        raise ValueError(
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: "
            f"The specified key does not exist: {bucket}/{key}"
        )


def _configure(name: str, properties: Properties, old: Properties) -> None:
    client = loopback.client("lambda")
    reserved = properties.get("ReservedConcurrentExecutions")
    if reserved is not None:
        client.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=int(reserved)
        )
    elif "ReservedConcurrentExecutions" in old:
        client.delete_function_concurrency(FunctionName=name)
    if properties.get("DeadLetterConfig") != old.get("DeadLetterConfig"):
        dead_letters = properties.get("DeadLetterConfig") or {"TargetArn": ""}
        client.update_function_configuration(FunctionName=name, DeadLetterConfig=dead_letters)
    if properties.get("VpcConfig") != old.get("VpcConfig"):
        network = properties.get("VpcConfig") or {"SubnetIds": [], "SecurityGroupIds": []}
        request = {"FunctionName": name, "VpcConfig": network}
        client.update_function_configuration(
            **shaped(client, "update_function_configuration", request)
        )


def _publish(logical_id: str, properties: Properties, stack: str) -> Made:
    _check_digest(properties)
    return _version.create(logical_id, properties, stack)


def _republish(physical_id: str, old: Properties, new: Properties, stack: str, lid: str) -> Made:
    _check_digest(new)
    return _version.update(physical_id, old, new, stack, lid)


def _check_digest(properties: Properties) -> None:
    wanted = properties.get("CodeSha256")
    if wanted:
        found = loopback.client("lambda").get_function_configuration(
            FunctionName=properties["FunctionName"]
        )["CodeSha256"]
        if found != wanted:
            raise ValueError(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({found}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )


PROVIDERS = (
    Provider(type="AWS::Lambda::Function", create=_create, update=_update, delete=_function.delete),
    Provider(
        type="AWS::Lambda::Version", create=_publish, update=_republish, delete=_version.delete
    ),
)
