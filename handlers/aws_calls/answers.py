"""What an error of botocore says. Pure, and without botocore.

Of what AWS answered, the code and the status are read; its message may quote an item or an event
and is for nobody.
"""

import re

CONDITION_FAILED = "ConditionalCheckFailedException"  # of DynamoDB: an answer, not a failure
ALREADY_THERE = "PreconditionFailed"  # of S3, likewise

# What AWS answers when a later, equal call may succeed, whatever the status it is answered with.
# botocore has retried most of them already.
_TEMPORARY_CODES = frozenset(
    {
        # Another write of the same key was under way; only a repetition tells who was first.
        "ConditionalRequestConflict",
        "InternalError",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "OperationAborted",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",  # the other region is writing the same item
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# botocore's own errors of the network and of credentials on their way. The others (parameters,
# endpoints, missing credentials) are the same at the next attempt.
_TEMPORARY_ERRORS = frozenset(
    {
        "ConnectionError",
        "CredentialRetrievalError",
        "HTTPClientError",
        "IncompleteReadError",
        "ResponseParserError",
    }
)
_CODE = re.compile(r"[A-Z][A-Za-z0-9._]{0,79}")


def code_of(error: Exception) -> str:
    """Name an error of botocore: the code AWS answered, or the class if it did not answer."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return type(error).__name__
    said = response.get("Error")
    code = said.get("Code") if isinstance(said, dict) else None
    # The answer to a head request has no body to hold a code.
    return name_of(code) if isinstance(code, str) and code else f"Http{_status(response)}"


def name_of(code: object) -> str:
    """Give a code of AWS if it is shaped like one, and thereby may be logged."""
    is_code = isinstance(code, str) and _CODE.fullmatch(code)
    return str(code) if is_code else "UnknownCode"


def is_temporary(code: str) -> bool:
    """Tell whether a later, equal call may succeed, by AWS's code alone."""
    return code in _TEMPORARY_CODES


def may_pass(error: Exception) -> bool:
    """Tell whether a call that an error of botocore ended may succeed later, as it is.

    A condition that does not hold is an answer, not a failure: look for it with `code_of` first.
    """
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = _status(response)
        return is_temporary(code_of(error)) or status >= 500 or status == 429
    # By name, so that pure modules need no botocore.
    return any(each.__name__ in _TEMPORARY_ERRORS for each in type(error).__mro__)


def _status(response: dict[str, object]) -> int:
    metadata = response.get("ResponseMetadata")
    status = metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None
    return status if isinstance(status, int) else 0
