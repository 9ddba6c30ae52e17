"""Faults between the two regions, and in how one takes over from the other."""

from unit.invariants.planted import (
    Planted,
    arn,
    both,
    drop,
    in_primary_only,
    parameter,
    put,
    remove,
)

PAIR = (
    Planted(
        "TAP-PAIR-01",
        "processing",
        in_primary_only("ProcessorSlowAlarm"),
        logical_id="ProcessorSlowAlarm",
        says="ProcessorSlowAlarm is in us-east-1 only: us-west-2 lacks it",
        remedy="take the condition off",
    ),
    Planted(
        "TAP-PAIR-01",
        "processing",
        both(
            in_primary_only("ProcessorSlowAlarm"),
            lambda t: t["Resources"]["ProcessorSlowAlarm"].pop("Condition"),
            put("ProcessorFunction", "MemorySize", {"Fn::If": ["IsPrimary", 512, 128]}),
        ),
        logical_id="ProcessorFunction",
        path="/Properties/MemorySize",
        says="is 512 in us-east-1 but 128 in us-west-2",
        remedy="so that both regions are alike",
    ),
    Planted(
        "TAP-PAIR-01",
        "processing",
        both(
            lambda t: t["Parameters"].update(
                {"PrimaryRegion": {"Type": "String", "Default": "us-east-1"}}
            ),
            put(
                "FailedNotEmptyAlarm",
                "AlarmActions.0",
                arn("sns", "topic-trading-alarms-${EnvironmentSuffix}", "${PrimaryRegion}"),
            ),
        ),
        logical_id="FailedNotEmptyAlarm",
        path="/Properties/AlarmActions/0",
        says="is ",
        remedy="say it in terms of AWS::Region",
    ),
    Planted(
        "TAP-PAIR-01",
        "processing",
        put("ProcessorFunction", "Environment.Variables.ANSWERS", "queue-useast1"),
        logical_id="ProcessorFunction",
        path="/Properties/Environment/Variables/ANSWERS",
        says="is 'queue-useast1' in us-east-1",
    ),
    Planted(
        "TAP-PAIR-02",
        "bus",
        in_primary_only("HeartbeatRule"),
        logical_id="TradingEndpoint",
        at="endpoint",
        says="the bus in us-west-2 lacks rule rule-trading-heartbeat-dev",
        remedy="make the rule in a stack that is in both regions",
    ),
    Planted(
        "TAP-PAIR-02",
        "bus",
        both(
            in_primary_only("HeartbeatRule"),
            lambda t: t["Resources"]["HeartbeatRule"].pop("Condition"),
            put("ProcessingRule", "State", {"Fn::If": ["IsPrimary", "ENABLED", "DISABLED"]}),
        ),
        logical_id="TradingEndpoint",
        at="endpoint",
        says="is enabled differently on the two buses",
    ),
    Planted(
        "TAP-PAIR-02",
        "endpoint",
        put(
            "TradingEndpoint",
            "RoutingConfig.FailoverConfig.Secondary.Route",
            {"Ref": "PrimaryRegion"},
        ),
        logical_id="TradingEndpoint",
        says="it fails over to us-east-1, which is not the secondary region",
        remedy="global_endpoint() in blocks/endpoint.py",
    ),
    Planted(
        "TAP-PAIR-02",
        "endpoint",
        put("TradingEndpoint", "EventBuses.1.EventBusArn", arn("events", "event-bus/gone")),
        logical_id="TradingEndpoint",
        says="not one existing bus in each region",
    ),
    Planted(
        "TAP-PAIR-02",
        "endpoint",
        put("TradingEndpoint", "ReplicationConfig.State", "DISABLED"),
        logical_id="TradingEndpoint",
        says="it does not replicate events",
    ),
    Planted(
        "TAP-REP-01",
        "table",
        lambda t: t["Resources"]["TransactionsTable"]["Properties"]["Replicas"].pop(0),
        logical_id="TransactionsTable",
        path="/Properties/Replicas",
        says="has no replica in us-east-1, where the pair needs it",
        remedy="add the replica",
    ),
    Planted(
        "TAP-REP-02",
        "table",
        put("TransactionsTable", "MultiRegionConsistency", "EVENTUAL"),
        logical_id="TransactionsTable",
        path="/Properties/MultiRegionConsistency",
        says="what ProcessorRole writes can be lost",
        remedy="make it strongly consistent",
    ),
)
OBJECTIVES = (
    *(
        Planted(
            "TAP-OBJ-01",
            "endpoint",
            edit,
            logical_id=logical_id,
            says=says,
            remedy="as EventBridge prescribes",
        )
        for logical_id, edit, says in (
            (
                "TradingIngestionAlarm",
                parameter("UnhealthyMinutes", MaxValue=10),
                "may take 600 s to ring, EventBridge prescribes at most 300",
            ),
            (
                "TradingIngestionAlarm",
                parameter("UnhealthyMinutes", MaxValue=None),
                "may take any number of s to ring",
            ),
            (
                "TradingIngestionAlarm",
                parameter("IngestionLatencyMs", MaxValue=60000),
                "may let events wait for 60000 ms",
            ),
            (
                "TradingIngestionAlarm",
                put("TradingIngestionAlarm", "TreatMissingData", "missing"),
                "has TreatMissingData missing, not breaching",
            ),
            (
                "TradingIngestionAlarm",
                put("TradingIngestionAlarm", "Dimensions", [{"Name": "service", "Value": "x"}]),
                "sets Dimensions",
            ),
            (
                "TradingIngestionAlarm",
                put("TradingIngestionAlarm", "Period", 300),
                "has a period of 300 s",
            ),
            (
                "TradingHealthCheck",
                put(
                    "TradingHealthCheck",
                    "HealthCheckConfig.InsufficientDataHealthStatus",
                    "Healthy",
                ),
                "is not unhealthy when there is no data",
            ),
            (
                "TradingHealthCheck",
                put("TradingHealthCheck", "HealthCheckConfig.Inverted", value=True),
                "is inverted",
            ),
            (
                "TradingHealthCheck",
                put("TradingHealthCheck", "HealthCheckConfig.AlarmIdentifier.Name", "another"),
                "does not follow an alarm of the system",
            ),
        )
    ),
    Planted(
        "TAP-OBJ-02",
        "bus",
        put("HeartbeatSchedule", "ScheduleExpression", "rate(5 minutes)"),
        logical_id="TradingEndpoint",
        at="endpoint",
        says="nothing puts an event on its primary bus every minute",
        remedy="add heartbeat() of blocks/heartbeat.py",
    ),
    Planted(
        "TAP-OBJ-02",
        "bus",
        put("HeartbeatRule", "EventPattern.source", ["another"]),
        logical_id="TradingEndpoint",
        at="endpoint",
        says="a quiet market would fail over",
    ),
    Planted(
        "TAP-OBJ-02",
        "bus",
        put("HeartbeatRule", "EventPattern.detail-type", ["another"]),
        logical_id="TradingEndpoint",
        at="endpoint",
        says="a quiet market",
    ),
    Planted(
        "TAP-OBJ-02",
        "bus",
        drop("HeartbeatRule", "Targets"),
        logical_id="TradingEndpoint",
        at="endpoint",
        says="a quiet market",
    ),
    Planted(
        "TAP-OBJ-03",
        "endpoint",
        parameter("UnhealthyMinutes", MaxValue=10),
        at="",
        says="within 420 s, but failover takes 600 s (detection",
        remedy="lower the MaxValue of their parameters",
    ),
    Planted(
        "TAP-OBJ-03",
        "endpoint",
        both(
            remove("TradingEndpoint"),
            lambda t: [t["Outputs"].pop(each) for each in ("EndpointId", "EndpointUrl")],
        ),
        at="",
        says="has no failover path that this check knows",
        remedy="add an AWS::Events::Endpoint",
    ),
)
PLANTED = (*PAIR, *OBJECTIVES)
