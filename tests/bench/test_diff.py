"""What a comparison costs as a whole process, beside plain JSON loading of the same files.

The other process starts Python, loads the same templates and the same provider schemas with
`json`, and does nothing with them: what any tool pays before it can compare. CPU seconds, the best
of a few runs.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.bench

COMPARE = """
import sys
from pathlib import Path
from tap_templates.diff import api, load, render_json
sides = load.load_both(Path(sys.argv[1]), Path(sys.argv[2]))
sys.stdout.write(render_json.dumps(api.compare_templates(*sides)))
"""
PLAIN = """
import importlib.util, json, sys
from pathlib import Path
folder = Path(importlib.util.find_spec("cfnlint").submodule_search_locations[0], "data", "schemas")
bodies = [json.loads(Path(path).read_bytes()) for path in sys.argv[1:]]
index = json.loads((folder / "providers" / "us-east-1.json").read_bytes())
types = {each["Type"] for body in bodies for each in body["Resources"].values()}
for name in types:
    json.loads((folder / "resources" / f"{index[name].removesuffix('.json')}.json").read_bytes())
"""


def parts(number: int, *, changed: bool) -> dict[str, Any]:
    """Ten resources that refer to each other; every one of them changed, if asked."""
    edit = "after" if changed else "before"
    role, queue, table = f"Role{number}", f"Queue{number}", f"Table{number}"
    statement = {
        "Effect": "Allow",
        "Action": ["sqs:SendMessage", f"sqs:{edit}"],
        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
    }
    tags = [{"Key": key, "Value": edit} for key in ("a", "b", "c")]
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
    found = {
        f"Vpc{number}": ("EC2::VPC", {"CidrBlock": f"10.{int(changed)}.0.0/16", "Tags": tags}),
        f"Subnet{number}": ("EC2::Subnet", {"VpcId": {"Ref": f"Vpc{number}"}, "Tags": tags}),
        f"Group{number}": (
            "EC2::SecurityGroup",
            {
                "GroupDescription": "g",
                "VpcId": {"Ref": f"Vpc{number}"},
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/8"}
                    for port in range(80, 90 + int(changed))
                ],
            },
        ),
        role: (
            "IAM::Role",
            {
                "AssumeRolePolicyDocument": trust,
                "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}],
            },
        ),
        f"Function{number}": (
            "Lambda::Function",
            {
                "Role": {"Fn::GetAtt": [role, "Arn"]},
                "Timeout": 3 + int(changed),
                "Environment": {
                    "Variables": {"T": {"Ref": table}, "Q": {"Fn::Sub": f"${{{queue}}}"}}
                },
                "VpcConfig": {"SubnetIds": [{"Ref": f"Subnet{number}"}]},
            },
        ),
        queue: ("SQS::Queue", {"QueueName": {"Fn::Sub": f"q-{edit}-{number}-${{AWS::Region}}"}}),
        table: ("DynamoDB::GlobalTable", {"Replicas": [{"Region": "us-east-1", "Tags": tags}]}),
        f"Alarm{number}": (
            "CloudWatch::Alarm",
            {"Threshold": 1 + int(changed), "Dimensions": [{"Name": "T", "Value": {"Ref": table}}]},
        ),
        f"Machine{number}": (
            "StepFunctions::StateMachine",
            {
                "RoleArn": {"Fn::GetAtt": [role, "Arn"]},
                "DefinitionString": {"Fn::Sub": json.dumps({"States": {edit: f"${{{role}.Arn}}"}})},
            },
        ),
        f"Bucket{number}": ("S3::Bucket", {"BucketName": f"b-{edit}-{number}", "Tags": tags}),
    }
    return {
        name: {"Type": f"AWS::{kind}", "Properties": properties}
        for name, (kind, properties) in found.items()
    }


def pair(folder: Path, resources: int, *, changed_parts: int) -> list[str]:
    """Write two templates of so many resources, of which the first parts are changed."""
    paths = []
    for side in ("before", "after"):
        groups = (
            parts(n, changed=side == "after" and n < changed_parts) for n in range(resources // 10)
        )
        body = {"Resources": {name: each for group in groups for name, each in group.items()}}
        path = folder / f"{side}-{resources}.json"
        path.write_text(json.dumps(body, indent=2))
        paths.append(str(path))
    return paths


def cpu_seconds(script: str, arguments: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def best(script: str, arguments: Sequence[str]) -> float:
    return min(cpu_seconds(script, arguments) for _ in range(5))


# Measured: 0.10 s and 0.13 s with few changes, 0.12 s and 0.35 s if everything changes, which is 4
# to 12 times plain loading. The aims are 0.7 s for 60 resources and 1.0 s for 400.
CASES = [(60, 1, 7), (60, 6, 9), (400, 2, 8), (400, 40, 20)]


@pytest.mark.parametrize(("resources", "changed_parts", "most"), CASES)
def test_a_comparison_costs_a_few_times_what_reading_costs(
    tmp_path, capsys, resources, changed_parts, most
):
    paths = pair(tmp_path, resources, changed_parts=changed_parts)
    plain, ours = best(PLAIN, paths), best(COMPARE, paths)
    with capsys.disabled():
        print(
            f"\n{resources} resources, {changed_parts * 10} changed: {ours:.2f} s,"
            f" plain loading {plain:.2f} s: {ours / plain:.1f}"
        )
    assert ours < plain * most
