"""Laws of the comparison, on the templates we ship and on ones that nobody would write.

Equal is nothing; another spelling is cosmetic; what changes does so in both directions.
"""

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_templates.diff.api import compare_pair
from tap_templates.diff.documented import SET_NAMES
from tap_templates.diff.load import InputError
from tap_templates.diff.model import Change, Template
from tap_templates.diff.render_json import to_json

BUILT = Path(__file__).parents[2] / "build" / "templates"
REGIONS = ("us-east-1", "us-west-2")
MADE: dict[str, Any] = {
    "Parameters": {
        "Open": {"Type": "String"},
        "Given": {"Type": "String", "Default": "g"},
        "Many": {"Type": "CommaDelimitedList", "Default": "x,y"},
    },
    "Mappings": {"Sizes": {"us-east-1": {"k": "v"}, "us-west-2": {"k": "w"}}},
    "Conditions": {
        "East": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "Maybe": {"Fn::Equals": [{"Ref": "Open"}, "x"]},
    },
    "Resources": {
        "Cluster": {
            "Type": "AWS::RDS::DBCluster",
            "DeletionPolicy": "Retain",
            "Properties": {
                "Engine": "aurora-postgresql",
                "StorageEncrypted": True,
                "VpcSecurityGroupIds": [{"Ref": "Group"}, "sg-1"],
                "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": {"Ref": "Given"}}],
            },
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "a group",
                "VpcId": {"Fn::If": ["East", {"Ref": "Vpc"}, {"Fn::ImportValue": "vpc"}]},
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIp": "10.0.0.0/8"},
                    {"IpProtocol": "tcp", "FromPort": 3, "ToPort": 4, "CidrIp": "10.0.0.0/8"},
                ],
            },
        },
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": {"Fn::Sub": "b-${Given}-${AWS::Region}-${AWS::AccountId}"},
                "ReplicationConfiguration": {
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Rules": [{"Id": "one", "Status": "Enabled"}],
                },
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["sts:AssumeRole", "sts:TagSession"],
                            "Principal": {"Service": ["s3.amazonaws.com", "x.amazonaws.com"]},
                        }
                    ]
                }
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": {"Fn::GetAtt": "Role.Arn"},
                "DefinitionString": {"Fn::Sub": '{"StartAt": "A", "R": "${Role.Arn}"}'},
            },
        },
        "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "example.com."}},
        "Record": {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {
                "HostedZoneId": {"Ref": "Zone"},
                "Name": "a.example.com.",
                "ResourceRecords": ["192.0.2.1", "192.0.2.2"],
                "TTL": {"Fn::If": ["Maybe", "60", "300"]},
            },
        },
        "Odd": {
            "Type": "Custom::Odd",
            "Properties": {"Of": {"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "k"]}},
        },
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}, "Export": {"Name": "arn"}}},
}
BODIES = {
    "made": MADE,
    **{
        f"{path.parent.name}/{path.name}": json.loads(path.read_bytes())
        for path in sorted(BUILT.glob("*/*.json"))
        if path.name != "manifest.json"
    },
}
randoms = st.randoms(use_true_random=False)
bodies = st.sampled_from(sorted(BODIES))


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    sides = (Template(path="t", body=body) for body in (before, after))
    return [change for _, change in compare_pair(*sides, regions=REGIONS).changes()]


# Places of a template where a value stands, each as the holder and the key in it.
Place = tuple[Any, Any]


def places(holder: Any, key: Any) -> Iterator[Place]:
    """Iterate over the places of values below one, those within functions' arguments left out."""
    value = holder[key]
    yield holder, key
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return
        for each in value:
            yield from places(value, each)
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value, index)


def all_places(body: dict[str, Any]) -> list[Place]:
    return [
        place
        for resource in body["Resources"].values()
        if "Properties" in resource
        for place in places(resource, "Properties")
    ]


Rewrite = Callable[[dict[str, Any], Place, random.Random], bool]


def split_text(body: dict[str, Any], place: Place, rng: random.Random) -> bool:
    holder, key = place
    text = holder[key]
    if not isinstance(text, str):
        return False
    cut = rng.randrange(len(text) + 1)
    joined = {"Fn::Join": ["", [text[:cut], text[cut:]]]}
    with_variable = {"Fn::Sub": ["${A}" + text[cut:].replace("${", "${!"), {"A": text[:cut]}]}
    chosen = {"Fn::Select": [1, {"Fn::Split": ["\u2020", f"x\u2020{text}"]}]}
    holder[key] = rng.choice([joined, with_variable, chosen, {"Fn::If": ["Sure", text, "other"]}])
    return True


def into_parameter(body: dict[str, Any], place: Place, rng: random.Random) -> bool:
    holder, key = place
    if not isinstance(holder[key], str) or holder[key].startswith("{{"):
        return False
    name = f"Moved{len(body.setdefault('Parameters', {}))}"
    body["Parameters"][name] = {"Type": "String", "Default": holder[key]}
    holder[key] = rng.choice([{"Ref": name}, {"Fn::Sub": f"${{{name}}}"}])
    return True


def into_mapping(body: dict[str, Any], place: Place, rng: random.Random) -> bool:
    holder, key = place
    if not isinstance(holder[key], str):
        return False
    name = f"Moved{len(body.setdefault('Mappings', {}))}"
    body["Mappings"][name] = {region: {"v": holder[key]} for region in REGIONS}
    holder[key] = {"Fn::FindInMap": [name, {"Ref": "AWS::Region"}, "v"]}
    return True


def respell_reference(body: dict[str, Any], place: Place, rng: random.Random) -> bool:
    holder, key = place
    match holder[key]:
        case {"Ref": str(name)} if name not in {"AWS::NoValue", "Many"}:
            holder[key] = rng.choice(
                [{"Fn::Sub": f"${{{name}}}"}, {"Fn::Join": ["", [{"Ref": name}]]}]
            )
        case {"Fn::GetAtt": [name, attribute]}:
            text = f"{name}.{attribute}"
            holder[key] = rng.choice([{"Fn::GetAtt": text}, {"Fn::Sub": f"${{{text}}}"}])
        case {"Fn::GetAtt": str(text)}:
            holder[key] = {"Fn::GetAtt": text.split(".", 1)}
        case {"Fn::Sub": str(text)} if "${" in text and "!" not in text:
            head, _, rest = text.partition("${")
            name, _, tail = rest.partition("}")
            part = {"Fn::GetAtt": name} if "." in name else {"Ref": name}
            holder[key] = {"Fn::Join": ["", [head, part, {"Fn::Sub": tail}]]}
        case {"Fn::If": [str(name), yes, no]}:
            body["Conditions"][f"Not{name}"] = {"Fn::Not": [{"Condition": name}]}
            holder[key] = {"Fn::If": [f"Not{name}", no, yes]}
        case _:
            return False
    return True


def reorder(body: dict[str, Any], place: Place, rng: random.Random) -> bool:
    holder, key = place
    value = holder[key]
    is_set = key in SET_NAMES or key in {
        "Statement", "Action", "SecurityGroupIngress", "Service", "ResourceRecords", "AlarmActions",
        "OKActions", "ManagedPolicyArns", "Replicas", "source", "Rules",
    }  # fmt: skip
    if isinstance(value, list) and is_set:
        rng.shuffle(value)
        return True
    if isinstance(value, dict) and len(value) > 1:
        keys = list(value)
        rng.shuffle(keys)
        for each in keys:
            value[each] = value.pop(each)
        return True
    return False


def retype(body: dict[str, Any], place: Place, rng: random.Random) -> bool:
    holder, key = place
    value = holder[key]
    names = {"StorageEncrypted", "FromPort", "ToPort", "MessageRetentionPeriod", "Timeout"}
    if key in names and isinstance(value, bool | int):
        holder[key] = json.dumps(value)
        return True
    return False


REWRITES: tuple[Rewrite, ...] = (
    split_text, into_parameter, into_mapping, respell_reference, reorder, retype,
)  # fmt: skip


def rewritten(body: dict[str, Any], rng: random.Random, times: int) -> dict[str, Any]:
    """Say the same in other words."""
    found = copy.deepcopy(body)
    found.setdefault("Conditions", {})["Sure"] = {"Fn::Equals": ["a", "a"]}
    for _ in range(times):
        order = all_places(found)
        rng.shuffle(order)
        rewrite = rng.choice(REWRITES)
        next((True for place in order if rewrite(found, place, rng)), None)
    return found


def mutated(body: dict[str, Any], rng: random.Random, times: int) -> dict[str, Any]:
    """Say something else."""
    found = copy.deepcopy(body)
    for _ in range(times):
        what = rng.randrange(4)
        name = rng.choice(sorted(found["Resources"]))
        if what == 0 and len(found["Resources"]) > 1:
            found["Resources"][f"{name}Renamed"] = found["Resources"].pop(name)
        elif what == 1:
            found["Resources"][name]["DeletionPolicy"] = rng.choice(["Retain", "Delete"])
        else:
            options = [p for p in all_places(found) if isinstance(p[0][p[1]], str | int)]
            if options:
                holder, key = rng.choice(options)
                holder[key] = rng.choice(["changed", {"Ref": name}, {"Ref": "Open"}, "1"])
    return found


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_template_does_not_differ_from_itself(name):
    assert compare(BODIES[name], BODIES[name]) == []
    assert compare(BODIES[name], json.loads(json.dumps(BODIES[name]))) == []


@given(name=bodies, rng=randoms, times=st.integers(1, 25))
def test_another_spelling_is_cosmetic(name, rng, times):
    found = compare(BODIES[name], rewritten(BODIES[name], rng, times))
    assert [each for each in found if not each.cosmetic] == []


@given(name=bodies, rng=randoms, times=st.integers(1, 6))
def test_what_changes_does_so_in_both_directions(name, rng, times):
    other = mutated(BODIES[name], rng, times)
    try:
        there, back = compare(BODIES[name], other), compare(other, BODIES[name])
    except InputError as error:
        if "circle" in error.what:
            return
        raise
    assert {each.id for each in there} == {each.id for each in back}
    opposite = {"add": "remove", "remove": "add", "modify": "modify"}
    assert {each.id: opposite[each.action] for each in there} == {
        each.id: str(each.action) for each in back
    }


@given(name=bodies, rng=randoms, times=st.integers(1, 6))
def test_other_words_for_a_change_are_the_same_change(name, rng, times):
    """Rewriting the changed template adds cosmetic entries and alters nothing else."""
    other = mutated(BODIES[name], rng, times)
    try:
        plain = compare(BODIES[name], other)
    except InputError as error:
        if "circle" in error.what:
            return
        raise
    spelled = compare(BODIES[name], rewritten(other, rng, 5))

    def told(changes: list[Change]) -> set[tuple[Any, ...]]:
        return {
            (each.id, each.action, each.replacement, each.flag_names, each.certain)
            for each in changes
            if not each.cosmetic
        }

    assert told(plain) == told(spelled)


@given(name=bodies, rng=randoms)
def test_the_result_is_plain_json_with_allowed_words(name, rng):
    sides = (
        Template(path="t", body=body) for body in (BODIES[name], mutated(BODIES[name], rng, 4))
    )
    try:
        document = to_json(compare_pair(*sides, regions=REGIONS))
    except InputError as error:
        if "circle" in error.what:
            return
        raise
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    for change in (each for template in document["templates"] for each in template["changes"]):
        assert change["action"] in {"add", "remove", "modify"}
        assert change["replacement"] in {"never", "may", "always"}
        assert change["action"] == "modify" or change["replacement"] == "never"
        assert not (change["cosmetic"] and change["flags"])
        assert change["because"] or change["action"] != "modify" or change["properties"]
