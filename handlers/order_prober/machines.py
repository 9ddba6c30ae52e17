"""Starts a machine of this region, once an epoch and attempt.

The name of a run is taken for ninety days, also if it failed
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html), so a later
attempt has a name of its own. Two runs at a time do no harm: one of them takes hold of the role.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from aws_calls.answers import code_of
from orders.failures import failure_of

_STARTED_BEFORE = "ExecutionAlreadyExists"


class StepFunctions(Protocol):
    """The call of boto3's client that is used."""

    def start_execution(self, **kwargs: Any) -> Mapping[str, Any]:
        """Start a run of a machine."""


class Machines:
    """The two machines of this region."""

    def __init__(self, client: StepFunctions, *, failover: str, failback: str) -> None:
        self._client = client
        self._failover = failover
        self._failback = failback

    def fail_over(self, epoch: int, before: int = 0) -> bool:
        """Start a failover to this region, after so many `before`; False if that was done.

        Raises TemporaryFailure or AwsRefused.
        """
        try:
            self._client.start_execution(
                stateMachineArn=self._failover, name=run("failover", epoch, before), input="{}"
            )
        except (BotoCoreError, ClientError) as error:
            return _started_before(error)
        return True

    def fail_back(self, epoch: int, before: int = 0) -> bool:
        """Start a failback from this region; answers and raises as `fail_over`."""
        try:
            self._client.start_execution(
                stateMachineArn=self._failback, name=run("failback", epoch, before), input="{}"
            )
        except (BotoCoreError, ClientError) as error:
            return _started_before(error)
        return True


def run(machine: str, epoch: int, before: int) -> str:
    """Name a run: `failover-5`, and after it `failover-5-2`."""
    return f"{machine}-{epoch}-{before + 1}" if before else f"{machine}-{epoch}"


def _started_before(error: Exception) -> bool:
    if code_of(error) == _STARTED_BEFORE:
        return False
    raise failure_of(error) from None
