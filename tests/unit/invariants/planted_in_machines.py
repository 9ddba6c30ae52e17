"""Faults in state machines: each in a machine that is sound apart from it."""

import copy

from unit.invariants.planted import Planted, add, arn, put, sub

_INVOKE = sub("arn:${AWS::Partition}:states:::lambda:invoke")
_LIVE = arn("lambda", "function:function-trading-processor-${EnvironmentSuffix}:live")
_NAME = "machine-runs-${EnvironmentSuffix}"
_DEFINITION = "/Properties/Definition"
_CAUGHT = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error"}


def _task(**more):
    return {
        "Type": "Task",
        "Resource": _INVOKE,
        "Parameters": {"FunctionName": _LIVE, "Payload": {"id.$": "$.id"}},
        "TimeoutSeconds": 15,
        "Retry": [{"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 2}],
        "Catch": [_CAUGHT | {"Next": "Undo"}],
        **more,
    }


def _definition():
    branch = _task(Comment="No catch: the whole is undone", End=True)
    return {
        "StartAt": "Check",
        "States": {
            "Check": _task(Next="Known"),
            "Known": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.known", "BooleanEquals": True, "Next": "Done"}],
                "Default": "Both",
            },
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": "One", "States": {"One": branch | {"Catch": []}}},
                    {"StartAt": "Other", "States": {"Other": branch | {"Catch": []}}},
                ],
                "Catch": [_CAUGHT | {"Next": "Undo"}],
                "Next": "Done",
            },
            "Done": {"Type": "Succeed"},
            "Undo": _task(
                Next="Undone",
                Catch=[_CAUGHT | {"Next": "Undone"}],
            ),
            "Undone": {"Type": "Fail", "Error": "Undone"},
        },
    }


def machine(edit=lambda _: None, *, alarmed=("ExecutionsFailed",), **properties):
    """Add a machine to a template: `edit` changes its definition, `properties` the resource."""

    def plant(template):
        definition = copy.deepcopy(_definition())
        edit(definition)
        add("RunsLog", "AWS::Logs::LogGroup", LogGroupName=sub(f"/aws/vendedlogs/{_NAME}"))(
            template
        )
        destination = {"LogGroupArn": {"Fn::GetAtt": ["RunsLog", "Arn"]}}
        body = {
            "StateMachineName": sub(_NAME),
            "RoleArn": {"Fn::GetAtt": ["ProcessorRole", "Arn"]},
            "Definition": definition,
            "LoggingConfiguration": {
                "Destinations": [{"CloudWatchLogsLogGroup": destination}],
                "IncludeExecutionData": False,
                "Level": "ALL",
            },
            "TracingConfiguration": {"Enabled": True},
        }
        given = {key: value for key, value in (body | properties).items() if value is not None}
        add("Runs", "AWS::StepFunctions::StateMachine", **given)(template)
        alike = template["Resources"]["FailedNotEmptyAlarm"]["Properties"]
        for metric in alarmed:
            alarm = alike | {
                "AlarmName": sub(f"alarm-{metric.lower()}-${{EnvironmentSuffix}}"),
                "Namespace": "AWS/States",
                "MetricName": metric,
                "Statistic": "Sum",
                "Dimensions": [{"Name": "StateMachineArn", "Value": {"Ref": "Runs"}}],
            }
            add(f"{metric}Alarm", "AWS::CloudWatch::Alarm", **alarm)(template)

    return plant


def state(name, **changes):
    """Change a state, in a branch if its name has a dot; None takes a key away."""

    def edit(definition):
        *around, last = name.split(".")
        states = definition["States"]
        for each in around:
            states = states["Both"]["Branches"][int(each)]["States"]
        body = states.setdefault(last, {})
        body.update(changes)
        for key in [key for key, value in changes.items() if value is None]:
            del body[key]

    return edit


def alarm(**changes):
    """Change the alarm on failed runs."""

    def plant(template):
        machine()(template)
        for key, value in changes.items():
            put("ExecutionsFailedAlarm", key, value)(template)

    return plant


def _in(code, edit, says, path=None, remedy="", **properties):
    return Planted(
        code,
        "processing",
        machine(edit, **properties),
        logical_id="Runs",
        says=says,
        remedy=remedy,
        path=None if path is None else f"{_DEFINITION}{path}",
    )


def _with(code, says, remedy="", path=None, **properties):
    planted = machine(**properties)
    return Planted(
        code, "processing", planted, logical_id="Runs", says=says, remedy=remedy, path=path
    )


def _unheard(plant):
    says = "tells nobody of a run that fails: no alarm of its region on ExecutionsFailed"
    return Planted("TAP-ASL-12", "processing", plant, logical_id="Runs", says=says)


def _nothing(_definition):
    """Leave the definition as it is."""


_TEXT = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
_LOGGED = {"Level": "ALL", "IncludeExecutionData": False}
_GROUP = {"LogGroupArn": {"Fn::GetAtt": ["RunsLog", "Arn"]}}
_THERE = [{"CloudWatchLogsLogGroup": _GROUP}]
_ELSEWHERE = [{"CloudWatchLogsLogGroup": {"LogGroupArn": arn("logs", "log-group:/x:*")}}]

READABLE = (
    _with(
        "TAP-ASL-01",
        "is defined by DefinitionString",
        "as an object, into Definition",
        "/Properties/DefinitionString",
        Definition=None,
        DefinitionString=_TEXT,
    ),
    _with("TAP-ASL-01", "is no JSON", Definition=None, DefinitionString="{"),
    _with(
        "TAP-ASL-01",
        "is defined by DefinitionS3Location",
        Definition=None,
        DefinitionS3Location={"Bucket": "b", "Key": "k"},
    ),
    _with("TAP-ASL-01", "has no definition that can be read", Definition=None),
    _with("TAP-ASL-01", "has no states", path=_DEFINITION, Definition={"StartAt": "A"}),
    _in("TAP-ASL-01", state("Done", Type="Success"), "no type that is known", "/States/Done"),
    _in("TAP-ASL-01", state("Both", Branches=[]), "has no branches", "/States/Both"),
    _in("TAP-ASL-01", state("Both", Type="Map"), "has no states", "/States/Both/Iterator"),
)
GRAPH = (
    _in(
        "TAP-ASL-02",
        state("Check", Next="Nowhere"),
        "from 'Check' to 'Nowhere'",
        "/States/Check/Next",
    ),
    _in("TAP-ASL-02", state("Known", Default="X"), "to 'X'", "/States/Known/Default"),
    _in(
        "TAP-ASL-02",
        state("Known", Choices=[{"Variable": "$.a", "IsNull": True, "Next": "X"}]),
        "from 'Known' to 'X'",
        "/States/Known/Choices/0/Next",
    ),
    _in(
        "TAP-ASL-02",
        state("Both", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "X"}]),
        "from 'Both' to 'X'",
        "/States/Both/Catch/0/Next",
    ),
    _in(
        "TAP-ASL-02",
        state("0.One", End=None, Next="Done"),
        "to 'Done', which is no state of the same flow",
        "/States/Both/Branches/0/States/One/Next",
        "a branch is left by its end only",
    ),
    _in("TAP-ASL-02", lambda d: d.update(StartAt="X"), "begins with 'X'", "/StartAt"),
    _in("TAP-ASL-03", state("Lost", Type="Succeed"), "the state 'Lost'", "/States/Lost"),
    _in(
        "TAP-ASL-04",
        state("Undone", Type="Pass", Error=None, Next="Undo"),
        "no way to an end from 'Undo'",
        "/States/Undo",
    ),
    _in("TAP-ASL-04", state("0.One", End=None), "end from 'One'"),
    _in(
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
    _in(
        "TAP-ASL-06",
        state("Undone", Type="Succeed", Error=None),
        "can end well at 'Undone' after 'Check' has failed",
        "/States/Check/Catch/0/Next",
        "'Recovers:' and the reason",
    ),
    _in("TAP-ASL-06", state("Undo", Next="Done"), "can end well at 'Done' after 'Both' has failed"),
    _in(
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
    _in(
        "TAP-ASL-07",
        state("Undo", TimeoutSeconds=None),
        "waits for the task 'Undo' as long as it takes",
        "/States/Undo",
        "set TimeoutSeconds",
    ),
    _in(
        "TAP-ASL-08",
        state("Check", TimeoutSeconds=10),
        "gives up 'Check' after 10 s, while ProcessorFunction may run for 10 s",
        "/States/Check",
        "more than 10",
    ),
    _in(
        "TAP-ASL-08",
        state("1.Other", TimeoutSeconds=None, TimeoutSecondsPath="$.t"),
        "gives up 'Other' after $.t s",
    ),
    _in(
        "TAP-ASL-08",
        state("Check", TimeoutSeconds=9, Resource=_LIVE),
        "gives up 'Check' after 9 s",
    ),
    _in(
        "TAP-ASL-08",
        state("Check", TimeoutSeconds=9, Parameters={"FunctionName": {"Ref": "ProcessorFunction"}}),
        "ProcessorFunction may run for 10 s",
    ),
    _in(
        "TAP-ASL-08",
        state("Check", Parameters={"FunctionName": arn("lambda", "function:nobodys")}),
        "function:nobodys in 'Check', which no stack",
    ),
    _in(
        "TAP-ASL-08",
        state("Check", Parameters={"FunctionName.$": "$.name"}),
        "invokes a function named at run time",
    ),
    _in(
        "TAP-ASL-09",
        state("Check", Retry=None),
        "does not try 'Check' again",
        "/States/Check",
        "'No retry:' and the reason",
    ),
    _in("TAP-ASL-09", state("Check", Retry=[], Comment="No retry: "), "try 'Check' again"),
    _in(
        "TAP-ASL-09",
        state("Check", Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 0}]),
        "does not try 'Check' again",
    ),
    _in("TAP-ASL-09", state("Undo", Catch=None), "what 'Undo' fails with", remedy="'No catch:'"),
    _in(
        "TAP-ASL-09",
        state("Undo", Catch=None, Comment="No retry: x"),
        "does not catch what 'Undo'",
    ),
    _in(
        "TAP-ASL-09",
        lambda d: [state("Both", Catch=None)(d), state("0.One", Comment=None)(d)],
        "does not catch what 'One'",
    ),
)
HANDLERS = (
    _in(
        "TAP-ASL-10",
        state("Check", Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]),
        "has States.ALL beside or before other errors in Retry of 'Check'",
        "/States/Check/Retry/0",
    ),
    _in(
        "TAP-ASL-10",
        state("Both", Catch=[{"ErrorEquals": ["E", "States.ALL"], "Next": "Undo"}]),
        "beside or before other errors in Catch of 'Both'",
        "/States/Both/Catch/0",
    ),
    _in("TAP-ASL-10", state("Check", Retry=[{"ErrorEquals": []}]), "Retry in 'Check' for no error"),
    _in(
        "TAP-ASL-10",
        state("Check", Retry=[{"ErrorEquals": ["E"]}, {"ErrorEquals": ["F", "E"]}]),
        "names E twice in Retry of 'Check'",
        "/States/Check/Retry/1",
    ),
    _in(
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
    _in(
        "TAP-ASL-12",
        lambda d: d.update(TimeoutSeconds=60),
        "is cut off by its TimeoutSeconds: no alarm of its region on ExecutionsTimedOut",
    ),
    _with("TAP-ASL-13", "logs at level OFF", "set Level to ALL", LoggingConfiguration=None),
    _with(
        "TAP-ASL-13",
        "logs at level ERROR",
        LoggingConfiguration=_LOGGED | {"Level": "ERROR", "Destinations": _THERE},
    ),
    _with(
        "TAP-ASL-13",
        "logs the data of every state",
        LoggingConfiguration=_LOGGED | {"IncludeExecutionData": True, "Destinations": _THERE},
    ),
    _with("TAP-ASL-13", "logs to nowhere", LoggingConfiguration=_LOGGED),
    _with(
        "TAP-ASL-13",
        "log-group:/x:*, which no stack of the system makes",
        LoggingConfiguration=_LOGGED | {"Destinations": _ELSEWHERE},
    ),
    _with("TAP-ASL-13", "is not traced", TracingConfiguration={"Enabled": False}),
)
_SELECTED = {"ResultSelector": {"known.$": "$.Payload.known"}, "ResultPath": "$.checked"}
_KNOWN = {"BooleanEquals": True, "Next": "Done"}
_MAPPED = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "ItemSelector": {"one.$": "$$.Map.Item.Value"},
    "ItemProcessor": {
        "StartAt": "Each",
        "States": {"Each": _task(Parameters={"FunctionName": _LIVE, "Payload.$": "$.two"})},
    },
}
_STARTED_BY_A_RULE = {
    "EventPattern": {"source": ["runs"]},
    "Targets": [{"Id": "Runs", "Arn": {"Ref": "Runs"}}],
}


def _unput(edit, path, state_name, place):
    says = f"reads {path} in {state_name!r}, where nothing is put on one of the ways to it"
    return _in("TAP-ASL-14", edit, says, place, "keep what it reads by ResultPath")


def _selecting(*edits):
    """Have Check keep what is known, before other edits."""
    return lambda definition: [each(definition) for each in (state("Check", **_SELECTED), *edits)]


def ruled(edit, **target):
    """Start the machine by a rule."""

    def plant(template):
        machine(edit)(template)
        targets = [_STARTED_BY_A_RULE["Targets"][0] | target]
        add("Starts", "AWS::Events::Rule", **_STARTED_BY_A_RULE | {"Targets": targets})(template)

    return plant


_READS_DETAIL = state("Check", Parameters={"FunctionName": _LIVE, "Payload.$": "$.detail"})
_READS_NOTHING = state("Check", Parameters={"FunctionName": _LIVE, "Payload.$": "$.details"})

PATHS = (
    _unput(
        _selecting(state("Known", Choices=[{"Variable": "$.checked.knwon", **_KNOWN}])),
        "$.checked.knwon",
        "Known",
        "/States/Known/Choices/0/Variable",
    ),
    _unput(
        _selecting(
            state(
                "Known",
                Choices=[{"And": [{"Not": {"Variable": "$.checked.a", "IsNull": True}}], **_KNOWN}],
            )
        ),
        "$.checked.a",
        "Known",
        "/States/Known/Choices/0/And/0/Not/Variable",
    ),
    _unput(  # what is caught takes the place of all data
        state("Both", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Undo"}]),
        "$.id",
        "Undo",
        "/States/Undo/Parameters/Payload/id.$",
    ),
    _unput(  # put on the way past Both alone
        _selecting(
            state("Check", ResultPath="$"),
            state("Both", ResultPath="$.both"),
            state("Done", Type="Pass", Parameters={"x.$": "$.both"}, End=True),
        ),
        "$.both",
        "Done",
        "/States/Done/Parameters/x.$",
    ),
    _unput(
        state("Both", ResultSelector={"second.$": "$[2].id"}),
        "$[2].id",
        "Both",
        "/States/Both/ResultSelector/second.$",
    ),
    _unput(
        _selecting(
            state("Check", ResultPath="$"),
            state(
                "0.One",
                Parameters={"Payload.$": "States.StringToJson($.raw)", "FunctionName": _LIVE},
            ),
        ),
        "$.raw",
        "One",
        "/States/Both/Branches/0/States/One/Parameters/Payload.$",
    ),
    _unput(
        lambda d: d["States"].update(Done=_MAPPED | {"End": True}),
        "$.two",
        "Each",
        "/States/Done/ItemProcessor/States/Each/Parameters/Payload.$",
    ),
    _unput(
        lambda d: [
            state("Done", Type="Pass", Result={"a": 1}, Next="Wait")(d),
            state("Wait", Type="Wait", SecondsPath="$.b", End=True)(d),
        ],
        "$.b",
        "Wait",
        "/States/Wait/SecondsPath",
    ),
    Planted(
        "TAP-ASL-14",
        "processing",
        ruled(_READS_NOTHING),
        logical_id="Runs",
        says="reads $.details in 'Check'",
    ),
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
        _selecting(
            state("Known", Choices=[{"Variable": "$.checked.known", **_KNOWN}]),
            state("Both", ResultSelector={"first.$": "$[0].Payload"}, ResultPath="$.both"),
        )
    ),
    "asking whether it is there": machine(
        _selecting(
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
                "FunctionName": _LIVE,
                "Payload": {"all.$": "$.items[*].id", "name.$": "$$.Execution.Name"},
            },
        )
    ),
    "started by a rule, and reading the event": ruled(_READS_DETAIL),
    "started by a rule that gives it something else": ruled(_READS_NOTHING, InputPath="$.detail"),
    "an alarm from one on": alarm(
        ComparisonOperator="GreaterThanOrEqualToThreshold", Threshold="1"
    ),
}
"""What is no fault in a machine, however near it comes to one."""
