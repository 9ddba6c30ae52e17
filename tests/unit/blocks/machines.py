"""The machines that the tests compile: parallel work and its undoing; a loop that polls AWS."""

from datetime import timedelta

from troposphere import awslambda

from tap_templates.blocks.bus import Bus, Delivery, Rule, event_bus, rule_to_state_machine
from tap_templates.blocks.function import Function
from tap_templates.blocks.key import service_key, use_by_alarms, use_by_log_groups
from tap_templates.blocks.parameters import email_parameter
from tap_templates.blocks.queue import Queue, dead_letters
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.state_calls import Invoke, Payload, SdkCall, Send
from tap_templates.blocks.state_choices import all_of, at_least, equals, present
from tap_templates.blocks.state_errors import ALL, LAMBDA_TRANSIENT, Catch, Retry
from tap_templates.blocks.state_flow import Definition, Flow
from tap_templates.blocks.state_machine import StateMachine, state_machine, timed_out
from tap_templates.blocks.states import (
    Choice,
    Fail,
    Map,
    Parallel,
    Pass,
    Succeed,
    Task,
    Wait,
    When,
)
from tap_templates.blocks.text import sub
from tap_templates.blocks.topic import Topic, alarm_topic

VALIDATION, ENRICHMENT = Function("market-validation"), Function("market-enrichment")
STORAGE, COMPENSATION = Function("market-storage"), Function("market-compensation")
PIPELINE, BUS = StateMachine("market-pipeline"), Bus("market-events")
RULE = Rule(BUS, "market-events-to-pipeline")
FAILED, UNDELIVERED = Queue("market-failed"), Queue("market-undelivered")
ALARMS = Topic("market-alarms")

TRANSIENT = Retry(
    errors=("TemporaryFailure", *LAMBDA_TRANSIENT),
    interval=timedelta(seconds=2),
    most_attempts=2,
    backoff=2,
)
UNSENT = Retry(errors=(ALL,), interval=timedelta(seconds=2), most_attempts=5)
LONGER_THAN_A_FUNCTION = timedelta(seconds=40)  # the functions have 30

EXECUTION = {"execution.$": "$$.Execution.Name"}
VALIDATED = {"event.$": "$.valid.event", "digest.$": "$.valid.digest", **EXECUTION}


def _park(because: str, then: str, event: str = "$.detail") -> Task:
    """Keep the event and what it failed with for an operator; nothing else is known to be safe."""
    return Task(
        call=Send(queue=FAILED, body={"event.$": event, "error.$": "$.error.Error", **EXECUTION}),
        timeout=timedelta(seconds=20),
        retry=(UNSENT,),
        result={"id.$": "$.MessageId"},
        keep_at="$.parked",
        because=because,
        then=then,
    )


def _store(payload: Payload, then: str | None, *catch: Catch) -> Task:
    return Task(
        call=Invoke(function=STORAGE, payload=payload),
        timeout=LONGER_THAN_A_FUNCTION,
        retry=(TRANSIENT,),
        catch=catch,
        result={"outcome.$": "$.Payload"},
        keep_at="$.stored",
        because="" if catch else "What fails ends the branch, and the whole is compensated.",
        then=then,
    )


_STOPS = "The run ends failed right after; the alarm on failed runs tells an operator of it."
DEFINITION = Definition(
    comment="Validates, enriches and stores one market event; undoes what it cannot finish",
    start="Validate",
    states={
        "Validate": Task(
            call=Invoke(function=VALIDATION, payload={"event.$": "$.detail", **EXECUTION}),
            timeout=LONGER_THAN_A_FUNCTION,
            retry=(TRANSIENT,),
            catch=(
                Catch(errors=("InvalidEvent", "EventIdReused"), then="Reject"),
                Catch(errors=(ALL,), then="ParkUnvalidated"),
            ),
            result={
                "event.$": "$.Payload.event",
                "digest.$": "$.Payload.digest",
                "recorded.$": "$.Payload.recorded",
            },
            keep_at="$.valid",
            then="AlreadyRecorded",
        ),
        "AlreadyRecorded": Choice(
            when=(When(equals("$.valid.recorded", value=True), "KnownBefore"),),
            otherwise="EnrichAndStore",
        ),
        "KnownBefore": Succeed(comment="The same event was recorded before: nothing to do"),
        "EnrichAndStore": Parallel(
            branches=(
                Flow(
                    start="Enrich",
                    states={
                        "Enrich": Task(
                            call=Invoke(
                                function=ENRICHMENT, payload={"event.$": "$.valid.event"}
                            ),
                            timeout=LONGER_THAN_A_FUNCTION,
                            retry=(TRANSIENT,),
                            because="It only reads: what fails ends the branch.",
                            result={"enrichment.$": "$.Payload"},
                            then=None,
                        )
                    },
                ),
                Flow(
                    start="Store",
                    states={"Store": _store({"operation": "store", **VALIDATED}, None)},
                ),
            ),
            result={"enrichment.$": "$[0].enrichment"},
            keep_at="$.enriched",
            catch=(Catch(errors=(ALL,), then="Compensate"),),
            then="Record",
        ),
        "Record": _store(
            {"operation": "record", "enrichment.$": "$.enriched.enrichment", **VALIDATED},
            "Recorded",
            Catch(errors=(ALL,), then="Compensate"),
        ),
        "Recorded": Succeed(),
        "Compensate": Task(
            call=Invoke(
                function=COMPENSATION, payload={"error.$": "$.error.Error", **VALIDATED}
            ),
            timeout=LONGER_THAN_A_FUNCTION,
            retry=(TRANSIENT,),
            catch=(Catch(errors=(ALL,), then="ParkUncompensated"),),
            result={"outcome.$": "$.Payload"},
            keep_at="$.compensated",
            then="ParkCompensated",
        ),
        "ParkCompensated": _park(_STOPS, "Compensated", "$.valid.event"),
        "Compensated": Fail(error="Compensated", cause="What was stored has been undone."),
        "ParkUncompensated": _park(_STOPS, "CompensationFailed", "$.valid.event"),
        "CompensationFailed": Fail(
            error="CompensationFailed", cause="What was stored may be half there."
        ),
        "Reject": _park(_STOPS, "Rejected"),
        "Rejected": Fail(error="Rejected", cause="The event is not one that can be processed."),
        "ParkUnvalidated": _park(_STOPS, "Unvalidated"),
        "Unvalidated": Fail(error="Unvalidated", cause="Validation failed; nothing was stored."),
    },
)  # fmt: skip


def _surroundings(stack: StackTemplate, *functions: Function) -> None:
    """Make what the machine needs to be sound: a topic that somebody hears, and its functions."""
    key = service_key("Alarms", "market-alarms", "Encrypts alarms", use_by_alarms())
    email = stack.parameter(email_parameter())
    stack.add(*key, *alarm_topic("Alarms", ALARMS, key=key, email=email))
    for number, each in enumerate(functions):
        stack.add(
            awslambda.Function(
                f"Stub{number}",
                FunctionName=sub(each.name),
                Code=awslambda.Code(ImageUri="stub"),
                PackageType="Image",
                Role=sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/stub"),
                Timeout=30,
            )
        )


def pipeline(stack: StackTemplate) -> None:
    """Declare the pipeline that a rule starts for each event."""
    _surroundings(stack, VALIDATION, ENRICHMENT, STORAGE, COMPENSATION)
    bus = event_bus("Market", BUS, "Market events")
    key = service_key("Log", "market-log", "Encrypts logs", use_by_log_groups(PIPELINE.log_group))
    undelivered = dead_letters(
        "Undelivered", UNDELIVERED, tell=ALARMS, means="No run began.", admits_rule=RULE.arn
    )
    machine = state_machine(
        "Pipeline", PIPELINE, DEFINITION, log_key=key, tell=ALARMS,
        means="A market event was rejected or compensated: it is in the queue of the failed.",
    )  # fmt: skip
    delivery = Delivery(attempts=8, longest_age=timedelta(hours=1), dead_letters=undelivered)
    starting = rule_to_state_machine(
        "ToPipeline", RULE, bus,
        pattern={"source": ["market.data"], "detail-type": ["market.event"]},
        machine=PIPELINE, delivery=delivery, describes="Starts the pipeline for each event",
    )  # fmt: skip
    stack.add(bus, *key, *undelivered, *machine, *starting)


PROMOTION, VALIDATE = StateMachine("promotion"), Function("market-validation")
_CLUSTERS = [
    sub("arn:${AWS::Partition}:rds::${AWS::AccountId}:global-cluster:books"),
    sub("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster:books"),
]
_SLOW = Retry(
    errors=(ALL,),
    interval=timedelta(seconds=5),
    most_attempts=3,
    longest_delay=timedelta(minutes=1),
)
_GIVE_UP = Catch(errors=(ALL,), then="NotPromoted")
PROMOTING = Definition(
    comment="Promotes the other region and waits until it answers",
    start="Promote",
    longest=timedelta(hours=2),
    states={
        "Promote": Task(
            call=SdkCall(
                service="rds",
                operation="failoverGlobalCluster",
                given={
                    "GlobalClusterIdentifier": "books",
                    "TargetDbClusterIdentifier.$": "$.target",
                },
                allowed={"rds:FailoverGlobalCluster": _CLUSTERS},
            ),
            timeout=timedelta(minutes=1),
            retry=(_SLOW,),
            catch=(_GIVE_UP,),
            result={"status.$": "$.GlobalCluster.Status"},
            keep_at="$.promoted",
            then="Count",
        ),
        "Count": Pass(given={"polls": 0}, keep_at="$.count", then="Pause"),
        "Pause": Wait(duration=timedelta(seconds=20), then="Poll"),
        "Poll": Task(
            call=SdkCall(
                service="rds",
                operation="describeGlobalClusters",
                given={"GlobalClusterIdentifier": "books"},
                allowed={"rds:DescribeGlobalClusters": _CLUSTERS[:1]},
            ),
            timeout=timedelta(minutes=1),
            retry=(_SLOW,),
            catch=(_GIVE_UP,),
            result={"status.$": "$.GlobalClusters[0].Status"},
            keep_at="$.seen",
            then="Again",
        ),
        "Again": Pass(
            given={"polls.$": "States.MathAdd($.count.polls, 1)"}, keep_at="$.count", then="Ready"
        ),
        "Ready": Choice(
            when=(
                When(all_of(present("$.seen.status"), equals("$.seen.status", "available")), "All"),
                When(at_least("$.count.polls", 180), "NotPromoted"),
            ),
            otherwise="Pause",
        ),
        "All": Map(
            items="$.checks",
            given={"check.$": "$$.Map.Item.Value"},
            most_at_once=5,
            each=Flow(
                start="Ask",
                states={
                    "Ask": Task(
                        call=Invoke(function=VALIDATE, payload={"check.$": "$.check"}),
                        timeout=LONGER_THAN_A_FUNCTION,
                        retry=(TRANSIENT,),
                        because="One check that fails fails all.",
                        then=None,
                    )
                },
            ),
            catch=(_GIVE_UP,),
            result={"asked.$": "States.ArrayLength($)"},
            keep_at="$.asked",
            then="Promoted",
        ),
        "Promoted": Succeed(),
        "NotPromoted": Fail(error="NotPromoted", cause="Promote the region by hand."),
    },
)


def promotion(stack: StackTemplate) -> None:
    """Declare a machine with a loop, calls of AWS and a Map."""
    _surroundings(stack, VALIDATE)
    names = use_by_log_groups(PROMOTION.log_group)
    key = service_key("Log", "promotion-log", "Encrypts logs", names)
    machine = state_machine(
        "Promotion", PROMOTION, PROMOTING, log_key=key, tell=ALARMS, means="Nobody was promoted."
    )
    late = timed_out("Promotion", PROMOTION, tell=ALARMS, means="A promotion takes too long.")
    stack.add(*key, *machine, late)
