"""State machines: what is rendered of them, and what their roles may do."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from troposphere import encode_to_dict
from unit.blocks.machines import DEFINITION, PIPELINE, PROMOTION, pipeline, promotion

from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.state_calls import (
    grants,
)
from tap_templates.compiler.build import build_stack
from tap_templates.compiler.invariants import CompiledSystem, check_system
from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.compiler.render import RenderedStack, render_stack
from tap_templates.model.system import Objectives, Regions, Stack, System, Where
from tap_templates.rendered.view import StackSource, resolve_system

REGIONS = ("us-east-1", "us-west-2")


def compiled(block: Callable[[StackTemplate], None]) -> tuple[System, RenderedStack]:
    def module() -> StackTemplate:
        stack = StackTemplate("a block")
        block(stack)
        return stack

    stack = Stack(name="block", build=module, where=Where.BOTH)
    system = System(
        name="market",
        application="Market",
        regions=Regions(primary=REGIONS[0], secondary=REGIONS[1]),
        objectives=Objectives(),
        stacks=(stack,),
    )
    return system, render_stack(build_stack(system, stack))


def resource(block: Callable[[StackTemplate], None], logical_id: str) -> dict[str, object]:
    return compiled(block)[1].template["Resources"][logical_id]["Properties"]


@pytest.mark.parametrize("block", [pipeline, promotion], ids=lambda block: block.__name__)
def test_the_linter_has_nothing_to_say(block):
    _, stack = compiled(block)
    results = Linter(None).lint([LintJob("market", "block", REGIONS, stack.body)], lambda _: None)
    assert results["market", "block"].findings == ()


@pytest.mark.parametrize("block", [pipeline, promotion], ids=lambda block: block.__name__)
def test_what_is_rendered_keeps_the_promises_about_machines(block):
    system, stack = compiled(block)
    sources = [
        StackSource(stack.name, stack.template, stack.regions, {"AlarmEmail": "a@b.example"})
    ]
    view = resolve_system(system.name, sources)
    found = check_system(CompiledSystem(system, (stack,), view))
    assert [each for each in found if each.code.startswith("TAP-ASL")] == []
    assert len(list(view.resources("AWS::StepFunctions::StateMachine"))) == 2


def test_a_machine_is_an_object_logged_without_data_traced_and_encrypted():
    properties = resource(pipeline, "PipelineMachine")
    assert "DefinitionString" not in properties
    assert properties["StateMachineType"] == "STANDARD"
    assert properties["EncryptionConfiguration"] == {"Type": "AWS_OWNED_KEY"}
    assert properties["TracingConfiguration"] == {"Enabled": True}
    logging = properties["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    log = resource(pipeline, "PipelineLog")
    assert log["LogGroupName"] == {
        "Fn::Sub": "/aws/vendedlogs/states/machine-market-pipeline-${EnvironmentSuffix}"
    }
    assert log["RetentionInDays"] == 30
    assert log["KmsKeyId"] == {"Fn::GetAtt": ["LogKey", "Arn"]}


def test_a_definition_reads_as_it_was_written():
    states = resource(pipeline, "PipelineMachine")["Definition"]["States"]
    assert states["Validate"]["Parameters"] == {
        "FunctionName": {
            "Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:"
            "function:function-market-validation-${EnvironmentSuffix}:live"
        },
        "Payload": {"event.$": "$.detail", "execution.$": "$$.Execution.Name"},
    }
    assert states["Validate"]["Catch"] == [
        {
            "ErrorEquals": ["InvalidEvent", "EventIdReused"],
            "Next": "Reject",
            "ResultPath": "$.error",
        },
        {"ErrorEquals": ["States.ALL"], "Next": "ParkUnvalidated", "ResultPath": "$.error"},
    ]
    retry = states["Validate"]["Retry"][0]
    assert {key: retry[key] for key in ("BackoffRate", "IntervalSeconds", "MaxAttempts")} == {
        "BackoffRate": 2,
        "IntervalSeconds": 2,
        "MaxAttempts": 2,
    }
    assert states["AlreadyRecorded"] == {
        "Type": "Choice",
        "Choices": [{"Variable": "$.valid.recorded", "BooleanEquals": True, "Next": "KnownBefore"}],
        "Default": "EnrichAndStore",
    }
    branch = states["EnrichAndStore"]["Branches"][0]["States"]["Enrich"]
    assert branch["Comment"] == "No catch: It only reads: what fails ends the branch."
    assert branch["End"] is True
    assert states["ParkCompensated"]["Parameters"]["QueueUrl"] == {
        "Fn::Sub": "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/"
        "queue-market-failed-${EnvironmentSuffix}"
    }


def test_the_order_in_which_states_are_written_does_not_matter():
    states = dict(reversed(DEFINITION.states.items()))
    assert list(encode_to_dict(replace(DEFINITION, states=states).body())["States"]) == list(
        encode_to_dict(DEFINITION.body())["States"]
    )
    made = [encode_to_dict(each) for each in grants(replace(DEFINITION, states=states).calls())]
    assert made == [encode_to_dict(each) for each in grants(DEFINITION.calls())]


def _statements(role: dict[str, object]) -> dict[str, tuple[list[str], list[str]]]:
    document = role["Policies"][0]["PolicyDocument"]
    return {
        each["Sid"]: (
            each["Action"],
            [
                text.rpartition("${AWS::AccountId}:")[2]
                for text in (
                    one["Fn::Sub"] if isinstance(one, dict) else one for one in each["Resource"]
                )
            ],
        )
        for each in document["Statement"]
    }


def test_the_role_may_do_what_the_tasks_call_and_no_more():
    role = resource(pipeline, "PipelineRole")
    alias = "function:function-market-{}-${{EnvironmentSuffix}}:live"
    functions = ("compensation", "enrichment", "storage", "validation")
    found = _statements(role)
    assert found.pop("LambdaInvokeFunction") == (
        ["lambda:InvokeFunction"],
        [alias.format(each) for each in functions],
    )
    assert found.pop("SqsSendMessage") == (
        ["sqs:SendMessage"],
        ["queue-market-failed-${EnvironmentSuffix}"],
    )
    assert {sid: (len(actions), on) for sid, (actions, on) in found.items()} == {
        "DeliverLogs": (8, ["*"]),
        "Trace": (4, ["*"]),
    }
    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert condition["ArnEquals"]["aws:SourceArn"] == encode_to_dict(PIPELINE.arn())


def test_a_call_of_aws_is_granted_action_by_action():
    found = _statements(resource(promotion, "PromotionRole"))
    assert found["RdsFailoverGlobalCluster"] == (
        ["rds:FailoverGlobalCluster"],
        ["cluster:books", "global-cluster:books"],
    )
    assert found["RdsDescribeGlobalClusters"][1] == ["global-cluster:books"]


def test_a_rule_starts_the_machine_with_a_role_of_its_own():
    target = resource(pipeline, "ToPipelineRule")["Targets"][0]
    assert target["Arn"] == encode_to_dict(PIPELINE.arn())
    assert target["RoleArn"] == {"Fn::GetAtt": ["ToPipelineRole", "Arn"]}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 8}
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["UndeliveredQueue", "Arn"]}
    role = resource(pipeline, "ToPipelineRole")
    assert [*_statements(role)] == ["StartExecution"]
    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert "rule-market-events-to-pipeline" in condition["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_somebody_is_told_of_failed_runs_and_of_those_cut_off():
    failed = resource(pipeline, "PipelineFailedAlarm")
    assert (failed["MetricName"], failed["Threshold"]) == ("ExecutionsFailed", 0)
    assert failed["Dimensions"] == [
        {"Name": "StateMachineArn", "Value": encode_to_dict(PIPELINE.arn())}
    ]
    late = resource(promotion, "PromotionTimedOutAlarm")
    assert late["MetricName"] == "ExecutionsTimedOut"
    assert late["Dimensions"][0]["Value"] == encode_to_dict(PROMOTION.arn())
    assert resource(promotion, "PromotionMachine")["Definition"]["TimeoutSeconds"] == 7200


def test_a_map_runs_a_flow_for_each_item_of_a_list():
    state = resource(promotion, "PromotionMachine")["Definition"]["States"]["All"]
    assert state["ItemsPath"] == "$.checks"
    assert state["ItemSelector"] == {"check.$": "$$.Map.Item.Value"}
    assert state["MaxConcurrency"] == 5
    assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "INLINE"}
    assert state["ItemProcessor"]["StartAt"] == "Ask"
