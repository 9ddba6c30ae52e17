"""How the work on orders fails. State machines route by the names of these classes.

A failure's text is written into logs, executions and queues, so it holds names alone: of errors, of
findings, of constraints. It never holds a value of an order, nor a message of AWS or PostgreSQL,
which may quote one. A failure of a check is raised with what was found: NotReady("api", "lag").
"""

from aws_calls.answers import code_of, may_pass


class Failure(Exception):  # noqa: N818  # the names are errors of Step Functions, read by people
    """Anything the functions raise on purpose; safe to be written down in full."""

    @property
    def findings(self) -> tuple[str, ...]:
        """Name what was found, for a log line."""
        return tuple(str(each) for each in self.args)

    def __str__(self) -> str:
        return ", ".join(self.findings)


class TemporaryFailure(Failure):
    """No yes and no no. A retry may succeed; the call may have taken effect. The text is why."""


class AwsRefused(Failure):
    """AWS said no, and says it again: a right, a resource or a parameter is wrong."""


class DatabaseRefused(Failure):
    """PostgreSQL said no, and says it again. The text is a constraint's name or an SQLSTATE."""


class UnexpectedError(Failure):
    """A defect of ours. The text is the class of what was raised, never its message."""


class BadRequest(Failure):
    """The payload is none of this function's: state machine and function do not match."""


class StaleEpoch(Failure):
    """The epoch is not the one of the role or of the database's fence: another one decides now."""


class NotWritable(Failure):
    """The database does not take writes yet."""


class NotServing(Failure):
    """The region does not do what it should after a failover."""


class NotReady(Failure):
    """The pair is not ready for a failover, or for the way back."""


class NotReturned(Failure):
    """The other region does not serve yet after a failback."""


class Unreconciled(Failure):
    """Orders that were acknowledged are not in the database."""


class UnreadableItem(Failure):
    """An item of a table is not what we write. The text names the attribute."""


def failure_of(error: Exception) -> TemporaryFailure | AwsRefused:
    """Turn an error of botocore into ours; raise the result `from None`.

    A condition that does not hold is an answer, not a failure: look for CONDITION_FAILED first.
    """
    code = code_of(error)
    return TemporaryFailure(code) if may_pass(error) else AwsRefused(code)
