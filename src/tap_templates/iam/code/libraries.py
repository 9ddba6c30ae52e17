"""Which imports a handler may have without calling AWS behind our back.

What is not listed is reported: a library that talks to AWS needs permissions of its own, and
nobody has written them down.
"""

import sys

# Of Powertools, the parts that make no AWS call; metrics are written to the log (EMF) and traces
# go to the X-Ray daemon, which is a need of TracingConfig.
_POWERTOOLS = (
    "Logger",
    "Metrics",
    "Tracer",
    "event_handler",
    "exceptions",
    "logging",
    "metrics",
    "middleware_factory",
    "tracing",
    "utilities.batch",
    "utilities.data_classes",
    "utilities.jmespath_utils",
    "utilities.parser",
    "utilities.typing",
    "utilities.validation",
)
_SAFE = (
    *(f"aws_lambda_powertools.{each}" for each in _POWERTOOLS),
    "aws_xray_sdk.core",
    "boto3.dynamodb.conditions",
    "boto3.dynamodb.types",
    "botocore.config",
    "botocore.exceptions",
    "jmespath",
    "psycopg",  # talks to PostgreSQL, with the login it is given
    "pydantic",
    "typing_extensions",
)
# Of the standard library: what runs code we do not read.
_OPAQUE = ("code", "ctypes", "importlib", "multiprocessing", "pickle", "runpy", "subprocess")
_BOTO3 = ("boto3.client", "boto3.resource", "boto3.session", "boto3.Session")
_STUBS = ("mypy_boto3_", "types_boto3_")  # type stubs: `mypy_boto3_dynamodb.DynamoDBClient`


def is_judged(name: str) -> bool:
    """Tell whether we know that importing `name`, a dotted name, adds no AWS calls of its own."""
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names:
        return root not in _OPAQUE
    if name == "boto3" or name in _BOTO3 or root.startswith(_STUBS):
        return True
    return any(name == safe or name.startswith(f"{safe}.") for safe in _SAFE)


def stub_service(name: str) -> str | None:
    """Read the service off a client's type: `mypy_boto3_dynamodb.DynamoDBClient`."""
    root, _, kind = name.partition(".")
    for stub in _STUBS:
        if root.startswith(stub) and kind.endswith("Client"):
            return root.removeprefix(stub).replace("_", "-")
    return None
