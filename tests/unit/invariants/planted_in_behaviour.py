"""Faults in how functions run, and in what becomes of what they fail on."""

from unit.invariants.planted import (
    WEST,
    Planted,
    add,
    arn,
    both,
    drop,
    put,
    remove,
    sub,
)

_PROCESSOR = {"Ref": "ProcessorFunction"}


def _second_function(**changes):
    def edit(template):
        body = template["Resources"]["ProcessorFunction"]["Properties"]
        second = body | {"FunctionName": sub("function-second-${EnvironmentSuffix}")} | changes
        add("SecondFunction", "AWS::Lambda::Function", **second)(template)

    return edit


def _queue_feeding(visibility, *, redrive):
    """Feed the processor from a queue; with `redrive`, into the failure queue."""
    policy = {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["FailedQueue", "Arn"]}}}
    return both(
        add(
            "Work",
            "AWS::SQS::Queue",
            QueueName=sub("queue-work-${EnvironmentSuffix}"),
            **visibility,
            **(policy if redrive else {}),
        ),
        add(
            "Feed",
            "AWS::Lambda::EventSourceMapping",
            EventSourceArn={"Fn::GetAtt": ["Work", "Arn"]},
            FunctionName=_PROCESSOR,
        ),
    )


FUNCTIONS = (
    Planted(
        "TAP-FN-01",
        "processing",
        put("ProcessorFunction", "Runtime", "python3.11"),
        logical_id="ProcessorFunction",
        path="/Properties/Runtime",
        says="python3.11, which is supported until 2027-06-30 only",
        remedy="run it on python3.14",
    ),
    Planted(
        "TAP-FN-01",
        "processing",
        put("ProcessorFunction", "Runtime", "nodejs18.x"),
        logical_id="ProcessorFunction",
        says="is not in the table of runtimes",
    ),
    Planted(
        "TAP-FN-02",
        "processing",
        drop("ProcessorFunction", "Architectures"),
        logical_id="ProcessorFunction",
        says="runs on x86_64, the default",
        remedy="set Architectures to [arm64]",
    ),
    Planted(
        "TAP-FN-03",
        "processing",
        put("ProcessorFunction", "TracingConfig.Mode", "PassThrough"),
        logical_id="ProcessorFunction",
        says="is not traced",
        remedy="Mode Active",
    ),
    Planted(
        "TAP-FN-04",
        "processing",
        put("ProcessorFunction", "LoggingConfig.LogGroup", "/aws/lambda/another"),
        logical_id="ProcessorFunction",
        says="logs to /aws/lambda/another, which its stack does not make",
        remedy="declare the log group beside the function",
    ),
    Planted(
        "TAP-FN-04",
        "processing",
        drop("ProcessorLog", "RetentionInDays"),
        logical_id="ProcessorFunction",
        says="keeps its events for ever",
        remedy="set RetentionInDays on ProcessorLog",
    ),
    Planted(
        "TAP-FN-04",
        "processing",
        _second_function(),
        logical_id="SecondFunction",
        says="shares the log group",
    ),
    Planted(
        "TAP-FN-05",
        "processing",
        _second_function(),
        logical_id="ProcessorFunction",
        path="/Properties/Role",
        says="shares its role with SecondFunction",
        remedy="give each function a role of its own",
    ),
    Planted(
        "TAP-FN-06",
        "processing",
        drop("ProcessorFunction", "ReservedConcurrentExecutions"),
        logical_id="ProcessorFunction",
        says="may take all concurrency of the account",
        remedy="set ReservedConcurrentExecutions",
    ),
    Planted(
        "TAP-FN-06",
        "processing",
        put("ProcessorFunction", "ReservedConcurrentExecutions", 0),
        logical_id="ProcessorFunction",
        says="it never runs",
    ),
    Planted(
        "TAP-FN-07",
        "processing",
        lambda t: t["Resources"]["ProcessorFunction"]["Properties"]["Environment"]["Variables"].pop(
            "POWERTOOLS_SERVICE_NAME"
        ),
        logical_id="ProcessorFunction",
        says="lacks POWERTOOLS_SERVICE_NAME",
        remedy="set them in the function's environment",
    ),
    Planted(
        "TAP-FN-08",
        "processing",
        put("ProcessorFunction", "Timeout", 901),
        logical_id="ProcessorFunction",
        says="may take 901 s, but Lambda allows 900 s",
        remedy="set Timeout to at most 900",
    ),
    Planted(
        "TAP-FN-08",
        "processing",
        drop("ProcessorFunction", "Timeout"),
        logical_id="ProcessorFunction",
        says="has no timeout of its own",
    ),
    Planted(
        "TAP-FN-08",
        "processing",
        _queue_feeding({}, redrive=True),
        logical_id="Work",
        path="/Properties/VisibilityTimeout",
        says="hides a message for 30.0 s, while ProcessorFunction may take 10 s",
        remedy="set VisibilityTimeout to at least 60",
    ),
    Planted(
        "TAP-FN-08",
        "processing",
        both(
            put("ProcessorFunction", "Timeout", 30),
            add(
                "Api",
                "AWS::Lambda::Permission",
                FunctionName=_PROCESSOR,
                Principal="apigateway.amazonaws.com",
                Action="lambda:InvokeFunction",
            ),
        ),
        logical_id="ProcessorFunction",
        says="may take 30 s, but API Gateway waits 29 s",
    ),
)
DEAD_LETTERS = (
    Planted(
        "TAP-DLQ-01",
        "bus",
        lambda t: t["Resources"]["ProcessingRule"]["Properties"]["Targets"][0].pop(
            "DeadLetterConfig"
        ),
        logical_id="ProcessingRule",
        path="/Properties/Targets/0/DeadLetterConfig",
        says="target ProcessingTarget loses what it fails on",
        remedy="give the target a DeadLetterConfig",
    ),
    Planted(
        "TAP-DLQ-01",
        "bus",
        lambda t: t["Resources"]["HeartbeatSchedule"]["Properties"]["Target"].pop(
            "DeadLetterConfig"
        ),
        logical_id="HeartbeatSchedule",
        says="its target loses",
    ),
    Planted(
        "TAP-DLQ-01",
        "processing",
        remove("ProcessorFailures"),
        logical_id="ProcessorFunction",
        says="the asynchronous invocation of ProcessorFunction (live) loses",
        remedy="EventInvokeConfig for the qualifier live",
    ),
    Planted(
        "TAP-DLQ-01",
        "bus",
        put(
            "ProcessingRule",
            "Targets.0.Arn",
            arn("lambda", "function:function-trading-processor-${EnvironmentSuffix}"),
        ),
        logical_id="ProcessorFunction",
        at="processing",
        says="(no qualifier) loses",
    ),
    Planted(
        "TAP-DLQ-01",
        "alerts",
        put("AlarmsTopicEmail", "Protocol", "sqs"),
        logical_id="AlarmsTopicEmail",
        says="the subscription by sqs loses",
        remedy="give the subscription a RedrivePolicy",
    ),
    Planted(
        "TAP-DLQ-01",
        "processing",
        _queue_feeding({"VisibilityTimeout": 60}, redrive=False),
        logical_id="Work",
        says="the mapping Feed loses",
        remedy="give the queue a RedrivePolicy",
    ),
    Planted(
        "TAP-DLQ-01",
        "bus",
        drop("ProcessingRule", "Targets"),
        logical_id="ProcessingRule",
        path="/Properties/Targets",
        says="it has no target",
        remedy="give it a target",
    ),
    Planted(
        "TAP-DLQ-02",
        "processing",
        put("ProcessorFailures", "DestinationConfig.OnFailure.Destination", arn("sqs", "nowhere")),
        logical_id="ProcessorFailures",
        says="which no stack of the system makes",
        remedy="name a queue that a stack of the same region makes",
    ),
    Planted(
        "TAP-DLQ-02",
        "bus",
        both(
            lambda t: t["Parameters"].update(
                {"SecondaryRegion": {"Type": "String", "Default": WEST}}
            ),
            put(
                "ProcessingRule",
                "Targets.0.DeadLetterConfig.Arn",
                arn(
                    "sqs",
                    "queue-trading-delivery-failed-${EnvironmentSuffix}",
                    "${SecondaryRegion}",
                ),
            ),
        ),
        logical_id="ProcessingRule",
        says="which is in us-west-2, and no other region's is taken, in us-east-1",
    ),
    Planted(
        "TAP-DLQ-03",
        "bus",
        remove("UndeliveredNotEmptyAlarm"),
        logical_id="UndeliveredQueue",
        says="no alarm of its region tells a topic that somebody hears",
        remedy="dead_letters() in blocks/queue.py makes both",
    ),
    Planted(
        "TAP-DLQ-03",
        "bus",
        put("UndeliveredNotEmptyAlarm", "Threshold", 5),
        logical_id="UndeliveredQueue",
        says="no alarm",
    ),
    Planted(
        "TAP-DLQ-03",
        "processing",
        put("FailedNotEmptyAlarm", "ActionsEnabled", value=False),
        logical_id="FailedQueue",
        says="no alarm",
    ),
    Planted(
        "TAP-DLQ-03",
        "alerts",
        remove("AlarmsTopicEmail"),
        logical_id="FailedQueue",
        at="processing",
        says="somebody hears, in both regions",
        remedy="a subscribed topic",
    ),
    Planted(
        "TAP-DLQ-04",
        "processing",
        put("FailedQueue", "MessageRetentionPeriod", 345600),
        logical_id="FailedQueue",
        path="/Properties/MessageRetentionPeriod",
        says="keeps dead letters for 345600 s",
        remedy="set MessageRetentionPeriod to 1209600",
    ),
)
PLANTED = (*FUNCTIONS, *DEAD_LETTERS)
