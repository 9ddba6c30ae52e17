"""What templates with policies are built from, and a system of them that can be edited."""

from dataclasses import dataclass, field
from typing import Any

from tap_templates.iam.key_policies import ADMINISTRATION
from tap_templates.iam.proof import prove
from tap_templates.model.findings import Finding
from tap_templates.rendered.view import StackSource, SystemView, resolve_system

EAST, WEST = "us-east-1", "us-west-2"


def trust(service: str, **condition: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
    }
    return {"Statement": [statement | ({"Condition": condition} if condition else {})]}


def role(name: str, trusted: dict[str, Any], *statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Fn::Sub": f"{name}-dev-${{AWS::Region}}"},
            "AssumeRolePolicyDocument": trusted,
            "Policies": [
                {"PolicyName": "grants", "PolicyDocument": {"Statement": list(statements)}}
            ],
        },
    }


def allow(actions: list[str], *resources: Any, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})


def arn(service: str, resource: str, region: str = "${AWS::Region}") -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{resource}"}


ACCOUNT = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def admit(service: Any, actions: list[str], resource: Any, **condition: Any) -> dict[str, Any]:
    return allow(actions, resource, **condition) | {"Principal": {"Service": service}}


def policy(kind: str, of: str, resource: str, *statements: dict[str, Any]) -> dict[str, Any]:
    everyone = {
        "Effect": "Deny",
        "Action": "sqs:*" if of == "Queues" else "sns:Publish",
        "Resource": "*",
        "Principal": "*",
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    document = {"Statement": [*statements, everyone]}
    return {"Type": kind, "Properties": {of: [{"Ref": resource}], "PolicyDocument": document}}


def key(*statements: dict[str, Any]) -> dict[str, Any]:
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    administer = allow(sorted(ADMINISTRATION), "*") | {"Principal": {"AWS": root}}
    return {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": {"Statement": [administer, *statements]}},
    }


@dataclass
class Case:
    """A system that can be edited before it is proven."""

    templates: dict[str, dict[str, Any]]  # by stack, in rollout order
    handlers: dict[str, dict[str, str]]
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)  # without: in both regions
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)

    def properties(self, stack: str, logical_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.templates[stack]["Resources"][logical_id]["Properties"]
        return found

    def statements(self, stack: str, role: str = "Role") -> list[dict[str, Any]]:
        policy = self.properties(stack, role)["Policies"][0]
        found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
        return found

    def admitted(self, stack: str, logical_id: str) -> list[dict[str, Any]]:
        """Give the statements of a key or a resource policy; those of a key begin with its own."""
        properties = self.properties(stack, logical_id)
        document = properties.get("KeyPolicy") or properties["PolicyDocument"]
        found: list[dict[str, Any]] = document["Statement"]
        return found

    def trust(self, stack: str, role: str = "Role") -> dict[str, Any]:
        document = self.properties(stack, role)["AssumeRolePolicyDocument"]
        found: dict[str, Any] = document["Statement"][0]
        return found

    def add(self, stack: str, logical_id: str, kind: str, **properties: Any) -> None:
        self.templates[stack]["Resources"][logical_id] = {"Type": kind, "Properties": properties}

    def view(self) -> SystemView:
        return resolve_system(
            "trading-events",
            [
                StackSource(
                    name,
                    template,
                    self.where.get(name, (EAST, WEST)),
                    self.parameters.get(name, {}),
                )
                for name, template in self.templates.items()
            ],
        )

    def findings(self) -> list[Finding]:
        return prove(self.view(), self.handlers)

    def codes(self) -> set[str]:
        return {finding.code.removeprefix("TAP-IAM-") for finding in self.findings()}
