"""Archives: what a region has to replay is there, for as long as anybody may come back to it."""

from collections.abc import Iterator
from typing import Any

from tap_templates.compiler.invariants.dead_letters import RETENTION_SECONDS
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.patterns import keeps_all, pattern_of
from tap_templates.compiler.invariants.values import as_list, number
from tap_templates.rendered.view import Located, SystemView

_ARCHIVES = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html"
SHORTEST_DAYS = RETENTION_SECONDS // (24 * 3600)
_DOERS = ("lambda", "states")  # the services whose targets do work that may have to be done again


def _forgotten(compiled: CompiledSystem) -> Iterator[Fault]:
    view = compiled.view
    replicated = {
        str(bus.get("EventBusArn"))
        for endpoint in view.resources("AWS::Events::Endpoint")
        for bus in as_list(endpoint.resource.properties.get("EventBuses"))
    }
    for bus in view.resources("AWS::Events::EventBus"):
        archives = [
            each
            for each in view.resources("AWS::Events::Archive")
            if each.resource.properties.get("SourceArn") == bus.resource.arn
        ]
        if not archives and bus.resource.arn not in replicated:
            continue  # nothing says that its events are to be replayed
        for rule in _working_rules(view, bus):
            pattern = rule.resource.properties.get("EventPattern")
            if not any(_keeps(archive, pattern) for archive in archives):
                yield _not_kept(bus, archives, rule)


def _not_kept(bus: Located, archives: list[Located], rule: Located) -> Fault:
    named = f"what {rule.resource.logical_id} sends on to a function or state machine"
    if not archives:
        return fault_at(
            bus,
            f"has no archive, so that {named} can never be replayed",
            "add an AWS::Events::Archive on the bus, with the pattern of the rule",
        )
    return fault_at(
        archives[0],
        f"does not surely keep {named}: an event that is not kept can never be replayed",
        "give the archive every value by which the rule matches, and no field that the rule does "
        "not ask for",
        "/Properties/EventPattern",
    )


def _working_rules(view: SystemView, bus: Located) -> Iterator[Located]:
    for rule in view.resources("AWS::Events::Rule"):
        properties = rule.resource.properties
        if rule.stack.region != bus.stack.region or "EventPattern" not in properties:
            continue
        if properties.get("EventBusName") not in (bus.resource.name, bus.resource.arn):
            continue
        services = {
            str(target.get("Arn")).split(":")[2:3][0]
            for target in as_list(properties.get("Targets"))
            if str(target.get("Arn")).startswith("arn:")
        }
        if services & {*_DOERS}:
            yield rule


def _keeps(archive: Located, rule_pattern: Any) -> bool:
    if "EventPattern" not in archive.resource.properties:
        return True  # it keeps everything
    kept = pattern_of(archive.resource.properties["EventPattern"])
    matched = pattern_of(rule_pattern)
    return kept is not None and matched is not None and keeps_all(kept, matched)


def _short(compiled: CompiledSystem) -> Iterator[Fault]:
    for archive in compiled.view.resources("AWS::Events::Archive"):
        given = archive.resource.properties.get("RetentionDays")
        days = number(given)
        # EventBridge takes 0 for ever, as it does no number at all.
        if given is None or days == 0 or (days is not None and days >= SHORTEST_DAYS):
            continue
        yield fault_at(
            archive,
            f"keeps events for {given} days, and dead letters are kept for {SHORTEST_DAYS}: the "
            "events of a dead letter are gone before it is",
            f"set RetentionDays to at least {SHORTEST_DAYS}",
            "/Properties/RetentionDays",
        )


ARCHIVES = (
    Invariant(
        code="TAP-ARC-01",
        promise="An archive keeps all that the rules of its bus send to functions, and a bus of a "
        "global endpoint has one.",
        source_url=_ARCHIVES,
        check=_forgotten,
    ),
    Invariant(
        code="TAP-ARC-02",
        promise="An archive keeps events for at least as long as dead letters are kept.",
        source_url=_ARCHIVES,
        check=_short,
    ),
)
