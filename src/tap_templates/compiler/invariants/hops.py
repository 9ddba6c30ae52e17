"""Asynchronous hops: where one service hands something on and nobody waits for the answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem
from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.view import Located, SystemView

LATEST = "$LATEST"  # what Lambda calls a function without qualifier
_WITH_HOPS = ("sqs", "lambda", "firehose", "http", "https")  # e-mail and SMS cannot be kept


@dataclass(frozen=True, slots=True)
class Hop:
    """A hop, and the ARN its failures go to; None if they are lost."""

    located: Located
    path: str
    what: str
    dead_letters: str | None
    remedy: str


def hops(compiled: CompiledSystem) -> Iterator[Hop]:
    """Find every hop of the system: deliveries first, then functions that are invoked by one.

    The rules of a global endpoint's replication are EventBridge's own and in no template.
    """
    view = compiled.view
    yield from _rules(view)
    yield from _schedules(view)
    yield from _subscriptions(view)
    yield from _mappings(view)
    yield from _functions(view)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _rules(view: SystemView) -> Iterator[Hop]:
    for located in view.resources("AWS::Events::Rule"):
        for index, target in enumerate(as_list(located.resource.properties.get("Targets"))):
            yield Hop(
                located,
                f"/Properties/Targets/{index}/DeadLetterConfig",
                f"target {target.get('Id')}",
                _text(inside(target, "DeadLetterConfig", "Arn")),
                "give the target a DeadLetterConfig with a queue of the same region",
            )


def _schedules(view: SystemView) -> Iterator[Hop]:
    for located in view.resources("AWS::Scheduler::Schedule"):
        yield Hop(
            located,
            "/Properties/Target/DeadLetterConfig",
            "its target",
            _text(inside(located.resource.properties, "Target", "DeadLetterConfig", "Arn")),
            "give the target a DeadLetterConfig with a queue of the same region",
        )


def _subscriptions(view: SystemView) -> Iterator[Hop]:
    for located in view.resources("AWS::SNS::Subscription"):
        properties = located.resource.properties
        if properties.get("Protocol") in _WITH_HOPS:
            yield Hop(
                located,
                "/Properties/RedrivePolicy",
                f"the subscription by {properties['Protocol']}",
                _text(inside(properties, "RedrivePolicy", "deadLetterTargetArn")),
                "give the subscription a RedrivePolicy with a queue of the same region",
            )


def _mappings(view: SystemView) -> Iterator[Hop]:
    for located in view.resources("AWS::Lambda::EventSourceMapping"):
        source = view.find(str(located.resource.properties.get("EventSourceArn")))
        if source and source.resource.type == "AWS::SQS::Queue":
            # A queue that feeds a function hands on what is received too often.
            policy = source.resource.properties.get("RedrivePolicy")
            yield Hop(
                source,
                "/Properties/RedrivePolicy",
                f"the mapping {located.resource.logical_id}",
                _text(inside(policy, "deadLetterTargetArn")),
                "give the queue a RedrivePolicy with another queue of the same region",
            )
            continue
        yield Hop(
            located,
            "/Properties/DestinationConfig",
            "the mapping",
            _text(
                inside(located.resource.properties, "DestinationConfig", "OnFailure", "Destination")
            ),
            "give the mapping an OnFailure destination of the same region",
        )


def _functions(view: SystemView) -> Iterator[Hop]:
    configured = {
        _config_key(each): each for each in view.resources("AWS::Lambda::EventInvokeConfig")
    }
    for function, qualifier in invoked(view):
        properties = function.resource.properties
        key = (function.stack.region, str(function.resource.name), qualifier)
        config = configured.get(key)
        destination = _text(inside(properties, "DeadLetterConfig", "TargetArn"))
        located, path = function, ""
        if config is not None:
            on_failure = inside(
                config.resource.properties, "DestinationConfig", "OnFailure", "Destination"
            )
            located, path = config, "/Properties/DestinationConfig/OnFailure"
            destination = _text(on_failure) or destination
        yield Hop(
            located,
            path,
            f"the asynchronous invocation of {function.resource.logical_id} "
            f"({'no qualifier' if qualifier == LATEST else qualifier})",
            destination,
            f"give {function.resource.logical_id} an EventInvokeConfig for the qualifier "
            f"{qualifier} with an OnFailure destination",
        )


def _config_key(config: Located) -> tuple[str, str, str]:
    properties = config.resource.properties
    name = bare_name(str(properties.get("FunctionName"))).partition(":")[0]
    return config.stack.region, name, str(properties.get("Qualifier"))


def invoked(view: SystemView) -> list[tuple[Located, str]]:
    """List the functions that something invokes asynchronously, with the qualifier it uses."""
    found: dict[tuple[str, str], tuple[Located, str]] = {}
    for arn in _async_targets(view):
        parts = arn.split(":")
        if len(parts) < 7 or parts[2] != "lambda":  # arn:aws:lambda:region:account:function:name
            continue
        qualifier = parts[7] if len(parts) > 7 else LATEST
        function = view.find(":".join(parts[:7]))
        if function is not None:
            found.setdefault((":".join(parts[:7]), qualifier), (function, qualifier))
    return list(found.values())


def _async_targets(view: SystemView) -> Iterator[str]:
    for located in view.resources():
        properties = located.resource.properties
        match located.resource.type:
            case "AWS::Events::Rule":
                yield from (str(each.get("Arn")) for each in as_list(properties.get("Targets")))
            case "AWS::Scheduler::Schedule":
                yield str(inside(properties, "Target", "Arn"))
            case "AWS::SNS::Subscription":
                yield str(properties.get("Endpoint"))
            case "AWS::S3::Bucket":
                given = inside(properties, "NotificationConfiguration", "LambdaConfigurations")
                yield from (str(each.get("Function")) for each in as_list(given))
            case "AWS::Lambda::EventInvokeConfig":
                for outcome in ("OnFailure", "OnSuccess"):
                    yield str(inside(properties, "DestinationConfig", outcome, "Destination"))
            case "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm":
                for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
                    yield from (str(each) for each in as_list(properties.get(kind)))
