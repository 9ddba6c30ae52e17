"""Faults in state machines: each in a machine that is sound apart from it."""

from unit.invariants.machine_plants import (
    DEFINITION,
    LIVE,
    alarm,
    machine,
    planted,
    planted_with,
    state,
)
from unit.invariants.planted import Planted, arn, sub
from unit.invariants.planted_in_machine_paths import (
    KNOWN,
    PATHS,
    READS_DETAIL,
    READS_NOTHING,
    ruled,
    selecting,
)


def _unheard(plant):
    says = "tells nobody of a run that fails: no alarm of its region on ExecutionsFailed"
    return Planted("TAP-ASL-12", "processing", plant, logical_id="Runs", says=says)


_TEXT = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
_LOGGED = {"Level": "ALL", "IncludeExecutionData": False}
_GROUP = {"LogGroupArn": {"Fn::GetAtt": ["RunsLog", "Arn"]}}
_THERE = [{"CloudWatchLogsLogGroup": _GROUP}]
_ELSEWHERE = [{"CloudWatchLogsLogGroup": {"LogGroupArn": arn("logs", "log-group:/x:*")}}]

READABLE = (
    planted_with(
        "TAP-ASL-01",
        "is defined by DefinitionString",
        "as an object, into Definition",
        "/Properties/DefinitionString",
        Definition=None,
        DefinitionString=_TEXT,
    ),
    planted_with("TAP-ASL-01", "is no JSON", Definition=None, DefinitionString="{"),
    planted_with(
        "TAP-ASL-01",
        "is defined by DefinitionS3Location",
        Definition=None,
        DefinitionS3Location={"Bucket": "b", "Key": "k"},
    ),
    planted_with("TAP-ASL-01", "has no definition that can be read", Definition=None),
    planted_with("TAP-ASL-01", "has no states", path=DEFINITION, Definition={"StartAt": "A"}),
    planted("TAP-ASL-01", state("Done", Type="Success"), "no type that is known", "/States/Done"),
    planted("TAP-ASL-01", state("Both", Branches=[]), "has no branches", "/States/Both"),
    planted("TAP-ASL-01", state("Both", Type="Map"), "has no states", "/States/Both/Iterator"),
)
GRAPH = (
    planted(
        "TAP-ASL-02",
        state("Check", Next="Nowhere"),
        "from 'Check' to 'Nowhere'",
        "/States/Check/Next",
    ),
    planted("TAP-ASL-02", state("Known", Default="X"), "to 'X'", "/States/Known/Default"),
    planted(
        "TAP-ASL-02",
        state("Known", Choices=[{"Variable": "$.a", "IsNull": True, "Next": "X"}]),
        "from 'Known' to 'X'",
        "/States/Known/Choices/0/Next",
    ),
    planted(
        "TAP-ASL-02",
        state("Both", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "X"}]),
        "from 'Both' to 'X'",
        "/States/Both/Catch/0/Next",
    ),
    planted(
        "TAP-ASL-02",
        state("0.One", End=None, Next="Done"),
        "to 'Done', which is no state of the same flow",
        "/States/Both/Branches/0/States/One/Next",
        "a branch is left by its end only",
    ),
    planted("TAP-ASL-02", lambda d: d.update(StartAt="X"), "begins with 'X'", "/StartAt"),
    planted("TAP-ASL-03", state("Lost", Type="Succeed"), "the state 'Lost'", "/States/Lost"),
    planted(
        "TAP-ASL-04",
        state("Undone", Type="Pass", Error=None, Next="Undo"),
        "no way to an end from 'Undo'",
        "/States/Undo",
    ),
    planted("TAP-ASL-04", state("0.One", End=None), "end from 'One'"),
    planted(
        "TAP-ASL-05",
        lambda d: (
            d["States"]["Both"]["Branches"].reverse()
            or d["States"]["Both"]["Branches"].append(d["States"]["Both"]["Branches"][0])
        ),
        "two states called 'Other'",
        "/States/Both/Branches/2/States/Other",
    ),
)
ENDINGS = (
    planted(
        "TAP-ASL-06",
        state("Undone", Type="Succeed", Error=None),
        "can end well at 'Undone' after 'Check' has failed",
        "/States/Check/Catch/0/Next",
        "'Recovers:' and the reason",
    ),
    planted(
        "TAP-ASL-06", state("Undo", Next="Done"), "can end well at 'Done' after 'Both' has failed"
    ),
    planted(
        "TAP-ASL-06",
        lambda d: [
            state("0.One", Catch=[{"ErrorEquals": ["E"], "Next": "Calm"}])(d),
            state("0.Calm", Type="Pass", End=True)(d),
        ],
        "can end well at 'Calm' after 'One'",
        "/States/Both/Branches/0/States/One/Catch/0/Next",
    ),
)
TASKS = (
    planted(
        "TAP-ASL-07",
        state("Undo", TimeoutSeconds=None),
        "waits for the task 'Undo' as long as it takes",
        "/States/Undo",
        "set TimeoutSeconds",
    ),
    planted(
        "TAP-ASL-08",
        state("Check", TimeoutSeconds=10),
        "gives up 'Check' after 10 s, while ProcessorFunction may run for 10 s",
        "/States/Check",
        "more than 10",
    ),
    planted(
        "TAP-ASL-08",
        state("1.Other", TimeoutSeconds=None, TimeoutSecondsPath="$.t"),
        "gives up 'Other' after $.t s",
    ),
    planted(
        "TAP-ASL-08",
        state("Check", TimeoutSeconds=9, Resource=LIVE),
        "gives up 'Check' after 9 s",
    ),
    planted(
        "TAP-ASL-08",
        state("Check", TimeoutSeconds=9, Parameters={"FunctionName": {"Ref": "ProcessorFunction"}}),
        "ProcessorFunction may run for 10 s",
    ),
    planted(
        "TAP-ASL-08",
        state("Check", Parameters={"FunctionName": arn("lambda", "function:nobodys")}),
        "function:nobodys in 'Check', which no stack",
    ),
    planted(
        "TAP-ASL-08",
        state("Check", Parameters={"FunctionName.$": "$.name"}),
        "invokes a function named at run time",
    ),
    planted(
        "TAP-ASL-09",
        state("Check", Retry=None),
        "does not try 'Check' again",
        "/States/Check",
        "'No retry:' and the reason",
    ),
    planted("TAP-ASL-09", state("Check", Retry=[], Comment="No retry: "), "try 'Check' again"),
    planted(
        "TAP-ASL-09",
        state("Check", Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 0}]),
        "does not try 'Check' again",
    ),
    planted(
        "TAP-ASL-09", state("Undo", Catch=None), "what 'Undo' fails with", remedy="'No catch:'"
    ),
    planted(
        "TAP-ASL-09",
        state("Undo", Catch=None, Comment="No retry: x"),
        "does not catch what 'Undo'",
    ),
    planted(
        "TAP-ASL-09",
        lambda d: [state("Both", Catch=None)(d), state("0.One", Comment=None)(d)],
        "does not catch what 'One'",
    ),
)
HANDLERS = (
    planted(
        "TAP-ASL-15",
        state("Check", Retry=[{"ErrorEquals": ["Lambda.ServiceException"]}]),
        "gives up 'Check' when ProcessorFunction is asleep",
        "/States/Check",
        "retry Lambda.SnapStartNotReadyException",
    ),
    planted(
        "TAP-ASL-10",
        state("Check", Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]),
        "has States.ALL beside or before other errors in Retry of 'Check'",
        "/States/Check/Retry/0",
    ),
    planted(
        "TAP-ASL-10",
        state("Both", Catch=[{"ErrorEquals": ["E", "States.ALL"], "Next": "Undo"}]),
        "beside or before other errors in Catch of 'Both'",
        "/States/Both/Catch/0",
    ),
    planted(
        "TAP-ASL-10", state("Check", Retry=[{"ErrorEquals": []}]), "Retry in 'Check' for no error"
    ),
    planted(
        "TAP-ASL-10",
        state("Check", Retry=[{"ErrorEquals": ["E"]}, {"ErrorEquals": ["F", "E"]}]),
        "names E twice in Retry of 'Check'",
        "/States/Check/Retry/1",
    ),
    planted(
        "TAP-ASL-11",
        state("Check", Retry=[{"ErrorEquals": ["States.TimeOut"]}]),
        "waits in Retry of 'Check' for States.TimeOut",
        "/States/Check/Retry/0",
    ),
)
RUNS = (
    _unheard(machine(alarmed=())),
    _unheard(alarm(Threshold=1)),
    _unheard(alarm(Statistic="Maximum")),
    _unheard(alarm(Namespace="AWS/Lambda")),
    _unheard(alarm(EvaluationPeriods=3)),
    _unheard(alarm(ActionsEnabled=False)),
    _unheard(alarm(TreatMissingData="ignore")),
    _unheard(alarm(TreatMissingData="breaching")),
    _unheard(alarm(AlarmActions=[arn("sns", "nobodys")])),
    _unheard(alarm(**{"Dimensions.0.Value": arn("states", "stateMachine:other")})),
    _unheard(alarm(**{"Dimensions.0.Name": "ActivityArn"})),
    planted(
        "TAP-ASL-12",
        lambda d: d.update(TimeoutSeconds=60),
        "is cut off by its TimeoutSeconds: no alarm of its region on ExecutionsTimedOut",
    ),
    planted_with("TAP-ASL-13", "logs at level OFF", "set Level to ALL", LoggingConfiguration=None),
    planted_with(
        "TAP-ASL-13",
        "logs at level ERROR",
        LoggingConfiguration=_LOGGED | {"Level": "ERROR", "Destinations": _THERE},
    ),
    planted_with(
        "TAP-ASL-13",
        "logs the data of every state",
        LoggingConfiguration=_LOGGED | {"IncludeExecutionData": True, "Destinations": _THERE},
    ),
    planted_with("TAP-ASL-13", "logs to nowhere", LoggingConfiguration=_LOGGED),
    planted_with(
        "TAP-ASL-13",
        "log-group:/x:*, which no stack of the system makes",
        LoggingConfiguration=_LOGGED | {"Destinations": _ELSEWHERE},
    ),
    planted_with("TAP-ASL-13", "is not traced", TracingConfiguration={"Enabled": False}),
)
PLANTED = (*READABLE, *GRAPH, *ENDINGS, *TASKS, *HANDLERS, *RUNS, *PATHS)

_BOUNDED = machine(
    lambda d: d.update(TimeoutSeconds=60), alarmed=("ExecutionsFailed", "ExecutionsTimedOut")
)
SOUND = {
    "as it is": machine(),
    "with a bound, and an alarm on it": _BOUNDED,
    "recovering by the state that failed": machine(
        lambda d: [
            state("Check", Comment="Recovers: it is tried again later")(d),
            state("Both", Comment="Recovers: so is this")(d),
            state("Undo", Comment="Recovers: and this", Next="Done")(d),
        ]
    ),
    "recovering by the state that takes over": machine(
        state("Undo", Comment="Recovers: nothing was lost", Next="Done")
    ),
    "no retry and no catch for a reason": machine(
        state("Check", Comment="No retry, no catch: it only reads", Retry=[], Catch=[])
    ),
    "a heartbeat for a timeout": machine(state("Check", TimeoutSeconds=None, HeartbeatSeconds=30)),
    "a function by its name and alias": machine(
        state(
            "Check",
            Parameters={
                "FunctionName": sub("function-trading-processor-${EnvironmentSuffix}:live")
            },
        )
    ),
    "a call of AWS": machine(
        state(
            "Check", Resource="arn:aws:states:::aws-sdk:rds:describeGlobalClusters", Parameters={}
        )
    ),
    "reading what was put on every way": machine(
        selecting(
            state("Known", Choices=[{"Variable": "$.checked.known", **KNOWN}]),
            state("Both", ResultSelector={"first.$": "$[0].Payload"}, ResultPath="$.both"),
        )
    ),
    "asking whether it is there": machine(
        selecting(
            state(
                "Known",
                Choices=[
                    {
                        "And": [
                            {"Variable": "$.checked.why", "IsPresent": True},
                            {"Variable": "$.checked.why", "StringEquals": "x"},
                        ],
                        "Next": "Done",
                    }
                ],
            )
        )
    ),
    "going round": machine(
        lambda d: [
            state("Known", Default="Again")(d),
            state("Again", Type="Wait", Seconds=1, Next="Check")(d),
            state("Known", Choices=[{"Variable": "$.n", "NumericEquals": 1, "Next": "Both"}])(d),
            state("Check", ResultPath="$.previous")(d),
        ]
    ),
    "selecting many, and what is known at run time": machine(
        state(
            "Check",
            Parameters={
                "FunctionName": LIVE,
                "Payload": {"all.$": "$.items[*].id", "name.$": "$$.Execution.Name"},
            },
        )
    ),
    "started by a rule, and reading the event": ruled(READS_DETAIL),
    "started by a rule that gives it something else": ruled(READS_NOTHING, InputPath="$.detail"),
    "retrying everything, so one that is asleep": machine(
        state("Check", Retry=[{"ErrorEquals": ["States.TaskFailed"]}])
    ),
    "an alarm from one on": alarm(
        ComparisonOperator="GreaterThanOrEqualToThreshold", Threshold="1"
    ),
}
"""What is no fault in a machine, however near it comes to one."""
