"""How the work on an event fails. The class names are what the state machine catches and retries.

A failure's text is written into logs, executions and queues, so it holds names alone: of fields,
rules, errors. It never holds a value of an event, nor a message of AWS, which may quote one.
"""

from collections.abc import Iterable
from typing import NamedTuple

from aws_calls.answers import code_of, may_pass


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


def failure_of(error: Exception) -> TemporaryFailure | AwsRefused:
    """Turn an error of botocore into ours; raise the result `from None`.

    Conditions that do not hold (`ConditionalCheckFailedException`, `PreconditionFailed`) are
    answers, not failures: look for them with `code_of` first.
    """
    code = code_of(error)
    return TemporaryFailure(code) if may_pass(error) else AwsRefused(code)
