"""Where to reach an HTTP API or a function URL of AWS when it is on a local engine. Pure.

The attributes `ApiEndpoint` and `FunctionUrl` are addresses of the engine's already. A text of a
template, `https://{api}.execute-api.{region}.amazonaws.com`, is true on AWS alone: the engine
serves those of all regions at its own port, by their ids. A request with AWS_IAM is signed as for
AWS, for the service `execute-api` or `lambda` in the region, with the account's number as access
key and any secret.
"""

import re

from tap_templates.local.engine import Engine, EngineError

_URL = re.compile(
    r"https://(?P<api>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?P<path>/.*)?"
)
_FUNCTION_URL = re.compile(
    r"https://(?P<id>[a-z0-9]+)\.lambda-url\.[a-z0-9-]+\.on\.aws(?P<path>/.*)?"
)
_DEFAULT_STAGE = "$default"


def api_url(engine: Engine, api_id: str, stage: str = _DEFAULT_STAGE) -> str:
    """Give the address of an API's stage on the engine; a route's path is appended to it."""
    suffix = "" if stage == _DEFAULT_STAGE else f"/{stage}"
    return f"{engine.endpoint_url}/_aws/execute-api/{api_id}{suffix}"


def local_url(engine: Engine, url: str) -> str:
    """Give the address on the engine of what an output calls `url`; one of the engine's stays.

    Raises EngineError if it is no address of an HTTP API or a function.
    """
    functions = f"{engine.endpoint_url}/_aws/lambda-url/"
    if url.startswith((api_url(engine, ""), functions)):
        return url.rstrip("/")
    function = _FUNCTION_URL.fullmatch(url)
    if function is not None:
        return functions + function["id"] + (function["path"] or "").rstrip("/")
    found = _URL.fullmatch(url)
    if found is None:
        raise EngineError(
            url,
            "is no address of an HTTP API or a function",
            "give https://{api}.execute-api.{region}… or https://{id}.lambda-url.{region}…",
        )
    return api_url(engine, found["api"]) + (found["path"] or "").rstrip("/")
