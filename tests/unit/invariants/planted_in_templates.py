"""Faults in what a template says whatever region it is in."""

from unit.invariants.planted import (
    Planted,
    attribute,
    ignoring,
    parameter,
    put,
    sub,
)


def _interface(template):
    return template["Metadata"]["AWS::CloudFormation::Interface"]


def _label_gone(template):
    del _interface(template)["ParameterLabels"]["StandbyRule"]


def _in_two_groups(template):
    _interface(template)["ParameterGroups"][0]["Parameters"].append("StandbyRule")


def _many(section, count, body):
    return lambda template: template.setdefault(section, {}).update(
        {f"Extra{number}": body for number in range(count)}
    )


PARAMETERS = (
    Planted(
        "TAP-PAR-01",
        "bus",
        parameter("StandbyRule", Description=None, ConstraintDescription=""),
        path="/Parameters/StandbyRule",
        says="parameter StandbyRule has no Description and no ConstraintDescription",
        remedy="declare it as a StackParameter",
    ),
    Planted(
        "TAP-PAR-02",
        "bus",
        parameter("StandbyRule", AllowedValues=None),
        path="/Parameters/StandbyRule",
        says="parameter StandbyRule takes any value",
        remedy="give it one of AllowedPattern, AllowedValues, MinValue",
    ),
    Planted("TAP-PAR-03", "bus", _label_gone, says="parameter StandbyRule has no label"),
    Planted(
        "TAP-PAR-03",
        "bus",
        _in_two_groups,
        path="/Metadata/AWS::CloudFormation::Interface",
        says="parameter StandbyRule is in 2 groups",
        remedy="leave the form to the build stage",
    ),
    Planted(
        "TAP-PAR-03",
        "bus",
        lambda t: _interface(t)["ParameterGroups"][0]["Parameters"].append("Gone"),
        says="parameter Gone is in the form, but the template does not declare it",
    ),
)
VALUES = (
    Planted(
        "TAP-PAR-04",
        "processing",
        parameter("CodeKey", AllowedPattern="^packages/[a-z-]+[.]zip$"),
        path="/Parameters/CodeKey",
        says="parameter CodeKey refuses 'packages/trading-processor-",
        remedy="correct the value in the system module, or what the parameter allows",
    ),
    Planted(
        "TAP-PAR-04",
        "processing",
        parameter("CodeSha256", AllowedPattern="^[0-9a-f]{64}$"),
        path="/Parameters/CodeSha256",
        says="its AllowedPattern is ^[0-9a-f]{64}$, in both regions",
    ),
    Planted(
        "TAP-PAR-04",
        "alerts",
        parameter("AlarmEmail", AllowedPattern="^[a-z]+@example[.]com$"),
        path="/Parameters/AlarmEmail",
        says="refuses 'trading-alarms@example.com', which it is given",
    ),
    Planted(
        "TAP-PAR-04",
        "table",
        parameter("WitnessRegion", AllowedPattern="^eu-[a-z]+-[0-9]$"),
        path="/Parameters/WitnessRegion",
        says="refuses 'us-east-2', which it is given",
    ),
    Planted(
        "TAP-PAR-04",
        "table",
        parameter("WitnessRegion", AllowedPattern="us-east"),
        path="/Parameters/WitnessRegion",
        says="its AllowedPattern is us-east",
    ),
    Planted(
        "TAP-PAR-04",
        "table",
        parameter("WitnessRegion", AllowedPattern="(["),
        path="/Parameters/WitnessRegion",
        says="cannot be read",
    ),
    Planted(
        "TAP-PAR-04",
        "monitoring",
        parameter("HealthMetricsRegion", AllowedValues=["us-west-2"]),
        path="/Parameters/HealthMetricsRegion",
        says="its AllowedValues are us-west-2",
    ),
    Planted(
        "TAP-PAR-04",
        "bus",
        parameter("StandbyRule", Default="both"),
        path="/Parameters/StandbyRule/Default",
        says="parameter StandbyRule refuses its own default 'both': its AllowedValues are claim",
        remedy="correct the default",
    ),
    Planted(
        "TAP-PAR-04",
        "endpoint",
        parameter("UnhealthyMinutes", Default=6),
        path="/Parameters/UnhealthyMinutes/Default",
        says="refuses its own default '6': its MaxValue is 5",
    ),
    Planted(
        "TAP-PAR-04",
        "endpoint",
        parameter("UnhealthyMinutes", Default=0),
        path="/Parameters/UnhealthyMinutes/Default",
        says="its MinValue is 1",
    ),
    Planted(
        "TAP-PAR-04",
        "endpoint",
        parameter("UnhealthyMinutes", Default="five"),
        path="/Parameters/UnhealthyMinutes/Default",
        says="it is a number",
    ),
    Planted(
        "TAP-PAR-04",
        "bus",
        parameter("EnvironmentSuffix", MaxLength=2),
        path="/Parameters/EnvironmentSuffix/Default",
        says="its MaxLength is 2",
    ),
    Planted(
        "TAP-PAR-04",
        "bus",
        parameter("EnvironmentSuffix", MinLength=4),
        path="/Parameters/EnvironmentSuffix/Default",
        says="its MinLength is 4",
    ),
)
OUTPUTS = (
    Planted(
        "TAP-OUT-01",
        "bus",
        lambda t: t["Outputs"]["BusArn"].pop("Description"),
        path="/Outputs/BusArn",
        says="output BusArn has no description",
        remedy="declare it with StackTemplate.output",
    ),
    Planted(
        "TAP-OUT-01",
        "bus",
        lambda t: t["Outputs"]["BusArn"].pop("Export"),
        says="output BusArn is not exported",
    ),
    Planted(
        "TAP-OUT-01",
        "bus",
        lambda t: t["Outputs"]["BusArn"].update(Export={"Name": "bus-arn"}),
        says="without the environment suffix",
    ),
    Planted(
        "TAP-OUT-02",
        "bus",
        lambda t: t["Outputs"]["BusArn"].update(
            Export={"Name": sub("trading-events-bus-BusName-${EnvironmentSuffix}-${AWS::Region}")}
        ),
        says="as bus.BusArn already is, in both regions",
        remedy="rename one of the outputs",
    ),
    Planted(
        "TAP-OUT-03",
        "bus",
        lambda t: t.pop("Outputs"),
        says="has no outputs",
        remedy="add stack.output",
    ),
)
LITERALS = (
    Planted(
        "TAP-LIT-01",
        "endpoint",
        put("TradingEndpoint", "RoutingConfig.FailoverConfig.Secondary.Route", "us-west-2"),
        logical_id="TradingEndpoint",
        path="/Properties/RoutingConfig/FailoverConfig/Secondary/Route",
        says="is bound to the region us-west-2",
        remedy="use AWS::Region",
    ),
    Planted(
        "TAP-LIT-01",
        "endpoint",
        lambda t: t.update(Mappings={"Peers": {"eu-central-1": {"Peer": "x"}}}),
        path="/Mappings/Peers/eu-central-1",
        says="is bound to the region eu-central-1",
    ),
    Planted(
        "TAP-LIT-01",
        "monitoring",
        parameter("HealthMetricsRegion", Default="us-gov-west-1"),
        path="/Parameters/HealthMetricsRegion/Default",
        says="us-gov-west-1",
    ),
    Planted(
        "TAP-LIT-02",
        "processing",
        put("ProcessorFunction", "Environment.Variables.PEER", "123456789012"),
        logical_id="ProcessorFunction",
        path="/Properties/Environment/Variables/PEER",
        says="is bound to the account 123456789012",
        remedy="use AWS::AccountId",
    ),
    Planted(
        "TAP-LIT-03",
        "processing",
        put("ProcessorFunction", "Environment.Variables.PEER", "arn:aws:s3:::elsewhere"),
        logical_id="ProcessorFunction",
        says="is bound to the partition in arn:aws:",
        remedy="use AWS::Partition",
    ),
)
LIMITS = (
    Planted(
        "TAP-LIM-01",
        "bus",
        _many("Resources", 500, {"Type": "AWS::SNS::Topic", "Properties": {}}),
        path="/Resources",
        says="resources, CloudFormation allows 500",
        remedy="split the stack",
    ),
    Planted(
        "TAP-LIM-01",
        "bus",
        _many("Parameters", 200, {"Type": "String", "Default": "x"}),
        path="/Parameters",
        says="parameters, CloudFormation allows 200",
    ),
    Planted(
        "TAP-LIM-01",
        "bus",
        _many("Outputs", 200, {"Value": "x"}),
        path="/Outputs",
        says="outputs, CloudFormation allows 200",
    ),
    Planted(
        "TAP-LIM-01",
        "bus",
        lambda t: t.update(Description="x" * 1025),
        path="/Description",
        says="has 1025 bytes of description, CloudFormation allows 1024",
        remedy="shorten the description",
    ),
    Planted(
        "TAP-LIM-02",
        "bus",
        put("TradingBus", "Description", "x" * 1_000_000),
        says="CloudFormation takes 1,000,000 from a bucket",
        remedy="split the stack",
    ),
)
IGNORED = (
    Planted(
        "TAP-IGN-01",
        "bus",
        attribute("TradingBus", "Metadata", ignoring("W3045")),
        logical_id="TradingBus",
        path="/Metadata/cfn-lint/config/ignore_checks",
        says="ignores lint rule W3045 without saying why",
        remedy="tap.ignore_reasons",
    ),
    Planted(
        "TAP-IGN-01",
        "bus",
        attribute(
            "TradingBus",
            "Metadata",
            ignoring("W3045", **{"tap.ignore_reasons": {"W3045": "because", "E1": "gone"}}),
        ),
        logical_id="TradingBus",
        says="gives a reason for ignoring lint rule E1, which it does not ignore",
        remedy="take the reason out",
    ),
    Planted(
        "TAP-IGN-02",
        "bus",
        lambda t: t["Metadata"].update(ignoring("W3045")),
        says="ignores lint rule W3045 for the whole template",
        remedy="ignore it on the one resource",
    ),
)
PLANTED = (*PARAMETERS, *VALUES, *OUTPUTS, *LITERALS, *LIMITS, *IGNORED)
