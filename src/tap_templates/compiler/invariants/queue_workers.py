"""Queues that feed functions: what fails comes back alone, and what waits is noticed."""

from collections.abc import Iterator
from dataclasses import dataclass

from tap_templates.compiler.invariants.dead_letters import tells
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import as_list, flag, inside, number
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.view import Located

_FEEDING = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
_FAILING = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"
_SCALING = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"
_DLQ = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"
_METRICS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"

_QUEUE = "AWS::SQS::Queue"
_MAPPING = "AWS::Lambda::EventSourceMapping"
_AGE = "ApproximateAgeOfOldestMessage"
_PARTIAL = "ReportBatchItemFailures"
DEFAULT_BATCH = 10
FEWEST_RECEIVES = 5  # what AWS recommends, since a throttled invocation is a receive too


@dataclass(frozen=True, slots=True)
class Feeding:
    """A mapping that takes from a queue of the system; the function may be another system's."""

    mapping: Located
    queue: Located
    function: Located | None


def feedings(compiled: CompiledSystem) -> Iterator[Feeding]:
    """Find the mappings whose source is a queue."""
    for mapping in compiled.view.resources(_MAPPING):
        properties = mapping.resource.properties
        queue = compiled.view.find(str(properties.get("EventSourceArn")))
        if queue is None or queue.resource.type != _QUEUE:
            continue
        name = bare_name(str(properties.get("FunctionName"))).partition(":")[0]
        function = next(
            (
                each
                for each in compiled.view.resources("AWS::Lambda::Function")
                if each.stack.region == mapping.stack.region and each.resource.name == name
            ),
            None,
        )
        yield Feeding(mapping, queue, function)


def _all_or_nothing(compiled: CompiledSystem) -> Iterator[Fault]:
    for each in feedings(compiled):
        properties = each.mapping.resource.properties
        batch = number(properties.get("BatchSize", DEFAULT_BATCH))
        if batch != 1 and _PARTIAL not in as_list(properties.get("FunctionResponseTypes")):
            yield fault_at(
                each.mapping,
                "brings a whole batch back for one message that failed, and all of it to the dead "
                "letters in the end",
                f"set FunctionResponseTypes to [{_PARTIAL}]",
                "/Properties/FunctionResponseTypes",
            )


def _given_up(compiled: CompiledSystem) -> Iterator[Fault]:
    for each in feedings(compiled):
        policy = each.queue.resource.properties.get("RedrivePolicy")
        receives = number(inside(policy, "maxReceiveCount"))
        if policy is None or (receives is not None and receives >= FEWEST_RECEIVES):
            continue  # TAP-DLQ-01 tells of a queue without a policy
        said = "an unknown number of" if receives is None else f"{receives:.0f}"
        yield fault_at(
            each.queue,
            f"gives a message up after {said} receives, and each throttled invocation is one",
            f"set maxReceiveCount to at least {FEWEST_RECEIVES}",
            "/Properties/RedrivePolicy/maxReceiveCount",
        )


def _open_to_all(compiled: CompiledSystem) -> Iterator[Fault]:
    sources: dict[tuple[str, str], set[str]] = {}
    found: dict[tuple[str, str], Located] = {}
    for queue in compiled.view.resources(_QUEUE):
        target = inside(queue.resource.properties, "RedrivePolicy", "deadLetterTargetArn")
        dead = compiled.view.find(str(target)) if target is not None else None
        if dead is not None:
            key = (dead.stack.region, str(dead.resource.arn))
            found[key] = dead
            sources.setdefault(key, set()).add(str(queue.resource.arn))
    for key, dead in found.items():
        policy = dead.resource.properties.get("RedriveAllowPolicy")
        admitted = {str(arn) for arn in as_list(inside(policy, "sourceQueueArns"))}
        by_queue = inside(policy, "redrivePermission") == "byQueue"
        if by_queue and admitted == sources[key]:
            continue
        said = ", ".join(sorted(admitted)) if by_queue else "any queue of the account"
        yield fault_at(
            dead,
            f"takes the dead letters of {said}, and not just of {', '.join(sorted(sources[key]))}",
            "set RedriveAllowPolicy to byQueue with exactly those queues",
            "/Properties/RedriveAllowPolicy",
        )


def _unnoticed(compiled: CompiledSystem) -> Iterator[Fault]:
    watched = {
        (alarm.stack.region, str(dimension.get("Value")))
        for alarm in compiled.view.resources("AWS::CloudWatch::Alarm")
        if alarm.resource.properties.get("MetricName") == _AGE
        and alarm.resource.properties.get("Namespace") == "AWS/SQS"
        and tells(compiled, alarm)
        for dimension in as_list(alarm.resource.properties.get("Dimensions"))
        if dimension.get("Name") == "QueueName"
    }
    for each in feedings(compiled):
        if (each.queue.stack.region, str(each.queue.resource.name)) not in watched:
            yield fault_at(
                each.queue,
                "may grow old: nobody hears of messages that wait while nothing works on them",
                f"add an alarm on {_AGE} of the queue that tells a topic",
            )


def _throttled(compiled: CompiledSystem) -> Iterator[Fault]:
    for each in feedings(compiled):
        path = "/Properties/ScalingConfig/MaximumConcurrency"
        at_once = number(
            inside(each.mapping.resource.properties, "ScalingConfig", "MaximumConcurrency")
        )
        if each.function is None:
            continue
        reserved = number(each.function.resource.properties.get("ReservedConcurrentExecutions"))
        if reserved is None or (at_once is not None and at_once <= reserved):
            continue
        said = "as many batches as Lambda likes" if at_once is None else f"{at_once:.0f} batches"
        yield fault_at(
            each.mapping,
            f"hands over {said} at once, while {each.function.resource.logical_id} runs "
            f"{reserved:.0f} times at once: the rest are throttled, and each is a receive",
            f"set MaximumConcurrency to at most {reserved:.0f}",
            path,
        )


def _nowhere(compiled: CompiledSystem) -> Iterator[Fault]:
    fed: dict[str, list[Located]] = {}
    for each in feedings(compiled):
        # A queue is called the same in both regions, whatever stacks its feeds are in.
        source = str(each.mapping.resource.properties.get("EventSourceArn"))
        fed.setdefault(source.rpartition(":")[2], []).append(each.mapping)
    for mappings in fed.values():
        enabled = [flag(each.resource.properties.get("Enabled", True)) for each in mappings]
        if True not in enabled:
            yield fault_at(
                mappings[0],
                "is not known to be enabled in any region: nobody works the queue off",
                "enable it in the region that is active to begin with",
                "/Properties/Enabled",
            )


QUEUE_WORKERS = (
    Invariant(
        code="TAP-SQS-01",
        promise="Of a batch from a queue, only what failed comes back.",
        source_url=_FAILING,
        check=_all_or_nothing,
    ),
    Invariant(
        code="TAP-SQS-02",
        promise="A message is tried often enough to outlive throttling.",
        source_url=_FEEDING,
        check=_given_up,
    ),
    Invariant(
        code="TAP-SQS-03",
        promise="A queue of dead letters takes those of its own queues alone.",
        source_url=_DLQ,
        check=_open_to_all,
    ),
    Invariant(
        code="TAP-SQS-04",
        promise="Messages that wait too long for a function reach somebody through a topic.",
        source_url=_METRICS,
        check=_unnoticed,
    ),
    Invariant(
        code="TAP-SQS-05",
        promise="A queue hands over no more at once than its function may run.",
        source_url=_SCALING,
        check=_throttled,
    ),
    Invariant(
        code="TAP-SQS-06",
        promise="Every queue of a function is worked off in a region to begin with.",
        source_url=_FEEDING,
        check=_nowhere,
    ),
)
