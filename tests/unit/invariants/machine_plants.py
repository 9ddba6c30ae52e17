"""A sound machine in a template, and edits of it."""

import copy

from unit.invariants.planted import Planted, add, arn, put, sub

_INVOKE = sub("arn:${AWS::Partition}:states:::lambda:invoke")
LIVE = arn("lambda", "function:function-trading-processor-${EnvironmentSuffix}:live")
_NAME = "machine-runs-${EnvironmentSuffix}"
DEFINITION = "/Properties/Definition"
CAUGHT = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error"}


def task(**more):
    return {
        "Type": "Task",
        "Resource": _INVOKE,
        "Parameters": {"FunctionName": LIVE, "Payload": {"id.$": "$.id"}},
        "TimeoutSeconds": 15,
        "Retry": [
            {"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 2},
            {"ErrorEquals": ["Lambda.SnapStartNotReadyException"], "IntervalSeconds": 5},
        ],
        "Catch": [CAUGHT | {"Next": "Undo"}],
        **more,
    }


def _definition():
    branch = task(Comment="No catch: the whole is undone", End=True)
    return {
        "StartAt": "Check",
        "States": {
            "Check": task(Next="Known"),
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
                "Catch": [CAUGHT | {"Next": "Undo"}],
                "Next": "Done",
            },
            "Done": {"Type": "Succeed"},
            "Undo": task(
                Next="Undone",
                Catch=[CAUGHT | {"Next": "Undone"}],
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


def planted(code, edit, says, path=None, remedy="", **properties):
    return Planted(
        code,
        "processing",
        machine(edit, **properties),
        logical_id="Runs",
        says=says,
        remedy=remedy,
        path=None if path is None else f"{DEFINITION}{path}",
    )


def planted_with(code, says, remedy="", path=None, **properties):
    planted = machine(**properties)
    return Planted(
        code, "processing", planted, logical_id="Runs", says=says, remedy=remedy, path=path
    )
