"""What a host name of an API leads to on this engine. Reads the engine's own records.

An API has the name that AWS gave it, and those of custom domains that are mapped to it. A custom
domain's regional name (`d-….execute-api…`) alone leads nowhere, as on AWS, where the API is asked
for by the name in the request.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ministack.core.responses import get_account_id
from ministack.services import apigateway, apigateway_v1

from tap_engine import dns

_OWN = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_DEFAULT_STAGE = "$default"


class Api(NamedTuple):
    """A stage of an HTTP API."""

    api: str
    stage: str = _DEFAULT_STAGE

    @property
    def path(self) -> str:
        suffix = "" if self.stage == _DEFAULT_STAGE else f"/{self.stage}"
        return f"/_aws/execute-api/{self.api}{suffix}"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}{self.path}"


def address(host: str) -> str | None:
    """Give the address on this engine of the API that a host name leads to now."""
    own = _OWN.fullmatch(host)
    if own:
        known = (get_account_id(), own["region"], own["api"])
        kinds = (apigateway._apis, apigateway_v1._rest_apis)  # of a REST API the path has the stage
        is_there = any(key == known for kind in kinds for key, _ in kind.all_items())
        return Api(own["api"]).address if is_there else None
    found = domain(host)
    return found.address if found else None


def resolve(host: str, path: str) -> str | None:
    """Give the path of a request that asks a custom domain, by the address of its API."""
    name = host.partition(":")[0].lower()
    found = apigateway_v1.resolve_base_path_mapping(name, path) if "." in name else None
    if not found or not found[1]:  # the stage is in the path: the engine finds it
        return None
    api, stage, rest = found
    return f"{Api(api, stage).path}/{rest.lstrip('/')}"


def domain(name: str) -> Api | None:
    """Find the API that a custom domain leads to now, at its root."""
    found = apigateway_v1.resolve_base_path_mapping(name, "/")
    return Api(found[0], found[1]) if found and found[1] else None


def region_of(name: str) -> str | None:
    """Find the region of a custom domain; where more have it, the one that Route 53 answers.

    None if no region has it, or if several have it and no record says which.
    """
    known = dict(_regions(name.lower()))
    if len(known) < 2:
        return next(iter(known), None)
    try:
        said = {value.rstrip(".").lower() for value in dns.answer(name, "CNAME").values}
    except dns.UnknownAnswerError:
        return None
    return next((region for region in sorted(known) if known[region] in said), None)


def _regions(name: str) -> Iterator[tuple[str, str]]:
    """List the regions that have a custom domain, with its regional name in each."""
    record: Mapping[str, Any]
    for (account, region, known), record in apigateway_v1._domain_names.all_items():
        if account == get_account_id() and known.lower() == name:
            yield region, str(record["regionalDomainName"]).lower()
