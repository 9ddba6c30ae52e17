"""Patch: PutEvents to a global endpoint. Routing by health check, and replication.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html. What AWS does in
up to seven minutes happens here at once: the health check follows its alarm's *metric* (so that
SetAlarmState moves nothing, as on AWS), and is unhealthy as soon as its region is killed.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, request_scope
from ministack.services import eventbridge

from tap_engine.bus import receive
from tap_engine.faults import FAULTS
from tap_engine.health import healthy
from tap_engine.originals import patch


def install() -> None:
    """Make the patch."""
    patch(
        eventbridge,
        "_put_events",
        "ebcda0f38061",
        _with_endpoints,
        why="EndpointId is ignored: events reach no bus of the endpoint",
    )


def _with_endpoints(original: Callable[..., Any]) -> Callable[..., Any]:
    def put(data: dict[str, Any], allow_aws_source: bool = False) -> Any:  # noqa: FBT001, FBT002 - the engine's own
        wanted = data.get("EndpointId")
        if not wanted:
            return original(data, allow_aws_source)
        found = [
            record
            for (account, _, _), record in eventbridge._endpoints.all_items()
            if account == get_account_id() and record["Name"] == wanted
        ]
        if len(found) != 1:
            return error_response_json(
                "ResourceNotFoundException", f"Endpoint {wanted} does not exist.", 400
            )
        regions = [each["EventBusArn"].split(":")[3] for each in found[0]["EventBuses"]]
        active = _active(found[0], regions)
        if active in FAULTS.dead:
            return error_response_json("InternalException", f"{active} does not answer", 503)
        entries = [
            {**entry, "EventBusName": entry.get("EventBusName", "default").rsplit("/", 1)[-1]}
            for entry in data.get("Entries", [])
        ]
        with request_scope(get_account_id(), active):
            log = eventbridge._events_log_list()
            before = len(log)
            answer = original({"Entries": entries}, allow_aws_source)
            arrived = [dict(event) for event in log[before:]]
        if found[0].get("ReplicationConfig", {}).get("State", "ENABLED") == "ENABLED":
            for event in arrived[: len(json.loads(answer[2]).get("Entries", []))]:
                for region in regions:
                    if region != active:
                        receive(event, event["EventBusName"], region)
        return answer

    return put


def _active(endpoint: dict[str, Any], regions: list[str]) -> str:
    """Choose the region that takes events now."""
    failover = endpoint["RoutingConfig"]["FailoverConfig"]
    secondary: str = failover["Secondary"]["Route"]
    primary = next((region for region in regions if region != secondary), secondary)
    check = failover["Primary"]["HealthCheck"].rsplit("/", 1)[-1]
    return primary if healthy(check) else secondary
