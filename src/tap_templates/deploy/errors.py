"""What AWS may answer instead of a result, by kind, and what stops a rollout.

`cloud` maps error codes to these kinds; nothing here or elsewhere reads a message to decide.
"""

from tap_templates.errors import TapError


class DeployError(TapError):
    """A rollout cannot go on, and a person can put it right."""


class WorldMovedError(DeployError):
    """What a plan was made from is no longer what is there."""


class NotApprovedError(DeployError):
    """A plan would replace or delete what holds state, and nobody approved that."""

    exit_code = 3


class CloudError(DeployError):
    """AWS refused a call, or did not answer it. Repeating the call as it is may not help."""

    def __init__(self, where: str, what: str, remedy: str, *, code: str = "") -> None:
        super().__init__(where, what, remedy)
        self.code = code


class TransientError(CloudError):
    """The same call may succeed if repeated; whether it had an effect is not known."""


class ThrottledError(TransientError):
    """AWS asks to be called less often; the call had no effect."""


class AccessDeniedError(CloudError):
    """The credentials do not allow the call."""


class CredentialsError(CloudError):
    """There are no credentials, or they have expired."""


class StackSetMissingError(CloudError):
    """No stack set has that name."""


class StackSetExistsError(CloudError):
    """A stack set has that name already."""


class OperationInProgressError(CloudError):
    """The stack set is busy with another operation."""


class OperationExistsError(CloudError):
    """The operation id was used before: by an earlier try of the same call."""
