"""Block: a queue that a function works off, with what it cannot work off and who is told.

Lambda receives with the role of the function, invokes its live alias and waits; what the function
reports as failed comes back when the visibility timeout is over, and after some receives it goes
to the dead-letter queue. Messages come more than once and in any order.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from awacs import aws
from awacs import awslambda as awslambda_actions
from troposphere import AWSHelperFn, GetAtt, Ref, awslambda, cloudwatch, sqs

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.function import RequestFunction
from tap_templates.blocks.gaps import MappingScalingConfig
from tap_templates.blocks.policy import allow
from tap_templates.blocks.queue import DeadLetters, Queue, queue
from tap_templates.blocks.stack import StackParameter
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.errors import ModelError

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
TIMEOUTS_HIDDEN = 6  # a message is hidden for so many timeouts of its function, and a window
FEWEST_RECEIVES = 5  # a throttled invocation is a receive too
FEWEST_AT_ONCE, MOST_AT_ONCE = 2, 1000
LARGEST_BATCH_AT_ONCE = 10  # a larger one needs a window
LONGEST_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """How messages are handed over: as many as are there, up to `largest`, at most `window` late.

    `at_once` bounds how many batches are worked on at the same time.
    """

    largest: int = LARGEST_BATCH_AT_ONCE
    window: timedelta = timedelta(0)
    at_once: int = FEWEST_AT_ONCE

    def __post_init__(self) -> None:
        if self.largest < 1 or (self.largest > LARGEST_BATCH_AT_ONCE and not self.window):
            raise ModelError(
                f"batches of {self.largest}",
                f"Lambda takes 1 to {LARGEST_BATCH_AT_ONCE} messages without a window",
                "give a window, or smaller batches",
            )
        if not timedelta(0) <= self.window <= LONGEST_WINDOW:
            raise ModelError(
                f"window of {self.window}", "is not within five minutes", "shorten the window"
            )
        if not FEWEST_AT_ONCE <= self.at_once <= MOST_AT_ONCE:
            raise ModelError(
                f"{self.at_once} batches at once",
                f"Lambda takes {FEWEST_AT_ONCE} to {MOST_AT_ONCE}",
                "reserve concurrency for the function to have fewer",
            )


class WorkQueue(NamedTuple):
    queue: sqs.Queue
    policy: sqs.QueuePolicy
    waiting: cloudwatch.Alarm

    @property
    def arn(self) -> Text:
        return GetAtt(self.queue, "Arn")


def work_queue(
    title: str,
    reference: Queue,
    *,
    dead: DeadLetters,
    timeout: timedelta,
    batches: Batches,
    retention: timedelta,
    oldest: timedelta,
    receives: int = FEWEST_RECEIVES,
    tell: Topic,
    means: str,
) -> WorkQueue:
    """Declare a queue for a function with this `timeout` that gets messages in these `batches`.

    `dead` must admit it (`dead_letters(…, admits_queue=reference)`). It rings when a message is
    older than `oldest`: nobody works on it, or not fast enough.
    """
    if receives < FEWEST_RECEIVES:
        raise ModelError(
            f"queue {reference.purpose}",
            f"gives a message up after {receives} receives, and a throttled function is one",
            f"let it be received {FEWEST_RECEIVES} times",
        )
    body, policy = queue(title, reference, retention=retention)
    hidden = TIMEOUTS_HIDDEN * timeout + batches.window
    body.VisibilityTimeout = int(hidden.total_seconds())
    body.RedrivePolicy = sqs.RedrivePolicy(deadLetterTargetArn=dead.arn, maxReceiveCount=receives)
    ring = alarm(
        f"{title}Waiting",
        f"{reference.purpose}-waiting",
        reference.metric("ApproximateAgeOfOldestMessage"),
        above=oldest.total_seconds(),
        tell=tell,
        means=means,
    )
    return WorkQueue(body, policy, ring)


def feed(
    title: str,
    worker: RequestFunction,
    reference: Queue,
    *,
    batches: Batches,
    enabled: bool | AWSHelperFn = True,
    at_once: Ref | None = None,
) -> awslambda.EventSourceMapping:
    """Feed the live alias of `worker` from a queue; its role must be granted `reference.drain()`.

    `Ref` gives the UUID that the API knows the mapping by. `enabled` is how it is made: whoever
    switches it at run time is right until an update of the mapping says this again, so the worker
    must ask itself whether it is its turn. `at_once`, a parameter, stands for that of `batches`.
    """
    return awslambda.EventSourceMapping(
        f"{title}Feed",
        BatchSize=batches.largest,
        Enabled=enabled,
        EventSourceArn=reference.arn,
        FunctionName=Ref(worker.alias),
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumBatchingWindowInSeconds=int(batches.window.total_seconds()),
        ScalingConfig=MappingScalingConfig(MaximumConcurrency=at_once or batches.at_once),
    )


def switch_feed(mapping: StackParameter) -> aws.Statement:
    """Grant turning a feed of this region on and off, and looking at it, by its UUID."""
    place = arn_text("lambda", f"event-source-mapping:${{{mapping.name}}}")
    taking = [awslambda_actions.GetEventSourceMapping, awslambda_actions.UpdateEventSourceMapping]
    return allow("SwitchFeed", taking, [sub(place)])
