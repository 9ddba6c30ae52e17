"""Starts a machine of this region, once an epoch: the name of a run is taken for ninety days.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
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

    def fail_over(self, epoch: int) -> bool:
        """Start a failover to this region; False if that was done before.

        Raises TemporaryFailure or AwsRefused.
        """
        try:
            self._client.start_execution(
                stateMachineArn=self._failover, name=f"failover-{epoch}", input="{}"
            )
        except (BotoCoreError, ClientError) as error:
            return _started_before(error)
        return True

    def fail_back(self, epoch: int) -> bool:
        """Start a failback from this region; answers and raises as `fail_over`."""
        try:
            self._client.start_execution(
                stateMachineArn=self._failback, name=f"failback-{epoch}", input="{}"
            )
        except (BotoCoreError, ClientError) as error:
            return _started_before(error)
        return True


def _started_before(error: Exception) -> bool:
    if code_of(error) == _STARTED_BEFORE:
        return False
    raise failure_of(error) from None
