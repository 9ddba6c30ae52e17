"""Where a difference is said to be: at the smallest thing that differs."""

import json
from typing import Any

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "A",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "*",
        },
        {"Sid": "B", "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": ["a", "b"]},
    ],
}
WIDER = {
    **POLICY,
    "Statement": [{**POLICY["Statement"][0], "Action": "s3:*"}, POLICY["Statement"][1]],
}
MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "x", "End": True}}}
OTHER = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "y", "End": True}}}
_QUEUE = "AWS::SQS::Queue"
_FUNCTION = "AWS::Lambda::Function"
_MACHINE = "AWS::StepFunctions::StateMachine"
RULES = [
    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"},
    {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"},
]
TAGS = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]


class TestPlaces:
    def places(self, change) -> list[tuple[str, Any, Any]]:
        return [(each.path, each.before, each.after) for each in change.properties]

    def test_a_tag_by_its_key(self, resource):
        change = resource(_QUEUE, {"Tags": TAGS}, {"Tags": [{"Key": "b", "Value": "3"}, TAGS[0]]})
        assert self.places(change) == [("/Properties/Tags/0/Value", "2", "3")]

    def test_several_tags_by_their_keys(self, resource):
        after = [{"Key": "b", "Value": "4"}, {"Key": "a", "Value": "3"}]
        change = resource(_QUEUE, {"Tags": TAGS}, {"Tags": after})
        assert self.places(change) == [
            ("/Properties/Tags/0/Value", "2", "4"),
            ("/Properties/Tags/1/Value", "1", "3"),
        ]

    def test_an_element_that_comes_or_goes(self, resource):
        change = resource(_QUEUE, {"Tags": TAGS}, {"Tags": TAGS[:1]})
        assert self.places(change) == [("/Properties/Tags/1", TAGS[1], None)]

    def test_one_rule_of_many(self, resource):
        other = {**RULES[1], "CidrIp": "0.0.0.0/0"}
        change = resource(
            "AWS::EC2::SecurityGroup",
            {"SecurityGroupIngress": RULES},
            {"SecurityGroupIngress": [other, RULES[0]]},
        )
        path = "/Properties/SecurityGroupIngress/0/CidrIp"
        assert self.places(change) == [(path, "10.0.0.0/8", "0.0.0.0/0")]

    def test_a_statement_within_a_text(self, resource):
        change = resource(
            "AWS::S3::BucketPolicy",
            {"PolicyDocument": json.dumps(POLICY)},
            {"PolicyDocument": WIDER},
        )
        assert {each[0].rpartition("/")[0] for each in self.places(change)} == {
            "/Properties/PolicyDocument/Statement/0/Action"
        }

    def test_a_state_within_a_definition(self, resource):
        change = resource(_MACHINE, {"Definition": MACHINE}, {"Definition": OTHER})
        assert self.places(change) == [("/Properties/Definition/States/A/Resource", "x", "y")]

    def test_an_element_in_the_middle_of_a_list_with_order(self, resource):
        change = resource(_FUNCTION, {"Layers": ["a", "b"]}, {"Layers": ["a", "x", "b"]})
        assert self.places(change) == [("/Properties/Layers/1", None, "x")]

    def test_a_pointer_is_escaped(self, resource):
        change = resource(
            _FUNCTION,
            {"Environment": {"Variables": {"a/b~c": "1"}}},
            {"Environment": {"Variables": {"a/b~c": "2"}}},
        )
        assert self.places(change)[0][0] == "/Properties/Environment/Variables/a~1b~0c"
