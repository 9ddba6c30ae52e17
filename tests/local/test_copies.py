"""Buckets whose objects are copied to the other region: what is copied, by whom, and when."""

import json
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY, eventually
from local.reading import problems, spoiled
from local.stack_sets import StackSet, refusal

UNIQUE = uuid4().hex[:8]
BOTH = (PRIMARY, SECONDARY)
OTHER = {PRIMARY: SECONDARY, SECONDARY: PRIMARY}
VERSIONED = {"VersioningConfiguration": {"Status": "Enabled"}}


def name(region, kind="documents"):
    return f"{kind}-{UNIQUE}-{region}"


def replicas():
    """Where the other region's copies go; it exists first."""
    properties = {"BucketName": {"Fn::Sub": f"copies-{UNIQUE}-${{AWS::Region}}"}, **VERSIONED}
    return json.dumps(
        {"Resources": {"Copies": {"Type": "AWS::S3::Bucket", "Properties": properties}}}
    )


def documents(actions=("s3:ReplicateObject",), status="Enabled", trusted="s3", **more):
    """A bucket and the role that copies; without a rule if there is no `status`."""
    to = {
        "Fn::If": [
            "IsPrimary",
            f"arn:aws:s3:::{name(SECONDARY, 'copies')}",
            f"arn:aws:s3:::{name(PRIMARY, 'copies')}",
        ]
    }
    own = {"Fn::Sub": f"arn:aws:s3:::documents-{UNIQUE}-${{AWS::Region}}/*"}
    grants = [
        {"Effect": "Allow", "Action": "s3:GetObjectVersionForReplication", "Resource": own},
        {"Effect": "Allow", "Action": list(actions), "Resource": {"Fn::Sub": [
            "${To}/*", {"To": to}]}},
    ]  # fmt: skip
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{trusted}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    timed = {"Status": "Enabled", "Time": {"Minutes": "15"}}
    measured = {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}
    rule = {
        "Id": "everything",
        "Status": status,
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": to, "ReplicationTime": timed, "Metrics": measured},
        **more,
    }
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    replication = {"ReplicationConfiguration": {"Role": role, "Rules": [rule]}}
    return json.dumps(
        {
            "Conditions": {"IsPrimary": {"Fn::Equals": [{"Ref": "AWS::Region"}, PRIMARY]}},
            "Resources": {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "RoleName": {"Fn::Sub": f"copies-{UNIQUE}-${{AWS::Region}}"},
                        "AssumeRolePolicyDocument": {
                            "Version": "2012-10-17", "Statement": [trust]},
                        "Policies": [
                            {
                                "PolicyName": "it",
                                "PolicyDocument": {
                                    "Version": "2012-10-17", "Statement": grants},
                            }
                        ],
                    },
                },
                "Bucket": {
                    "Type": "AWS::S3::Bucket",
                    "Properties": {
                        "BucketName": {"Fn::Sub": f"documents-{UNIQUE}-${{AWS::Region}}"},
                        **VERSIONED,
                        **(replication if status else {}),
                    },
                },
            },
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(clients):
    copies = StackSet(clients, TemplateBody=replicas()).create()
    made = StackSet(clients, TemplateBody=documents(), Capabilities=["CAPABILITY_NAMED_IAM"])
    made.create()
    yield made
    for each in (made, copies):
        assert each.delete()["Status"] == "SUCCEEDED"
    names = {each["Name"] for each in clients("s3").list_buckets()["Buckets"]}
    assert not any(UNIQUE in each for each in names)


def put(clients, region, body=b"x"):
    key = f"documents/{uuid4().hex}"
    known = {"Bucket": name(region), "Key": key}
    version = clients("s3", region).put_object(**known, Body=body)["VersionId"]
    return known, {"Bucket": name(OTHER[region], "copies"), "Key": key}, version


def state(clients, region, known, **more):
    found = clients("s3", region).head_object(**known, **more)
    return found.get("ReplicationStatus")


@pytest.mark.parametrize("region", BOTH)
def test_what_is_written_is_copied_to_the_other_region(made, clients, region):
    assert problems(made, region, documents()) == []
    known, copy, version = put(clients, region, b"first")
    assert state(clients, region, known) == "COMPLETED"
    assert state(clients, region, known, VersionId=version) == "COMPLETED"
    found = clients("s3", OTHER[region]).get_object(**copy)
    assert found["Body"].read() == b"first"
    assert found["ReplicationStatus"] == "REPLICA"
    clients("s3", region).delete_object(**known)
    # Deletions are not copied.
    clients("s3", OTHER[region]).head_object(**copy)


def test_a_dead_region_gets_its_copies_when_it_is_back(made, clients, control):
    control("kill", region=SECONDARY)
    known, copy, version = put(clients, PRIMARY, b"waits")
    assert state(clients, PRIMARY, known) == "PENDING"
    control("heal", region=SECONDARY)
    eventually(lambda: state(clients, PRIMARY, known) == "COMPLETED")
    assert state(clients, PRIMARY, known, VersionId=version) == "COMPLETED"
    assert clients("s3", SECONDARY).get_object(**copy)["Body"].read() == b"waits"


@pytest.mark.parametrize(
    "changed",
    [documents(actions=["s3:ReplicateDelete"]), documents(trusted="lambda")],
    ids=["may-not-write", "may-not-be-taken"],
)
def test_what_the_role_may_not_copy_is_not_copied(made, clients, changed):
    capable = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
    operation = made.run("update_stack_set", TemplateBody=changed, **capable)
    assert operation["Status"] == "SUCCEEDED", made.results(operation)
    known, copy, _ = put(clients, PRIMARY)
    assert state(clients, PRIMARY, known) == "FAILED"
    assert refusal(clients("s3", SECONDARY).head_object, **copy) == "404"
    operation = made.run("update_stack_set", TemplateBody=documents(), **capable)
    assert operation["Status"] == "SUCCEEDED"
    known, _, _ = put(clients, PRIMARY)
    assert state(clients, PRIMARY, known) == "COMPLETED"


def test_a_rule_comes_and_goes(made, clients):
    for body, expected in (
        (documents(status="Disabled"), None),
        (documents(status=None), None),
        (documents(), "COMPLETED"),
    ):
        operation = made.run(
            "update_stack_set", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        assert operation["Status"] == "SUCCEEDED", made.results(operation)
        assert problems(made, PRIMARY, body) == []
        known, _, _ = put(clients, PRIMARY)
        assert state(clients, PRIMARY, known) == expected


def test_reading_back_notices_another_rule_and_none(made):
    assert any("Rules" in each for each in problems(made, PRIMARY, documents(status="Disabled")))
    elsewhere = documents(Destination={"Bucket": "arn:aws:s3:::elsewhere"})
    assert any("Rules" in each for each in problems(made, PRIMARY, elsewhere))
    role = {"ReplicationConfiguration": {"Role": "arn:aws:iam::1:role/x", "Rules": []}}
    found = problems(made, PRIMARY, spoiled(documents(), "Bucket", role))
    assert any("Role" in each for each in found)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Destination": {"Bucket": f"arn:aws:s3:::none-{UNIQUE}"}}, "must exist"),
        ({"Destination": {"Bucket": f"arn:aws:s3:::plain-{UNIQUE}"}}, "versioning enabled"),
    ],
)
def test_a_destination_that_takes_no_copies_is_refused(clients, change, says):
    if "plain" in str(change):
        clients("s3").create_bucket(Bucket=f"plain-{UNIQUE}")
    body = documents(**change).replace(f"documents-{UNIQUE}", f"refused-{UNIQUE}")
    stack = StackSet(
        clients,
        TemplateBody=body.replace(f"copies-{UNIQUE}-$", f"refused-{UNIQUE}-$"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    operation = stack.run("create_stack_instances", PRIMARY)
    assert says in stack.results(operation)[PRIMARY]["StatusReason"]
    stack.delete(PRIMARY)
    clients("s3").delete_bucket(Bucket=f"plain-{UNIQUE}") if "plain" in str(change) else None
    gone = {"Bucket": f"refused-{UNIQUE}-{PRIMARY}"}
    assert refusal(clients("s3").head_bucket, **gone) == "404"
