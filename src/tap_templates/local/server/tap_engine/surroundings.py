"""Patch: what a function finds around it here, in place of what its environment names on AWS.

The databases of a driver (`servers`), and the APIs of this engine. Everything else of a function's
environment is left as it is; Lambda's API gives back what was configured.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import request_scope

from tap_engine import hosts, servers
from tap_engine.originals import patch

_API_URL = re.compile(r"https://(?P<host>[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com)")

Config = dict[str, Any]


def install() -> None:
    """Make the patch: where an execution environment is made, also one that a snapshot is of."""
    patch(
        lambda_runtime,
        "_worker_class_for",
        "b5a23849280a",
        _beside,
        why="functions are led to databases and APIs at addresses where nobody answers",
    )


def _beside(original: Callable[[Config], Callable[..., Any]]) -> Callable[[Config], Any]:
    def choose(config: Config) -> Callable[..., Any]:
        kind = original(config)
        return lambda name, config, code: kind(name, placed(config), code)

    return choose


def placed(config: Config) -> Config:
    """Give a function's configuration, with addresses of this machine in its environment."""
    variables = (config.get("Environment") or {}).get("Variables") or {}
    _, _, _, region, account, *_ = config["FunctionArn"].split(":")
    with request_scope(account, region):
        found = {**dict(servers.moved(variables)), **dict(_apis(variables))}
    return {**config, "Environment": {"Variables": {**variables, **found}}} if found else config


def _apis(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """List the variables that name an API of this engine: on AWS's address nobody would answer."""
    for name, value in variables.items():
        named = _API_URL.match(value)
        address = hosts.address(named["host"]) if named else None
        if named and address:
            yield name, address + value[named.end() :]
