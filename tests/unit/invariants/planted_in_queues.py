"""Faults in how queues feed functions."""

from unit.invariants.planted import WEST, Planted, add, both, put, sub

_WORK = "queue-work-${EnvironmentSuffix}"


def _feeding(*edits, partial=True, receives=5, enabled=True, at_once=2, admits=True, watched=True):
    """Feed the processor from a queue in which all is right but what is asked for."""
    arn = sub(f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{_WORK}")
    allows = {"redrivePermission": "byQueue", "sourceQueueArns": [arn] if admits else []}
    dead = {"deadLetterTargetArn": {"Fn::GetAtt": ["FailedQueue", "Arn"]}}
    return both(
        add(
            "Work",
            "AWS::SQS::Queue",
            QueueName=sub(_WORK),
            VisibilityTimeout=60,
            RedrivePolicy=dead | {"maxReceiveCount": receives},
        ),
        put("FailedQueue", "RedriveAllowPolicy", allows),
        add(
            "Feed",
            "AWS::Lambda::EventSourceMapping",
            Enabled=enabled,
            EventSourceArn={"Fn::GetAtt": ["Work", "Arn"]},
            FunctionName={"Ref": "ProcessorAlias"},
            FunctionResponseTypes=["ReportBatchItemFailures"] if partial else [],
            MaximumBatchingWindowInSeconds=0,
            ScalingConfig={"MaximumConcurrency": at_once},
        ),
        _watch if watched else (lambda _: None),
        *edits,
    )


def _watch(template):
    rings = template["Resources"]["FailedNotEmptyAlarm"]["Properties"]
    changed = {
        "AlarmName": sub("alarm-work-waiting-${EnvironmentSuffix}"),
        "Dimensions": [{"Name": "QueueName", "Value": sub(_WORK)}],
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Threshold": 300,
    }
    add("WorkWaitingAlarm", "AWS::CloudWatch::Alarm", **rings | changed)(template)


RIGHT = _feeding()

PLANTED = (
    Planted(
        "TAP-SQS-01",
        "processing",
        _feeding(partial=False),
        logical_id="Feed",
        path="/Properties/FunctionResponseTypes",
        says="brings a whole batch back",
        remedy="ReportBatchItemFailures",
    ),
    Planted(
        "TAP-SQS-02",
        "processing",
        _feeding(receives=3),
        logical_id="Work",
        path="/Properties/RedrivePolicy/maxReceiveCount",
        says="gives a message up after 3 receives",
        remedy="at least 5",
    ),
    Planted(
        "TAP-SQS-03",
        "processing",
        _feeding(lambda t: t["Resources"]["FailedQueue"]["Properties"].pop("RedriveAllowPolicy")),
        logical_id="FailedQueue",
        path="/Properties/RedriveAllowPolicy",
        says="takes the dead letters of any queue of the account",
        remedy="byQueue",
    ),
    Planted(
        "TAP-SQS-03",
        "processing",
        _feeding(admits=False),
        logical_id="FailedQueue",
        says="and not just of",
    ),
    Planted(
        "TAP-SQS-04",
        "processing",
        _feeding(watched=False),
        logical_id="Work",
        says="nobody hears of messages that wait",
        remedy="ApproximateAgeOfOldestMessage",
    ),
    Planted(
        "TAP-SQS-05",
        "processing",
        _feeding(at_once=1000),
        logical_id="Feed",
        path="/Properties/ScalingConfig/MaximumConcurrency",
        says="hands over 1000 batches at once, while ProcessorFunction runs",
        remedy="set MaximumConcurrency to at most",
    ),
    Planted(
        "TAP-SQS-06",
        "processing",
        _feeding(enabled=False),
        logical_id="Feed",
        path="/Properties/Enabled",
        says="nobody works the queue off",
        remedy="enable it in the region that is active",
    ),
    Planted(
        "TAP-FN-08",
        "processing",
        _feeding(put("Feed", "MaximumBatchingWindowInSeconds", 30)),
        logical_id="Work",
        says="hides a message for 60.0 s",
        remedy="set VisibilityTimeout to at least 90",
    ),
)


def _is_west(template):
    west = {"Fn::Equals": [{"Ref": "AWS::Region"}, WEST]}
    template.setdefault("Conditions", {})["IsWest"] = west


ON_IN_ONE = _feeding(_is_west, enabled={"Fn::If": ["IsWest", False, True]})
# What the queue and its mapping have not in these plants, as it is no question of theirs.
BESIDE = {"TAP-ENC-01", "TAP-ENC-02", "TAP-RET-01", "TAP-TAG-01"}
