"""Resource types that the engine's CloudFormation lacks, or whose properties it loses.

Each provider uses the engine's service API, as CloudFormation uses AWS's; what the API refuses
fails the stack. Providers run in threads of their own, since they call the engine they are part of.
"""

from ministack.services.cloudformation import provisioners, stacks

from tap_engine.originals import patch
from tap_engine.providers import (
    backups,
    buckets,
    databases,
    domains,
    events,
    feeds,
    functions,
    global_table,
    health_check,
    http_apis,
    machines,
    migrations,
    names,
    network,
    placeholders,
    rest_apis,
    schedules,
    secrets,
    topics,
)
from tap_engine.providers.provider import Provider

PROVIDERS: tuple[Provider, ...] = (
    *backups.PROVIDERS,
    *buckets.PROVIDERS,
    *databases.PROVIDERS,
    *domains.PROVIDERS,
    *events.PROVIDERS,
    *feeds.PROVIDERS,
    *functions.PROVIDERS,
    *global_table.PROVIDERS,
    *health_check.PROVIDERS,
    *http_apis.PROVIDERS,
    *machines.PROVIDERS,
    *names.PROVIDERS,
    *network.PROVIDERS,
    *rest_apis.PROVIDERS,
    *schedules.PROVIDERS,
    *secrets.PROVIDERS,
    *topics.PROVIDERS,
    *placeholders.PROVIDERS,
    *migrations.PROVIDERS,  # which the placeholders have too
)


def install() -> None:
    """Register all providers."""
    ours = {provider.type for provider in PROVIDERS}
    for provider in PROVIDERS:
        provisioners._RESOURCE_HANDLERS[provider.type] = provider.as_handlers()
    patch(
        stacks,
        "_runs_on_worker_thread",
        "23955511141f",
        lambda original: lambda resource_type: resource_type in ours or original(resource_type),
        why="providers call the engine's API and must not block its loop",
    )
