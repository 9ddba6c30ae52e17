"""How the work on an event fails. The class names are what the state machine catches and retries.

A failure's text is written into logs, executions and queues, so it holds names alone: of fields,
rules, errors. It never holds a value of an event, nor a message of AWS, which may quote one.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

# What AWS answers when a later, equal call may succeed. botocore has retried most of them already.
_TEMPORARY_CODES = frozenset(
    {
        "InternalError",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "OperationAborted",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
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


class Problem(NamedTuple):
    """What is wrong with an event: a field of ours, or `event`, and the rule it breaks."""

    field: str
    rule: str


class Failure(Exception):  # noqa: N818  # the names are Step Functions errors, read by people
    """Anything the functions raise on purpose; safe to be written down in full."""

    @property
    def name(self) -> str:
        """Name the failure for a log line: its class, and its cause if it has one."""
        return type(self).__name__


class _Caused(Failure):
    """A failure by a cause of another's naming: a code of AWS, or a class. The text is that."""

    @property
    def name(self) -> str:
        return f"{type(self).__name__}.{self}"


class InvalidEvent(Failure):
    """An event that no retry makes valid."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{field} {rule}" for field, rule in self.problems))


class EventIdReused(Failure):
    """Two different events carry one id; the first is stored, this one is not."""


class UnknownInstrument(Failure):
    """No reference data says what the event's symbol is on that day."""


class Superseded(Failure):
    """The item belongs to another execution, or this execution is compensated: stop writing."""


class TemporaryFailure(_Caused):
    """AWS did not answer yes or no. A retry may succeed; the call may have taken effect."""


class AwsRefused(_Caused):
    """AWS said no, and says it again: a right, a resource or a parameter is wrong."""


class UnexpectedError(_Caused):
    """A defect of the function. The text is the class of what was raised, never its message."""


def code_of(error: Exception) -> str:
    """Name an error of botocore: the code AWS answered, or the class if it did not answer."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return type(error).__name__
    error_part = response.get("Error")
    code = error_part.get("Code") if isinstance(error_part, dict) else None
    # The answer to a head request has no body to hold a code.
    return name_of(code) if isinstance(code, str) and code else f"Http{_status(response)}"


def name_of(code: object) -> str:
    """Give a code of AWS if it is shaped like one, and thereby may be logged."""
    is_code = isinstance(code, str) and _CODE.fullmatch(code)
    return str(code) if is_code else "UnknownCode"


def is_temporary(code: str) -> bool:
    """Tell whether a later, equal call may succeed, by AWS's code alone."""
    return code in _TEMPORARY_CODES


def failure_of(error: Exception) -> TemporaryFailure | AwsRefused:
    """Turn an error of botocore into ours; raise the result `from None`.

    Conditions that do not hold (`ConditionalCheckFailedException`, `PreconditionFailed`) are
    answers, not failures: look for them with `code_of` first.
    """
    code = code_of(error)
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = _status(response)
        is_passing = is_temporary(code) or status >= 500 or status == 429
    else:
        # By name, so that pure modules need no botocore.
        is_passing = any(each.__name__ in _TEMPORARY_ERRORS for each in type(error).__mro__)
    return TemporaryFailure(code) if is_passing else AwsRefused(code)


def _status(response: dict[str, object]) -> int:
    metadata = response.get("ResponseMetadata")
    status = metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None
    return status if isinstance(status, int) else 0
