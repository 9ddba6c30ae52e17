"""Objects that are written once, by PutObject alone."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from aws_calls.answers import ALREADY_THERE, code_of


class S3(Protocol):
    """The call of boto3's client that is used."""

    def put_object(self, **kwargs: Any) -> Mapping[str, Any]:
        """Write an object; raise ClientError if one is there and may not be."""


def put_once(
    put_object: Callable[..., Mapping[str, Any]], *, bucket: str, key: str, body: bytes
) -> bool:
    """Write an object of JSON unless there is one; tell whether it was written now.

    Raises what botocore raises, less that there is one.
    """
    try:
        put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if code_of(error) != ALREADY_THERE:
            raise
        return False
    return True
