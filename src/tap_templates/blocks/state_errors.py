"""What a state does about errors: try again, or go on elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tap_templates.blocks import state_checks as checks
from tap_templates.errors import ModelError
from tap_templates.rendered.machines import ALL_ERRORS

ALL = ALL_ERRORS  # but States.DataLimitExceeded and States.Runtime, which it does not stand for
TIMEOUT = "States.Timeout"
LAMBDA_TRANSIENT = (
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
)
"""What an invocation fails with for no fault of the function.
https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again after these errors, each time after a longer pause, but never after a longer one
    than `longest_delay`; with `jitter` a pause is a random part of itself.
    """

    errors: Sequence[str]
    interval: timedelta
    most_attempts: int  # after the first
    backoff: float = 2
    longest_delay: timedelta | None = None
    jitter: bool = True

    def body(self) -> dict[str, object]:
        delay = self.longest_delay
        return {
            "BackoffRate": int(self.backoff) if self.backoff == int(self.backoff) else self.backoff,
            "ErrorEquals": list(self.errors),
            "IntervalSeconds": int(self.interval.total_seconds()),
            "MaxAttempts": self.most_attempts,
            **({} if delay is None else {"MaxDelaySeconds": int(delay.total_seconds())}),
            **({"JitterStrategy": "FULL"} if self.jitter else {}),
        }

    def check(self, where: str) -> None:
        checks.seconds(f"{where}, its retry", "pauses", self.interval)
        if self.most_attempts < 0 or self.backoff < 1:
            raise ModelError(
                where,
                f"retries {self.most_attempts} times, each pause {self.backoff} times the last",
                "give it attempts from 0, and a backoff from 1",
            )
        if self.longest_delay is not None:
            checks.seconds(f"{where}, its retry", "pauses at most", self.longest_delay)
            if self.longest_delay <= self.interval:
                raise ModelError(
                    where,
                    f"pauses {self.interval} at first and never longer than {self.longest_delay}",
                    "make longest_delay longer than interval, or leave it out",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """Go on to `then` after these errors, with the error's name and cause put at `keep_at`."""

    errors: Sequence[str]
    then: str
    keep_at: str = "$.error"

    def body(self) -> dict[str, object]:
        return {"ErrorEquals": list(self.errors), "Next": self.then, "ResultPath": self.keep_at}
