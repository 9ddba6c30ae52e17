"""Faults in what resources are called, refer to and measure."""

from unit.invariants.planted import (
    WEST,
    Planted,
    add,
    arn,
    both,
    drop,
    parameter,
    put,
    replace_text,
    sub,
)

REFERENCES = (
    Planted(
        "TAP-REF-01",
        "processing",
        put("FailedNotEmptyAlarm", "AlarmActions.0", arn("sns", "topic-elsewhere-dev")),
        logical_id="FailedNotEmptyAlarm",
        path="/Properties/AlarmActions/0",
        says="arn:aws:sns:${AWS::Region}:${AWS::AccountId}:topic-elsewhere-dev names no resource "
        "of the system, in both regions",
        remedy="correct the name or the region",
    ),
    Planted(
        "TAP-REF-01",
        "endpoint",
        put(
            "TradingReplicationRole",
            "Policies.0.PolicyDocument.Statement.1.Resource.0",
            arn("events", "rule/bus-elsewhere/GlobalEndpointManagedRule-*"),
        ),
        logical_id="TradingReplicationRole",
        says="matches no resource",
        remedy="add the resource to a stack of that region",
    ),
    Planted(
        "TAP-REF-01",
        "alerts",
        put(
            "AlarmsTopicPolicy",
            "PolicyDocument.Statement.0.Condition.ArnLike.aws:SourceArn",
            arn("cloudwatch", "alarm:nothing-*"),
        ),
        logical_id="AlarmsTopicPolicy",
        says="matches no resource",
    ),
    Planted(
        "TAP-REF-01",
        "alerts",
        put(
            "AlarmsTopicPolicy",
            "PolicyDocument.Statement.0.Condition.ArnLike.aws:PrincipalArn",
            arn("iam", "role/role-nobody-dev", ""),
        ),
        logical_id="AlarmsTopicPolicy",
        says="role/role-nobody-dev names no resource",
    ),
    Planted(
        "TAP-REF-01",
        "alerts",
        put(
            "AlarmsTopicPolicy",
            "PolicyDocument.Statement.0.Resource.0",
            arn("ssm", "parameter/nothing/below"),
        ),
        logical_id="AlarmsTopicPolicy",
        says="parameter/nothing/below names no resource",
    ),
    Planted(
        "TAP-REF-01",
        "bus",
        put(
            "ProcessingPermission",
            "FunctionName",
            arn("lambda", "function:function-trading-processor-dev:dead"),
        ),
        logical_id="ProcessingPermission",
        says=":dead names no resource",
    ),
    Planted(
        "TAP-REF-02",
        "processing",
        put(
            "FailedNotEmptyAlarm",
            "AlarmActions.0",
            arn("events", "event-bus/bus-trading-events-${EnvironmentSuffix}"),
        ),
        logical_id="FailedNotEmptyAlarm",
        says="refers to TradingBus of stack 'bus', on which 'processing' does not depend",
        remedy="add 'bus' to depends_on of 'processing'",
    ),
    Planted(
        "TAP-REF-02",
        "bus",
        both(
            lambda t: t["Parameters"].update(
                {"SecondaryRegion": {"Type": "String", "Default": WEST}}
            ),
            put(
                "ProcessingRule",
                "Targets.0.RoleArn",
                arn("events", "event-bus/bus-trading-events-dev", "${SecondaryRegion}"),
            ),
        ),
        logical_id="ProcessingRule",
        says="of the same stack in us-west-2",
        remedy="move the reference to a stack that depends on this one",
    ),
    Planted(
        "TAP-REF-03",
        "processing",
        put(
            "ProcessorFunction",
            "Environment.Variables.TABLE_NAME",
            sub("table-other-${EnvironmentSuffix}"),
        ),
        logical_id="ProcessorFunction",
        path="/Properties/Environment/Variables/TABLE_NAME",
        says="TABLE_NAME=table-other-dev, which no resource",
        remedy="correct the variable",
    ),
)
DIMENSIONS = (
    Planted(
        "TAP-DIM-01",
        "processing",
        put("ProcessorErrorsAlarm", "Dimensions.0.Value", "function-other-dev"),
        logical_id="ProcessorErrorsAlarm",
        path="/Properties/Dimensions",
        says="FunctionName=function-other-dev, which does not exist in",
        remedy="take the dimension from the reference of the resource",
    ),
    Planted(
        "TAP-DIM-01",
        "monitoring",
        replace_text("queue-trading-delivery-failed-", "queue-trading-lost-"),
        logical_id="TradingDashboard",
        says="QueueName=queue-trading-lost-dev",
    ),
    Planted(
        "TAP-DIM-01",
        "monitoring",
        replace_text('"RuleName"', '"Color"'),
        logical_id="TradingDashboard",
        says="measures by Color of AWS/Events, which this check does not know",
        remedy="add the dimension to NAMES, REFERENCES or FREE",
    ),
    Planted(
        "TAP-DIM-01",
        "monitoring",
        replace_text("${EndpointHealthCheckId}", "another"),
        logical_id="TradingDashboard",
        says="HealthCheckId=another, which the system does not make",
    ),
    Planted(
        "TAP-DIM-02",
        "monitoring",
        replace_text('"widgets":', '"widgets"'),
        logical_id="TradingDashboard",
        path="/Properties/DashboardBody",
        says="is no JSON",
        remedy="build the body with blocks/dashboard.py",
    ),
    Planted(
        "TAP-DIM-02",
        "monitoring",
        replace_text('"widgets":', '"widget":'),
        logical_id="TradingDashboard",
        says="has no list of widgets",
    ),
)
NAMES = (
    Planted(
        "TAP-NAME-01",
        "processing",
        put("FailedQueue", "QueueName", sub("queue_failed-${EnvironmentSuffix}")),
        logical_id="FailedQueue",
        path="/Properties/QueueName",
        says="the rule is queue-<purpose>-dev",
        remedy="Name(Kind.QUEUE",
    ),
    Planted(
        "TAP-NAME-01",
        "processing",
        put("FailedQueue", "QueueName", "queue-trading-processing-failed-dev"),
        logical_id="FailedQueue",
        says="does not end with the parameter EnvironmentSuffix",
    ),
    Planted(
        "TAP-NAME-01",
        "table",
        put("TransactionsTable", "TableName", sub("table-x-${AWS::Region}-${EnvironmentSuffix}")),
        logical_id="TransactionsTable",
        says="it names us-west-2, though regions do not share this namespace",
    ),
    Planted(
        "TAP-NAME-01",
        "bus",
        put("ProcessingRule", "Name", sub(f"rule-{'x' * 50}-${{EnvironmentSuffix}}")),
        logical_id="ProcessingRule",
        says="can become 68 characters long, AWS allows 64",
    ),
    Planted(
        "TAP-NAME-01",
        "processing",
        put("ProcessorLog", "LogGroupName", "/aws/lambda/another"),
        logical_id="ProcessorLog",
        says="is no /aws/<service>/<name> of a resource",
        remedy="name the log group after the function",
    ),
    Planted(
        "TAP-NAME-02",
        "bus",
        drop("HeartbeatQueue", "QueueName"),
        logical_id="HeartbeatQueue",
        says="is named by AWS",
        remedy="set QueueName by the rule",
    ),
    Planted(
        "TAP-NAME-02",
        "bus",
        add("Strange", "AWS::Kinesis::Stream"),
        logical_id="Strange",
        says="of which this check does not know how it is named",
        remedy="add the type to NAMED or WITHOUT_NAME",
    ),
    Planted(
        "TAP-NAME-03",
        "processing",
        put("ProcessorRole", "RoleName", sub("role-trading-processor-${EnvironmentSuffix}")),
        logical_id="ProcessorRole",
        says="which processing ProcessorRole in us-east-1 already is",
        remedy="put the region into the name",
    ),
    Planted(
        "TAP-NAME-03",
        "bus",
        put(
            "HeartbeatQueue",
            "QueueName",
            sub("queue-trading-processing-failed-${EnvironmentSuffix}"),
        ),
        logical_id="HeartbeatQueue",
        says="which processing FailedQueue",
    ),
    Planted(
        "TAP-NAME-04",
        "endpoint",
        put(
            "TradingIngestionAlarm",
            "AlarmName",
            sub("alarm-trading-${IngestionLatencyMs}ms-60s-${EnvironmentSuffix}"),
        ),
        logical_id="TradingIngestionAlarm",
        path="/Properties/AlarmName",
        says="does not carry EvaluationPeriods",
        remedy="put EvaluationPeriods into AlarmName",
    ),
)
SUFFIXES = (
    Planted(
        "TAP-NAME-06",
        "bus",
        parameter("EnvironmentSuffix", AllowedPattern="^[a-z0-9-]{1,12}$"),
        logical_id="HeartbeatLostQueue",
        path="/Properties/QueueName",
        says="is called queue-trading-heartbeat-lost-dev in the environment 'dev', which "
        "queue-trading-heartbeat is called too, in the environment 'lost-dev', in both regions",
        remedy="let AllowedPattern of EnvironmentSuffix admit no dash",
    ),
    Planted(
        "TAP-NAME-06",
        "bus",
        parameter("EnvironmentSuffix", AllowedPattern=None, MaxLength=6),
        logical_id="HeartbeatLostQueue",
        says="is called queue-trading-heartbeat-lost-d in the environment 'd'",
    ),
)
PLANTED = (*REFERENCES, *DIMENSIONS, *NAMES, *SUFFIXES)
