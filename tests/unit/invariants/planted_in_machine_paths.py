"""Paths in state machines that lead to what no state has put there."""

from unit.invariants.machine_plants import LIVE, machine, planted, state, task
from unit.invariants.planted import Planted, add

_SELECTED = {"ResultSelector": {"known.$": "$.Payload.known"}, "ResultPath": "$.checked"}
KNOWN = {"BooleanEquals": True, "Next": "Done"}
_MAPPED = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "ItemSelector": {"one.$": "$$.Map.Item.Value"},
    "ItemProcessor": {
        "StartAt": "Each",
        "States": {"Each": task(Parameters={"FunctionName": LIVE, "Payload.$": "$.two"})},
    },
}
_STARTED_BY_A_RULE = {
    "EventPattern": {"source": ["runs"]},
    "Targets": [{"Id": "Runs", "Arn": {"Ref": "Runs"}}],
}


def _unput(edit, path, state_name, place):
    says = f"reads {path} in {state_name!r}, where nothing is put on one of the ways to it"
    return planted("TAP-ASL-14", edit, says, place, "keep what it reads by ResultPath")


def selecting(*edits):
    """Have Check keep what is known, before other edits."""
    return lambda definition: [each(definition) for each in (state("Check", **_SELECTED), *edits)]


def ruled(edit, **target):
    """Start the machine by a rule."""

    def plant(template):
        machine(edit)(template)
        targets = [_STARTED_BY_A_RULE["Targets"][0] | target]
        add("Starts", "AWS::Events::Rule", **_STARTED_BY_A_RULE | {"Targets": targets})(template)

    return plant


READS_DETAIL = state("Check", Parameters={"FunctionName": LIVE, "Payload.$": "$.detail"})
READS_NOTHING = state("Check", Parameters={"FunctionName": LIVE, "Payload.$": "$.details"})

PATHS = (
    _unput(
        selecting(state("Known", Choices=[{"Variable": "$.checked.knwon", **KNOWN}])),
        "$.checked.knwon",
        "Known",
        "/States/Known/Choices/0/Variable",
    ),
    _unput(
        selecting(
            state(
                "Known",
                Choices=[{"And": [{"Not": {"Variable": "$.checked.a", "IsNull": True}}], **KNOWN}],
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
        selecting(
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
        selecting(
            state("Check", ResultPath="$"),
            state(
                "0.One",
                Parameters={"Payload.$": "States.StringToJson($.raw)", "FunctionName": LIVE},
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
        ruled(READS_NOTHING),
        logical_id="Runs",
        says="reads $.details in 'Check'",
    ),
)
