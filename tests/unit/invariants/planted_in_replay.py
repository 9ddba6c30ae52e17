"""Faults in what a region has to come back with: its archive, its table, a bus that is alive."""

from unit.invariants.planted import Planted, add, arn, both, drop, put, remove, sub

_STOPPED = "HeartbeatStoppedAlarm"
_UNHEARD = "no alarm of its region tells anybody within five minutes"

ARCHIVES = (
    Planted(
        "TAP-ARC-01",
        "bus",
        put("TradingArchive", "EventPattern.source", ["trading-sytem"]),
        logical_id="TradingArchive",
        path="/Properties/EventPattern",
        says="does not surely keep what ProcessingRule sends on",
        remedy="every value by which the rule matches",
    ),
    Planted(
        "TAP-ARC-01",
        "bus",
        put("TradingArchive", "EventPattern.detail-type", ["Trade"]),
        logical_id="TradingArchive",
        says="does not surely keep what ProcessingRule sends on",
    ),
    Planted(
        "TAP-ARC-01",
        "bus",
        put("ProcessingRule", "EventPattern.source", ["trading-system", "settlement"]),
        logical_id="TradingArchive",
        says="does not surely keep",
    ),
    Planted(
        "TAP-ARC-01",
        "bus",
        put("TradingArchive", "EventPattern", "{"),
        logical_id="TradingArchive",
        says="does not surely keep",
    ),
    Planted(
        "TAP-ARC-01",
        "bus",
        both(remove("TradingArchive"), lambda t: t["Outputs"].pop("ArchiveName")),
        logical_id="TradingBus",
        says="has no archive, so that what ProcessingRule sends on",
        remedy="add an AWS::Events::Archive",
    ),
    Planted(
        "TAP-ARC-02",
        "bus",
        put("TradingArchive", "RetentionDays", 1),
        logical_id="TradingArchive",
        path="/Properties/RetentionDays",
        says="keeps events for 1 days, and dead letters are kept for 14",
        remedy="set RetentionDays to at least 14",
    ),
)


def _as_one_beat(template):
    """Leave a heartbeat in the primary region alone."""
    equals = {"Fn::Equals": [{"Ref": "AWS::Region"}, {"Ref": "PrimaryRegion"}]}
    template.setdefault("Conditions", {})["IsPrimary"] = equals
    template["Parameters"]["PrimaryRegion"] = {"Type": "String", "Default": "us-east-1"}
    state = {"Fn::If": ["IsPrimary", "ENABLED", "DISABLED"]}
    put("HeartbeatSchedule", "State", state)(template)


def _unwatched(edit, why):
    """Expect `edit` to leave nobody who is told; `why` tells the cases apart."""
    return Planted("TAP-OBJ-02", "bus", edit, logical_id="HeartbeatRule", says=_UNHEARD, remedy=why)


HEARTBEATS = (
    Planted(
        "TAP-OBJ-02",
        "bus",
        _as_one_beat,
        logical_id="TradingEndpoint",
        at="endpoint",
        says="nothing puts an event on its bus in us-west-2 every minute",
    ),
    _unwatched(remove(_STOPPED), "alarm on the Sum of MatchedEvents"),
    _unwatched(put(_STOPPED, "TreatMissingData", "notBreaching"), "missing data breaching"),
    _unwatched(drop(_STOPPED, "TreatMissingData"), "missing data breaching"),
    _unwatched(put(_STOPPED, "Threshold", 0), "below 1"),
    _unwatched(put(_STOPPED, "Statistic", "SampleCount"), "Sum"),
    _unwatched(put(_STOPPED, "EvaluationPeriods", 6), ""),
    _unwatched(put(_STOPPED, "ComparisonOperator", "GreaterThanThreshold"), "below 1"),
    _unwatched(put(_STOPPED, "MetricName", "FailedInvocations"), "MatchedEvents"),
    _unwatched(put(_STOPPED, "ActionsEnabled", value=False), "a subscribed topic"),
    _unwatched(put(_STOPPED, "AlarmActions", [arn("sns", "nobodys")]), "a subscribed topic"),
    _unwatched(
        put(_STOPPED, "Dimensions.1.Value", "rule-trading-events-to-processor-dev"),
        "this bus and rule",
    ),
)
PROTECTION = (
    Planted(
        "TAP-RET-03",
        "table",
        put("TransactionsTable", "Replicas.1.DeletionProtectionEnabled", value=False),
        logical_id="TransactionsTable",
        path="/Properties/Replicas/1/DeletionProtectionEnabled",
        says="outlives its stack, but anybody who may delete tables can delete it in us-west-2",
        remedy="by `retain` in the system module",
    ),
    Planted(
        "TAP-RET-03",
        "table",
        lambda t: t["Resources"]["TransactionsTable"]["Properties"]["Replicas"][0].pop(
            "DeletionProtectionEnabled"
        ),
        logical_id="TransactionsTable",
        path="/Properties/Replicas/0/DeletionProtectionEnabled",
        says="can delete it in us-east-1",
    ),
    Planted(
        "TAP-RET-03",
        "table",
        add(
            "Scratch",
            "AWS::DynamoDB::Table",
            TableName=sub("table-scratch-${EnvironmentSuffix}"),
            DeletionProtectionEnabled=True,
        ),
        logical_id="Scratch",
        path="/Properties/DeletionProtectionEnabled",
        says="goes with its stack, but is protected from deletion: the stack could not be deleted",
    ),
)
PLANTED = (*ARCHIVES, *HEARTBEATS, *PROTECTION)
