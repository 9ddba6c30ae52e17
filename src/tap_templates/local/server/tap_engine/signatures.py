"""Who signed a request, where something here asks: whether the signature is right is not looked at.

Any secret goes with an account's number, so that a signature here says who somebody claims to be.
What is looked at: that it is one, for the service and region it is shown to, of a key that is known
and not older than five minutes.
"""

from collections.abc import Mapping

from ministack.core import iam_evaluator, sigv4


def is_signed(headers: Mapping[str, str], service: str, region: str) -> bool:
    """Say whether a request has a signature for a service in a region, of somebody who is known."""
    given = {key.lower(): value for key, value in headers.items()}
    signature = sigv4.parse_header_signature(given)
    return (
        given.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")
        and isinstance(signature, sigv4.HeaderSignature)
        and signature.service == service
        and signature.region == region
        and sigv4.request_time_failure(signature) is None
        and iam_evaluator.resolve_caller_identity(signature.access_key_id) is not None
    )
