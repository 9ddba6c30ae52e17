"""Faults in which metrics are looked at: nothing is misspelt, and no datapoint ever comes."""

from unit.invariants.planted import Planted, add, drop, put, replace_text, sub

_RULE = {"Name": "RuleName", "Value": sub("rule-trading-events-to-processor-${EnvironmentSuffix}")}
_BUS = ',\\"EventBusName\\",\\"bus-trading-events-${EnvironmentSuffix}\\"'.replace("\\", "")


def _operation(name):
    def edit(template):
        dimensions = template["Resources"]["TableFailingAlarm"]["Properties"]["Dimensions"]
        next(each for each in dimensions if each["Name"] == "Operation")["Value"] = name

    return edit


def _health_alarm(template):
    """Watch the health check from a stack that is in both regions."""
    body = template["Resources"]["TableFailingAlarm"]["Properties"]
    changes = {
        "AlarmName": sub("alarm-trading-health-${EnvironmentSuffix}"),
        "Namespace": "AWS/Route53",
        "MetricName": "HealthCheckStatus",
        "Dimensions": [{"Name": "HealthCheckId", "Value": "12345678"}],
    }
    add("HealthAlarm", "AWS::CloudWatch::Alarm", **{**body, **changes})(template)


PUBLISHED = (
    Planted(
        "TAP-DIM-03",
        "bus",
        put("UndeliveredLostAlarm", "Dimensions", [_RULE]),
        logical_id="UndeliveredLostAlarm",
        path="/Properties/Dimensions",
        says="without EventBusName, which is a rule of the default bus; this one is on "
        "bus-trading-events-dev, in both regions",
        remedy="add the dimension EventBusName",
    ),
    Planted(
        "TAP-DIM-03",
        "monitoring",
        replace_text(_BUS, ""),
        logical_id="TradingDashboard",
        says="measures RuleName=rule-trading-events-to-processor-dev without EventBusName",
    ),
    Planted(
        "TAP-DIM-04",
        "processing",
        _operation("UpdateItem"),
        logical_id="TableFailingAlarm",
        path="/Properties/Dimensions",
        says="measures UpdateItem on table-trading-transactions-dev, which no role",
        remedy="dynamodb:UpdateItem is not",
    ),
    Planted(
        "TAP-DIM-04",
        "processing",
        _operation("ExecuteStatement"),
        logical_id="TableFailingAlarm",
        says="measures ExecuteStatement",
        remedy="dynamodb:PartiQLUpdate",
    ),
    Planted(
        "TAP-DIM-04",
        "processing",
        drop("ProcessorRole", "Policies"),
        logical_id="TableThrottledAlarm",
        says="measures PutItem",
    ),
    Planted(
        "TAP-DIM-05",
        "monitoring",
        replace_text("${HealthMetricsRegion}", "${AWS::Region}"),
        logical_id="TradingDashboard",
        says="looks for a metric of Route 53 in us-west-2, but Route 53 publishes in us-east-1",
        remedy="look at us-east-1",
    ),
    Planted(
        "TAP-DIM-05",
        "processing",
        _health_alarm,
        logical_id="HealthAlarm",
        path="/Properties/Dimensions",
        says="looks for a metric of Route 53 in us-west-2",
    ),
)
PLANTED = PUBLISHED
