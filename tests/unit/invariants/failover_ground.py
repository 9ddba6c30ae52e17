"""A small system that promotes its database, written out: both machines, who watches, who calls.

Written as templates, not with blocks: what is checked is what is rendered, whoever wrote it.
"""

import copy
from datetime import timedelta
from typing import Any

from tap_templates.blocks.stack import StackTemplate
from tap_templates.compiler.invariants import CompiledSystem
from tap_templates.model.system import Objectives, Regions, Stack, System, Where
from tap_templates.rendered.view import StackSource, resolve_system

EAST, WEST = "us-east-1", "us-east-2"
NAME = "failover"
Template = dict[str, Any]

SYSTEM = System(
    name="orders",
    application="Orders",
    regions=Regions(primary=EAST, secondary=WEST),
    objectives=Objectives(rto=timedelta(seconds=60)),
    stacks=(Stack(name=NAME, build=lambda: StackTemplate("x"), where=Where.BOTH),),
)


def arn(service: str, resource: str, region: str = "${AWS::Region}") -> Template:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{resource}"}


RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2}]
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Lost"}]


def task(resource: str, given: Template, then: str, seconds: int = 10) -> Template:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Parameters": given,
        "TimeoutSeconds": seconds,
        "Retry": copy.deepcopy(RETRY),
        "Catch": copy.deepcopy(CATCH),
        "Next": then,
    }


def function(role: str, name: str, **environment: object) -> Template:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Role": {"Fn::GetAtt": [role, "Arn"]},
            "Timeout": 5,
            "Environment": {"Variables": environment},
        },
    }


def role(*statements: tuple[list[str], object]) -> Template:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Statement": []},
            "Policies": [
                {
                    "PolicyName": "Grants",
                    "PolicyDocument": {
                        "Statement": [
                            {"Effect": "Allow", "Action": actions, "Resource": [resource]}
                            for actions, resource in statements
                        ]
                    },
                }
            ],
        },
    }


def machine(name: str, role_: str, start: str, states: Template) -> Template:
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": name,
            "RoleArn": {"Fn::GetAtt": [role_, "Arn"]},
            "Definition": {"StartAt": start, "States": states},
        },
    }


TABLE, RECOVERY = arn("dynamodb", "table/role"), arn("lambda", "function:recovery")
TOPIC = arn("sns", "alarms")
_OWN = arn("rds", "cluster:orders")
_OTHER = arn("rds", "cluster:orders", WEST)
_GLOBAL = {"Fn::Sub": "arn:${AWS::Partition}:rds::${AWS::AccountId}:global-cluster:orders"}
_BOTH_CLUSTERS = [(["rds:FailoverGlobalCluster"], each) for each in (_GLOBAL, _OWN, _OTHER)]


def failover_states() -> Template:
    key = {"TableName": "role", "Key": {"id": {"S": "role"}}}
    promote = {"GlobalClusterIdentifier": "orders", "TargetDbClusterIdentifier": _OWN}
    return {
        "Observe": task("dynamodb:getItem", key, "Needed"),
        "Needed": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.done", "IsPresent": True, "Next": "Done"}],
            "Default": "Fence",
        },
        "Fence": task("dynamodb:updateItem", key, "Settle", 20),
        "Settle": {"Type": "Wait", "Seconds": 5, "Next": "Promote"},
        "Promote": task("aws-sdk:rds:failoverGlobalCluster", promote, "Canary", 30),
        "Canary": task("lambda:invoke", {"FunctionName": RECOVERY}, "Done", 40),
        "Done": {"Type": "Succeed"},
        "Lost": {"Type": "Fail"},
    }


def failback_states() -> Template:
    given = {"GlobalClusterIdentifier": "orders", "TargetDbClusterIdentifier": _OTHER}
    return {
        "Return": task("aws-sdk:rds:switchoverGlobalCluster", given, "Canary2", 30),
        "Canary2": task("lambda:invoke", {"FunctionName": RECOVERY}, "Returned", 40),
        "Returned": {"Type": "Succeed"},
        "Lost": {"Type": "Fail"},
    }


def template() -> Template:
    """Make the one template, anew each time."""
    watching = {
        "FAILOVER_MACHINE_ARN": {"Ref": "Failover"},
        "PROBE_ROUNDS": "5",
        "PROBE_ROUND_SECONDS": "10",
        "PROBE_FAILURES": {"Ref": "Failures"},
        "REPORT_STALE_SECONDS": "80",
    }
    schedule = {
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ScheduleExpression": "rate(1 minute)",
        "Target": {"Arn": {"Fn::Sub": "${Prober.Arn}:live"}, "RoleArn": "x"},
    }
    return copy.deepcopy(
        {
            "Parameters": {
                "Failures": {"Type": "Number", "Default": 3, "MinValue": 1, "MaxValue": 4}
            },
            "Resources": {
                "Failover": machine("failover", "FailoverRole", "Observe", failover_states()),
                "Failback": machine("failback", "FailbackRole", "Return", failback_states()),
                "FailoverRole": role(
                    (["dynamodb:GetItem", "dynamodb:UpdateItem"], TABLE),
                    (["lambda:InvokeFunction"], RECOVERY),
                    (["sns:Publish"], TOPIC),
                    (["xray:PutTraceSegments"], "*"),
                    *_BOTH_CLUSTERS,
                ),
                "FailbackRole": role(
                    (["lambda:InvokeFunction"], RECOVERY),
                    (["rds:SwitchoverGlobalCluster"], _OTHER),
                    (["dynamodb:UpdateItem"], arn("dynamodb", "table/role", WEST)),
                ),
                "Recovery": function("RecoveryRole", "recovery"),
                "RecoveryRole": role((["dynamodb:GetItem"], TABLE)),
                "Prober": function("ProberRole", "prober", **watching),
                "ProberRole": role((["states:StartExecution"], {"Ref": "Failover"})),
                "Watch": {"Type": "AWS::Scheduler::Schedule", "Properties": schedule},
            },
        }
    )


def compiled(edited: Template | None = None, system: System = SYSTEM) -> CompiledSystem:
    source = StackSource(NAME, edited or template(), (EAST, WEST), {})
    view = resolve_system(system.name, [source])
    return CompiledSystem(system, (source,), view)  # type: ignore[arg-type]  # a name and a template are all that is asked of it
