"""What Lambda does with a function's role around the calls of its code."""

from collections.abc import Iterator
from typing import Any

from tap_templates.iam.codes import Code
from tap_templates.iam.needs import Need, Permission, Problem, allow, condition
from tap_templates.iam.services import UnknownTargetError, deliver, kind_of
from tap_templates.rendered.arns import bare_name
from tap_templates.rendered.view import Located, SystemView

# Properties that ask nothing of the role, or what is derived below. Any other is a problem.
_JUDGED = frozenset(
    {
        "Architectures",
        "Code",
        "DeadLetterConfig",
        "Description",
        "Environment",
        "EphemeralStorage",
        "FunctionName",
        "Handler",
        "LoggingConfig",
        "MemorySize",
        "PackageType",
        "RecursiveLoop",
        "ReservedConcurrentExecutions",
        "Role",
        "Runtime",
        "RuntimeManagementConfig",
        "SnapStart",
        "Tags",
        "Timeout",
        "TracingConfig",
        "VpcConfig",
    }
)
_TRACE = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
_POLL_QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_OWN_INTERFACE = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_DESCRIBE = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
_CREATE = "ec2:CreateNetworkInterface"


class FunctionNeeds:
    """Derives the needs of one function; `problems` fills as `collect` runs."""

    def __init__(self, view: SystemView, located: Located) -> None:
        self.view = view
        self.located = located
        self.properties = located.resource.properties
        self.problems: list[Problem] = []

    def collect(self) -> Iterator[Need]:
        for name in sorted(self.properties.keys() - _JUDGED):
            self._unjudged(f"/Properties/{name}", f"sets {name}")
        yield from self._log()
        yield from self._trace()
        dead = self.properties.get("DeadLetterConfig", {}).get("TargetArn")
        yield from self._deliver(self.located, "/Properties/DeadLetterConfig/TargetArn", dead)
        if self.properties.get("VpcConfig", {}).get("SubnetIds"):
            yield from self._network()
        yield from self._destinations()
        yield from self._sources()

    def _why(self, path: str) -> str:
        return f"{self.located.place} {path}"

    def _arn(self, service: str, resource: str) -> str:
        region = self.located.stack.region
        return f"arn:{self.view.partition}:{service}:{region}:{self.view.account}:{resource}"

    def _unjudged(self, path: str, what: str, located: Located | None = None) -> None:
        self.problems.append(
            Problem(
                Code.UNJUDGED,
                located or self.located,
                path,
                f"{what}; nobody wrote down what that takes of the function's role",
                "write it down in iam/function_needs.py, with its source",
            )
        )

    def _log(self) -> Iterator[Need]:
        path = "/Properties/LoggingConfig/LogGroup"
        name = self.properties.get("LoggingConfig", {}).get("LogGroup")
        group = self._arn("logs", f"log-group:{name}")
        found = self.view.find(group) if name else None
        if found is None or found.resource.type != "AWS::Logs::LogGroup":
            self.problems.append(
                Problem(
                    Code.NO_LOG_GROUP,
                    self.located,
                    path if name else "/Properties",
                    f"logs to {name or 'a group Lambda would create'}, which is not in the system",
                    "declare the log group with its retention and name it in LoggingConfig",
                )
            )
            return
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            yield allow(action, f"{group}:*", self._why(path))

    def _trace(self) -> Iterator[Need]:
        mode = self.properties.get("TracingConfig", {}).get("Mode", "PassThrough")
        if mode == "Active":
            for action in _TRACE:  # neither takes a resource: service authorization reference
                yield allow(action, "*", self._why("/Properties/TracingConfig"))
        elif mode != "PassThrough":
            self._unjudged("/Properties/TracingConfig/Mode", f"traces in mode {mode}")

    def _deliver(self, located: Located, path: str, arn: Any) -> Iterator[Need]:
        if arn is None:
            return
        try:
            yield from deliver(self.view, str(arn), f"{located.place} {path}")
        except UnknownTargetError as unknown:
            self._unjudged(path, f"delivers to {unknown}", located)

    def _own(self, kind: str) -> Iterator[Located]:
        """Find what configures this function: resources of its region that name it."""
        for each in self.view.resources(kind):
            if each.stack.region == self.located.stack.region:
                name = bare_name(str(each.resource.properties.get("FunctionName")))
                if name in (self.located.resource.name, self.located.resource.ref):
                    yield each

    def _destinations(self) -> Iterator[Need]:
        for each in self._own("AWS::Lambda::EventInvokeConfig"):
            for when, stated in each.resource.properties.get("DestinationConfig", {}).items():
                path = f"/Properties/DestinationConfig/{when}/Destination"
                yield from self._deliver(each, path, stated.get("Destination"))

    def _sources(self) -> Iterator[Need]:
        for each in self._own("AWS::Lambda::EventSourceMapping"):
            properties = each.resource.properties
            path = "/Properties/EventSourceArn"
            source = str(properties.get("EventSourceArn"))
            queue = self.view.find(source)
            is_encrypted = queue and "KmsMasterKeyId" in queue.resource.properties
            if kind_of(source) != "sqs" or is_encrypted:
                self._unjudged(path, f"polls {source}", each)
                continue
            for action in _POLL_QUEUE:
                yield allow(action, source, f"{each.place} {path}")
            if "DestinationConfig" in properties:
                self._unjudged("/Properties/DestinationConfig", "sends what fails on", each)

    def _network(self) -> Iterator[Need]:
        """Derive what attaching to a VPC takes, and that the code itself may not use it.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
        """
        network = self.properties["VpcConfig"]
        for name in sorted(network.keys() - {"SecurityGroupIds", "SubnetIds"}):
            self._unjudged(f"/Properties/VpcConfig/{name}", f"sets {name}")
        why = self._why("/Properties/VpcConfig")
        interfaces = self._arn("ec2", "network-interface/*")
        places = [
            interfaces,
            *(self._arn("ec2", f"subnet/{each}") for each in network["SubnetIds"]),
            *(
                self._arn("ec2", f"security-group/{each}")
                for each in network.get("SecurityGroupIds", [])
            ),
        ]
        vpc = self._vpc()
        in_vpc = condition(("ArnEquals", "ec2:Vpc", [self._arn("ec2", f"vpc/{vpc}")]))
        in_region = condition(("StringEquals", "ec2:Region", [self.located.stack.region]))
        from_code = condition(
            ("ArnEquals", "lambda:SourceFunctionArn", [str(self.located.resource.arn)])
        )
        for place in places:
            yield allow(_CREATE, place, why)
        for action in _OWN_INTERFACE:
            yield allow(action, interfaces, why, in_vpc)
        for action in _DESCRIBE:
            yield allow(action, "*", why, in_region)
        for action in (_CREATE, *_OWN_INTERFACE, *_DESCRIBE):
            yield Need(Permission(action, "*", from_code, "Deny"), why)

    def _vpc(self) -> str:
        """Find the VPC of the function, in which each of its subnets has to be."""
        found = vpcs_of(self.view, self.located)
        if len(found) != 1 or None in found:
            self._unjudged("/Properties/VpcConfig", "is in subnets whose VPC we cannot see")
        return min(filter(None, found), default="")


def vpcs_of(view: SystemView, function: Located) -> set[str | None]:
    """List the VPCs of a function's subnets; None is that of a subnet we cannot see."""
    subnets = {
        each.resource.ref: str(each.resource.properties.get("VpcId"))
        for each in view.resources("AWS::EC2::Subnet")
        if each.stack.region == function.stack.region
    }
    stated = function.resource.properties.get("VpcConfig", {}).get("SubnetIds", [])
    return {subnets.get(str(each)) for each in stated}
