"""What a function finds around it here, in place of what its environment names on AWS.

Everything else of its environment is left as it is; Lambda's API gives back what was configured.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tap_engine import hosts, servers

_API_URL = re.compile(r"https://(?P<host>[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com)")

Record = dict[str, Any]


def placed(function: Record) -> Record:
    """Give a function, ready to be executed, with addresses of this machine in its environment."""
    config = function.get("config") or function
    variables = (config.get("Environment") or {}).get("Variables") or {}
    found = {**dict(servers.moved(variables)), **dict(_apis(variables))}
    if not found:
        return function
    environment = {"Variables": {**variables, **found}}
    return {**function, "config": {**config, "Environment": environment}}


def _apis(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """List the variables that name an API of this engine: on AWS's address nobody would answer."""
    for name, value in variables.items():
        named = _API_URL.match(value)
        address = hosts.address(named["host"]) if named else None
        if named and address:
            yield name, address + value[named.end() :]
