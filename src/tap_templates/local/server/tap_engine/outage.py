"""What a region that was killed answers: 503, in the words of the protocol that it is asked in."""

import json
from collections.abc import Mapping

_FORM = b"application/x-www-form-urlencoded"
_XML_SERVICES = ("route53", "s3")  # those that are asked without a form and answer XML
CODE = "ServiceUnavailable"


def body(headers: Mapping[bytes, bytes], service: str | None, message: str) -> tuple[bytes, bytes]:
    """Give content type and content; with neither service nor form it is JSON."""
    error = f"<Error><Code>{CODE}</Code><Message>{message}</Message></Error>"
    if service == "ec2":
        error = f"<Response><Errors>{error}</Errors></Response>"
    elif service == "s3":
        pass
    elif service in _XML_SERVICES or headers.get(b"content-type", b"").startswith(_FORM):
        error = f"<ErrorResponse>{error}</ErrorResponse>"
    else:
        return b"application/json", json.dumps({"__type": CODE, "message": message}).encode()
    return b"text/xml", error.encode()
