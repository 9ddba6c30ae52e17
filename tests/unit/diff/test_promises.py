"""What a system promises is in its manifest; promising less is a weaker recovery."""

import json

import pytest

from tap_templates.diff.api import compare_templates
from tap_templates.diff.load import templates_from
from tap_templates.diff.security.analysers import MANIFEST_ANALYSERS

TEMPLATE = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}}}


def system(**objectives):
    manifest = {
        "schema": "tap.manifest/1",
        "system": "shop",
        "regions": {"primary": "us-east-1", "secondary": "us-west-2"},
        "objectives": objectives,
        "stacks": [
            {"name": "work", "template": "work.json", "regions": ["us-east-1"], "parameters": {}}
        ],
    }
    return templates_from(
        {
            "shop/manifest.json": json.dumps(manifest).encode(),
            "shop/work.json": json.dumps(TEMPLATE).encode(),
        }
    )


def told(before, after):
    diff = compare_templates(before, after, manifest_analysers=MANIFEST_ANALYSERS)
    return [
        (path, change.id, flag.name, flag.because)
        for path, change in diff.changes()
        for flag in change.flags
    ]


def test_a_longer_objective_is_told_at_the_manifest():
    before, after = system(rto_seconds=300), system(rto_seconds=900)
    assert told(before, after) == [
        (
            "shop/manifest.json",
            "Manifest/objectives",
            "recovery_regression",
            "recovery time objective: 300 s → 900 s",
        )
    ]


@pytest.mark.parametrize(
    "after", [{"rto_seconds": 300}, {"rto_seconds": 60}, {"rto_seconds": 300, "rpo_seconds": 0}]
)
def test_what_promises_as_much_or_more_is_silent(after):
    assert told(system(rto_seconds=300), system(**after)) == []


def test_a_system_that_is_new_has_promised_nothing():
    assert told({}, system(rto_seconds=300)) == []
