"""Both regions of trading-dr, asked by what things are called, whichever stack they are in."""

import pytest

from tap_templates.rendered.machines import ALL_ERRORS, reachable, read_machine
from tap_templates.rendered.view import Located

PRIMARY, SECONDARY, WITNESS = "us-east-1", "us-east-2", "us-west-2"
OTHER = {PRIMARY: SECONDARY, SECONDARY: PRIMARY}
ROLE = {PRIMARY: "primary", SECONDARY: "secondary"}
ACCOUNT = "111122223333"
API_HOST = "<api.OrdersApi@{region}>.execute-api.{region}.amazonaws.com"

each_region = pytest.mark.parametrize("region", [PRIMARY, SECONDARY])


def arn(service, region, resource):
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def bucket(purpose, region):
    return f"bucket-{purpose}-dev-{region}-{ACCOUNT}"


def allowed(role):
    """List what a role allows of what is its own: action and resource."""
    every_function = {"ec2", "logs", "xray"}
    return {
        (action, resource)
        for policy in role["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
        if each["Effect"] == "Allow"
        for action in each["Action"]
        for resource in each["Resource"]
        if action.split(":")[0] not in every_function
    }


class Pair:
    """The resources of a region, by type, by name, by who does what."""

    def __init__(self, view):
        self.view = view

    def of_type(self, region, *kinds):
        return [
            each.resource for each in self.view.resources(*kinds) if each.stack.region == region
        ]

    def named(self, region, kind, name):
        """Give the properties of the one resource of a type with a name."""
        (found,) = [each for each in self.of_type(region, kind) if each.name == name]
        return found.properties

    def alarms(self, region, namespace, metric, **dimensions):
        return [
            each.properties
            for each in self.of_type(region, "AWS::CloudWatch::Alarm")
            if (each.properties["Namespace"], each.properties["MetricName"]) == (namespace, metric)
            and dimensions.items()
            <= {each["Name"]: each["Value"] for each in each.properties["Dimensions"]}.items()
        ]

    def function(self, region, purpose):
        return self.named(region, "AWS::Lambda::Function", f"function-{purpose}-dev")

    def variables(self, region, purpose):
        return self.function(region, purpose)["Environment"]["Variables"]

    def role(self, region, purpose):
        return self.named(region, "AWS::IAM::Role", f"role-{purpose}-dev-{region}")

    def live(self, region, purpose):
        return arn("lambda", region, f"function:function-{purpose}-dev:live")

    def machine(self, region, purpose):
        (found,) = [
            Located(stack, each)
            for stack in self.view.in_region(region)
            for each in stack.resources.values()
            if each.name == f"machine-orders-{purpose}-dev"
        ]
        return read_machine(found)

    def routes(self, region):
        """Map method and path of each route of the API to the method."""
        parts = {each.ref: each.properties for each in self.of_type(region, RESOURCE)}

        def path(reference):
            part = parts.get(reference)
            return f"{path(part['ParentId'])}/{part['PathPart']}" if part else ""

        methods = (each.properties for each in self.of_type(region, "AWS::ApiGateway::Method"))
        return {f"{each['HttpMethod']} {path(each['ResourceId'])}": each for each in methods}

    def outputs(self, region):
        """Map the names of all outputs in a region to the stacks that put them out."""
        found = {}
        for stack in self.view.in_region(region):
            for name in stack.outputs:
                found.setdefault(name, set()).add(stack.stack)
        return found


RESOURCE = "AWS::ApiGateway::Resource"


def passes(machine, target, *one_of):
    """Test whether no way leads to `target` but through one of these states."""
    flow = machine.flows[0]
    assert {target, *one_of} <= set(flow.states), sorted(flow.states)
    without = {
        source: targets - set(one_of)
        for source, targets in flow.edges().items()
        if source not in one_of
    }
    assert target in reachable(flow.start, flow.edges())
    return target not in reachable(flow.start, without)


def tasks(machine):
    return [each for each in machine.states() if each.kind == "Task"]


def catches_all(state):
    return any(ALL_ERRORS in each["ErrorEquals"] for _, each in state.handlers("Catch"))
