"""A small system to roll out, and the means to do it."""

import base64
import copy
import hashlib
import json
from pathlib import Path

from deploy_fakes.faults import FakeClock
from deploy_fakes.model import ACCOUNT, PRIMARY, SECONDARY
from tap_templates.deploy.desired import PackageFile, Target, desired_state
from tap_templates.deploy.following import Pace
from tap_templates.deploy.running import Means

ZIP = b"the zip"


def means(**changes):
    clock = FakeClock()
    pace = Pace(sleep=clock.sleep, clock=clock)
    return Means(pace=pace, **{"read_file": lambda path: ZIP, **changes})


def template(resources=None, parameters=None, outputs=None, **more):
    return {
        "Parameters": {
            "EnvironmentSuffix": {"Type": "String", "Default": "dev"},
            **(parameters or {}),
        },
        "Resources": resources or {"Thing": {"Type": "AWS::Fake::Thing"}},
        **({"Outputs": {k: {"Value": v} for k, v in outputs.items()}} if outputs else {}),
        **more,
    }


TABLE = {
    "Table": {
        "Type": "AWS::DynamoDB::GlobalTable",
        "DeletionPolicy": "Retain",
        "Properties": {"TableName": {"Fn::Sub": "table-${EnvironmentSuffix}"}},
    }
}
TEXT = {"Type": "String"}
EDGE_OUTPUT = {"output": {"stack": "edge", "region": PRIMARY, "name": "CheckId"}}


def parts():
    """A small system with every feature that matters: stack name to (regions, template, values)."""
    built = hashlib.sha256(ZIP).digest()
    return {
        "table": ((SECONDARY,), template(TABLE), {}),
        "app": (
            (PRIMARY, SECONDARY),
            template(
                {
                    "Key": {"Type": "AWS::KMS::Key"},
                    "Files": {"Type": "AWS::S3::Bucket"},
                    "Rings": {"Type": "AWS::CloudWatch::Alarm"},
                },
                {"CodeKey": TEXT, "CodeSha256": TEXT, "Size": {**TEXT, "Default": "1"}},
            ),
            {"CodeKey": {"package": "code"}, "CodeSha256": base64.b64encode(built).decode()},
        ),
        "edge": ((PRIMARY,), template(outputs={"CheckId": "check"}), {}),
        "board": (
            (PRIMARY, SECONDARY),
            template(parameters={"Check": TEXT, "Place": TEXT}),
            {"Check": EDGE_OUTPUT, "Place": PRIMARY},
        ),
    }


def desired(stacks=None, *, zipped=ZIP, suffix="dev", account=ACCOUNT, settings=None):
    """What should be deployed; `stacks` as `parts()` gives them."""
    chosen = parts() if stacks is None else stacks
    texts = {name: json.dumps(body, indent=2).encode() for name, (_, body, _) in chosen.items()}
    manifest = {
        "schema": "tap.manifest/1",
        "system": "shop",
        "regions": {"primary": PRIMARY, "secondary": SECONDARY, "witness": "eu-north-1"},
        "stacks": [
            {
                "name": name,
                "template": f"{name}.json",
                "sha256": hashlib.sha256(texts[name]).hexdigest(),
                "regions": list(regions),
                "depends_on": [],
                "capabilities": ["CAPABILITY_NAMED_IAM"] if name == "app" else [],
                "parameters": values,
            }
            for name, (regions, _, values) in chosen.items()
        ],
        "packages": {"code": {"sha256": hashlib.sha256(ZIP).hexdigest()}},
    }
    package = PackageFile(path=Path("code.zip"), sha256=hashlib.sha256(zipped).hexdigest())
    target = Target(
        account=account,
        suffix=suffix,
        administration_role_arn=f"arn:aws:iam::{account}:role/admin",
        execution_role_name="exec",
        settings=settings or {},
    )
    return desired_state(manifest, texts, {"code": package}, target)


def changed(stacks=None, **changes):
    """`parts()` with other templates: stack name to what replaces parts of its template."""
    chosen = copy.deepcopy(parts() if stacks is None else stacks)
    for name, change in changes.items():
        chosen[name][1].update(change)
    return chosen
