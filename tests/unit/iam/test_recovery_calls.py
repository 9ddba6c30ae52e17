"""What machines that fail over need: of a global database, of mappings, of a bus."""

from typing import Any

import pytest
from unit.iam.building import EAST, WEST

from tap_templates.iam.codes import Code
from tap_templates.iam.machine_needs import MachineNeeds
from tap_templates.rendered.view import StackSource, resolve_system

WHOLE = "arn:aws:rds::123456789012:global-cluster:global-cluster-orders-dev"
CLUSTERS = {
    region: f"arn:aws:rds:{region}:123456789012:cluster:cluster-orders-dev-{region}"
    for region in (EAST, WEST)
}
NAME = {"Fn::Sub": "cluster-orders-dev-${AWS::Region}"}
GLOBAL = "global-cluster-orders-dev"
UUID = "6a1d0b8e-5f0b-4a1e-9d1e-000000000001"
MAPPING = f"arn:aws:lambda:us-west-2:123456789012:event-source-mapping:{UUID}"


def task(integration: str, **given: Any) -> dict[str, Any]:
    resource = f"arn:aws:states:::{integration}"
    return {"Type": "Task", "Resource": resource, "Parameters": given, "End": True}


def needs(state: dict[str, Any], *, known: bool = True) -> tuple[set[str], set[Code]]:
    primary = {
        "Cluster": {
            "Type": "AWS::RDS::DBCluster",
            # RDS has a grant on the key: to move the writer takes nothing of it.
            "Properties": {"DBClusterIdentifier": NAME, "KmsKeyId": "alias/key-orders-dev"},
        },
        "Global": {
            "Type": "AWS::RDS::GlobalCluster",
            "Properties": {
                "GlobalClusterIdentifier": GLOBAL if known else "another",
                "SourceDBClusterIdentifier": {"Ref": "Cluster"},
            },
        },
    }
    joins = {"DBClusterIdentifier": NAME, "GlobalClusterIdentifier": GLOBAL}
    secondary = {"Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": joins}}
    machine = {
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "machine-orders-dev",
                "Definition": {"StartAt": "It", "States": {"It": state}},
            },
        }
    }
    sources = [
        StackSource("primary", {"Resources": primary}, (EAST,), {}),
        StackSource("secondary", {"Resources": secondary}, (WEST,), {}),
        StackSource("machine", {"Resources": machine}, (WEST,), {}),
    ]
    view = resolve_system("orders", sources, account="123456789012")
    (located,) = view.resources("AWS::StepFunctions::StateMachine")
    judged = MachineNeeds(view, located)
    found = {str(each.permission) for each in judged.collect()}
    return found, {each.code for each in judged.problems}


@pytest.mark.parametrize("verb", ["failover", "switchover"])
def test_the_writer_is_moved_with_the_whole_and_every_cluster(verb):
    given = {"GlobalClusterIdentifier": GLOBAL, "TargetDbClusterIdentifier": CLUSTERS[WEST]}
    found, problems = needs(task(f"aws-sdk:rds:{verb}GlobalCluster", **given))
    action = f"rds:{verb.capitalize()}GlobalCluster"
    assert found == {f"{action} on {each}" for each in (WHOLE, *CLUSTERS.values())}
    assert problems == set()


@pytest.mark.parametrize(
    ("integration", "given", "wanted"),
    [
        (
            "aws-sdk:rds:describeGlobalClusters",
            {"GlobalClusterIdentifier": GLOBAL},
            {f"rds:DescribeGlobalClusters on {WHOLE}"},
        ),
        (
            "aws-sdk:rds:describeDBClusters",
            {"DbClusterIdentifier": "cluster-orders-dev-us-west-2"},
            {f"rds:DescribeDBClusters on {CLUSTERS[WEST]}"},
        ),
        (
            "aws-sdk:lambda:updateEventSourceMapping",
            {"Uuid": UUID, "Enabled": True},
            {f"lambda:UpdateEventSourceMapping on {MAPPING}"},
        ),
        (
            "aws-sdk:lambda:getEventSourceMapping",
            {"Uuid": UUID},
            {f"lambda:GetEventSourceMapping on {MAPPING}"},
        ),
    ],
)
def test_what_is_named_is_needed_and_nothing_else(integration, given, wanted):
    assert needs(task(integration, **given)) == (wanted, set())


@pytest.mark.parametrize(
    ("integration", "given", "code"),
    [
        ("aws-sdk:rds:describeGlobalClusters", {}, Code.CALL_RESOURCE),
        ("aws-sdk:rds:describeDBClusters", {}, Code.CALL_RESOURCE),
        (
            "aws-sdk:rds:failoverGlobalCluster",
            {"GlobalClusterIdentifier": GLOBAL, "TargetDbClusterIdentifier.$": "$.target"},
            Code.CALL_RESOURCE,
        ),
        (
            "aws-sdk:rds:failoverGlobalCluster",
            {"GlobalClusterIdentifier": GLOBAL, "TargetDbClusterIdentifier": "arn:aws:rds:x"},
            Code.CALL_RESOURCE,
        ),
        ("aws-sdk:lambda:updateEventSourceMapping", {"Uuid.$": "$.id"}, Code.CALL_RESOURCE),
        (
            "aws-sdk:lambda:updateEventSourceMapping",
            {"Uuid": UUID, "FunctionName": "another"},
            Code.UNJUDGED,
        ),
        ("aws-sdk:rds:deleteGlobalCluster", {}, Code.UNJUDGED),
    ],
)
def test_what_cannot_be_told_is_said(integration, given, code):
    assert needs(task(integration, **given)) == (set(), {code})


def test_a_global_database_of_nobody_is_said():
    given = {"GlobalClusterIdentifier": GLOBAL, "TargetDbClusterIdentifier": CLUSTERS[WEST]}
    state = task("aws-sdk:rds:failoverGlobalCluster", **given)
    assert needs(state, known=False) == (set(), {Code.CALL_RESOURCE})
