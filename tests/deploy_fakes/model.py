"""What the fake AWS keeps."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from tap_templates.deploy.errors import (
    CloudError,
)
from tap_templates.deploy.ports import (
    EventFacts,
)

ACCOUNT = "123456789012"
PRIMARY, SECONDARY = "eu-west-1", "eu-central-1"
WRITES = {
    "put_object",
    "create_stack_set",
    "update_stack_set",
    "create_instances",
    "update_instances",
    "delete_instances",
    "delete_stack_set",
    "empty_bucket",
}


def refuse(code):
    return CloudError("fake", code, "", code=code)


@dataclass
class Stack:
    stack_id: str
    region: str
    tags: dict
    status: str = ""
    template: str = ""
    parameters: dict = field(default_factory=dict)
    events: list = field(default_factory=list)  # oldest first

    @property
    def name(self):
        return self.stack_id.split("/")[1]

    def resources(self):
        return json.loads(self.template or "{}").get("Resources", {})

    def physical(self, logical_id):
        return f"{self.name}-{logical_id}-{self.region}".lower()

    def outputs(self):
        found = json.loads(self.template or "{}").get("Outputs", {})
        return {name: f"{each['Value']}-{self.region}" for name, each in found.items()}

    def event(self, status, logical_id="", reason="", kind="AWS::CloudFormation::Stack"):
        own = not logical_id
        self.events.append(
            EventFacts(
                logical_id=logical_id or self.name,
                physical_id=self.stack_id if own else self.physical(logical_id),
                resource_type=kind,
                status=status,
                reason=reason,
            )
        )


@dataclass
class Instance:
    region: str
    account: str = ACCOUNT
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str = ""
    stack_id: str = ""
    overrides: dict = field(default_factory=dict)
    last_operation: str = ""


@dataclass
class Operation:
    operation_id: str
    action: str
    started: datetime
    todo: list
    status: str = "RUNNING"
    results: dict = field(default_factory=dict)


@dataclass
class StackSet:
    request: object
    parameters: dict
    instances: dict = field(default_factory=dict)
    operations: list = field(default_factory=list)  # oldest first

    @property
    def declared(self):
        return json.loads(self.request.template).get("Parameters", {})
