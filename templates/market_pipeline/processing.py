"""The machine and its four functions: every event ends recorded, or visibly not."""

from troposphere import GetAtt, Ref
from troposphere.cloudwatch import Alarm

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.function import Function, RequestFunction, Settings, request_function
from tap_templates.blocks.key import service_key, use_by_log_groups, use_through
from tap_templates.blocks.policy import Grant
from tap_templates.blocks.queue import dead_letters
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.state_machine import state_machine
from tap_templates.blocks.table import write_alarms
from tap_templates.blocks.text import Text, sub
from tap_templates.model.package import Package
from templates.market_pipeline.machine import FUNCTION_TIMEOUT, definition
from templates.market_pipeline.shared import (
    ALARMS,
    AUDIT,
    AUDIT_FOLDER,
    COMPENSATION,
    COMPENSATION_PACKAGE,
    ENRICHMENT,
    ENRICHMENT_PACKAGE,
    EVENTS,
    FAILED,
    GSI1,
    METRICS,
    PIPELINE,
    STORAGE,
    STORAGE_PACKAGE,
    VALIDATION,
    VALIDATION_PACKAGE,
    code,
    in_network,
)

ALARM_KEY = StackParameter(
    name="AlarmKeyArn",
    group="Alarms",
    label="Key of the alarm topic",
    description="Output AlarmKeyArn of the alerts stack of this region; the deployer fills it in.",
    pattern=r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}",
    constraint="the ARN of a key",
)
CONCURRENCY = StackParameter(
    name="StepConcurrency",
    group="Processing",
    label="Concurrent executions of each function",
    description="Bounds how hard the pipeline drives the table; what exceeds it is tried again.",
    type="Number",
    default=50,
    at_least=1,
    at_most=1000,
    constraint="1 to 1000; the account must keep 100 unreserved",
)


def build() -> StackTemplate:
    """The functions, the machine over them, the queue of what it gave up on, and the alarms."""
    stack = StackTemplate("market-pipeline: the state machine and its functions")
    failed = dead_letters(
        "Failed",
        FAILED,
        tell=ALARMS,
        means="The pipeline gave up on an event. It is in the queue, with the reason: see the "
        "runbook, Failed events.",
    )
    functions = _Functions(stack)
    validation = functions.add(
        "Validation",
        VALIDATION,
        VALIDATION_PACKAGE,
        EVENTS.get_items(),
        describes="Checks an event against its schema and what is recorded",
    )
    enrichment = functions.add(
        "Enrichment",
        ENRICHMENT,
        ENRICHMENT_PACKAGE,
        EVENTS.query(GSI1),
        describes="Finds the instrument an event is about",
    )
    storage = functions.add(
        "Storage",
        STORAGE,
        STORAGE_PACKAGE,
        EVENTS.put_items(),
        AUDIT.put_objects(AUDIT_FOLDER),
        environment={"BUCKET_NAME": sub(AUDIT.name)},
        describes="Stores an event, then its record and its audit object",
    )
    compensation = functions.add(
        "Compensation",
        COMPENSATION,
        COMPENSATION_PACKAGE,
        EVENTS.update_items(),
        ALARMS.publish(),
        use_through("EncryptAlarms", "sns", stack.parameter(ALARM_KEY)),
        environment={"TOPIC_ARN": ALARMS.arn},
        describes="Undoes what a failed execution stored, and tells",
    )
    machine = state_machine(
        "Pipeline",
        PIPELINE,
        definition(),
        log_key=functions.log_key,
        tell=ALARMS,
        means="An event was refused or compensated; it is in the queue of failed events.",
    )
    for each in (validation, enrichment, storage, compensation):
        stack.add(*each)
    stack.add(
        *functions.log_key,
        *failed,
        *machine,
        *_machine_alarms(),
        *write_alarms(EVENTS, what="events", tell=ALARMS),
    )
    stack.add(*_function_alarms())

    stack.output("PipelineArn", "The state machine", Ref(machine.machine))
    stack.output("PipelineRoleArn", "The role it runs with", GetAtt(machine.role, "Arn"))
    stack.output("FailedQueueUrl", "Queue of events that were given up", Ref(failed.queue))
    return stack


class _Functions:
    """What the four functions have in common."""

    def __init__(self, stack: StackTemplate) -> None:
        self._stack = stack
        self._concurrency = stack.parameter(CONCURRENCY)
        self._network = in_network(stack)
        self.log_key = service_key(
            "PipelineLog",
            "market-pipeline-log",
            "Encrypts the logs of the pipeline and its functions",
            use_by_log_groups(
                *(
                    each.log_group
                    for each in (COMPENSATION, ENRICHMENT, PIPELINE, STORAGE, VALIDATION)
                )
            ),
        )

    def add(
        self,
        title: str,
        function: Function,
        package: Package,
        *grants: Grant,
        environment: dict[str, Text] | None = None,
        describes: str,
    ) -> RequestFunction:
        settings = Settings(
            describes=describes,
            environment={
                "POWERTOOLS_METRICS_NAMESPACE": METRICS,
                "POWERTOOLS_SERVICE_NAME": function.purpose,
                "TABLE_NAME": sub(EVENTS.name),
                **(environment or {}),
            },
            timeout=FUNCTION_TIMEOUT,
            memory_mib=512,
            concurrency=self._concurrency,
            network=self._network,
        )
        made = code(self._stack, title, package)
        return request_function(title, function, made, settings, *grants, log_key=self.log_key)


def _function_alarms() -> tuple[Alarm, ...]:
    errors = (
        alarm(
            f"{title}Errors",
            f"{function.purpose}-errors",
            function.metric("Errors"),
            above=0,
            periods=3,
            tell=ALARMS,
            means=f"{title} has failed on events for three minutes; the pipeline retries, then "
            "gives up on them.",
        )
        for title, function in (("Enrichment", ENRICHMENT), ("Storage", STORAGE))
    )
    broken = alarm(
        "CompensationErrors",
        "market-compensation-errors",
        COMPENSATION.metric("Errors"),
        above=0,
        tell=ALARMS,
        means="Compensation itself failed: an event may be stored by half. See the runbook.",
    )
    return (*errors, broken)


def _machine_alarms() -> tuple[Alarm, ...]:
    return (
        alarm(
            "PipelineAborted",
            "market-pipeline-aborted",
            PIPELINE.metric("ExecutionsAborted"),
            above=0,
            tell=ALARMS,
            means="Somebody stopped an execution: its event may be stored by half.",
        ),
        alarm(
            "PipelineThrottled",
            "market-pipeline-throttled",
            PIPELINE.metric("ExecutionThrottled"),
            above=0,
            periods=5,
            tell=ALARMS,
            means="Step Functions has throttled the pipeline for five minutes: events are late.",
        ),
    )
