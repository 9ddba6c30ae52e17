"""From what boto3 raises to our kinds of errors: a table of codes, no reading of messages.

Codes are from the services' error lists and botocore's retry tables; for HEAD requests S3 sends no
body, so the HTTP status is the code.
"""

from collections.abc import Mapping
from typing import Any

from tap_templates.deploy.errors import (
    AccessDeniedError,
    CloudError,
    CredentialsError,
    OperationExistsError,
    OperationInProgressError,
    StackSetExistsError,
    StackSetMissingError,
    ThrottledError,
    TransientError,
)

_LOG_IN = (
    "log in to the account, or run against the local engine: make deploy TARGET=local (no account)"
)
_KINDS: Mapping[type[CloudError], tuple[str, frozenset[str]]] = {
    ThrottledError: (
        "try again later; if it stays so, ask for a higher quota",
        frozenset(
            {
                "BandwidthLimitExceeded",
                "PriorRequestNotComplete",
                "RequestLimitExceeded",
                "RequestThrottled",
                "RequestThrottledException",
                "SlowDown",
                "ThrottledException",
                "Throttling",
                "ThrottlingException",
                "TooManyRequestsException",
            }
        ),
    ),
    TransientError: (
        "run the same command again: it continues where it stopped",
        frozenset(
            {
                "InternalError",
                "InternalFailure",
                "InternalServerError",
                "RequestTimeout",
                "RequestTimeoutException",
                "ServiceUnavailable",
                "ServiceUnavailableException",
            }
        ),
    ),
    CredentialsError: (
        _LOG_IN,
        frozenset(
            {
                "AuthFailure",
                "ExpiredToken",
                "ExpiredTokenException",
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "RequestExpired",
                "SignatureDoesNotMatch",
                "UnrecognizedClientException",
            }
        ),
    ),
    AccessDeniedError: (
        "give the role that deploys this permission, then run the same command again",
        frozenset(
            {"403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation"}
        ),
    ),
    StackSetMissingError: ("plan again", frozenset({"StackSetNotFoundException"})),
    StackSetExistsError: (
        "rename or remove the stack set that has the name",
        frozenset({"CreatedButModifiedException", "NameAlreadyExistsException"}),
    ),
    OperationInProgressError: (
        "wait for the other operation and run the same command again",
        frozenset({"OperationInProgressException"}),
    ),
    OperationExistsError: ("plan again", frozenset({"OperationIdAlreadyExistsException"})),
}
_BY_CODE = {code: (kind, remedy) for kind, (remedy, codes) in _KINDS.items() for code in codes}
_NO_CREDENTIALS = frozenset(
    {
        "CredentialRetrievalError",
        "LoginTokenLoadError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
        "UnknownCredentialError",
    }
)
_FIRST_SERVER_ERROR = 500


def client_error(where: str, response: Mapping[str, Any]) -> CloudError:
    """Tell what AWS answered. A server error of any code may pass, so it may be tried again."""
    error = response.get("Error", {})
    code = str(error.get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    what = f"{code}: {error.get('Message', '')}".rstrip(": ")
    default = (CloudError, "see the message; nothing was changed by this call")
    if status >= _FIRST_SERVER_ERROR or code in {"500", "502", "503", "504"}:
        default = (TransientError, _KINDS[TransientError][0])
    kind, remedy = _BY_CODE.get(code, default)
    return kind(where, what, remedy, code=code)


def local_error(where: str, error: Exception) -> CloudError:
    """Tell what boto3 met on this side of the wire: no credentials, no answer, a bad request."""
    names = {each.__name__ for each in type(error).__mro__}
    if names & _NO_CREDENTIALS:
        return CredentialsError(where, str(error), _LOG_IN, code=type(error).__name__)
    if names & {"HTTPClientError", "ConnectionError"}:
        remedy = _KINDS[TransientError][0]
        return TransientError(where, str(error), remedy, code=type(error).__name__)
    return CloudError(where, str(error), "check region and endpoint", code=type(error).__name__)
