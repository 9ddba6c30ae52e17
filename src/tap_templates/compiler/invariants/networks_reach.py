"""What functions inside a VPC can reach: a call that leads nowhere only times out, at run time.

What a function calls is taken from what its role allows. Logs, traces, its network interfaces and
the queues that feed it are Lambda's own business, which does not pass through the VPC.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.networks_routes import Region
from tap_templates.compiler.invariants.values import as_list, inside
from tap_templates.rendered.view import Located

_VPC_ACCESS = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html"
_VPC = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"
_ROUTES = "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html"
_NAT = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html"
_GATEWAYS = ("dynamodb", "s3")
_BY_LAMBDA = ("ec2", "logs", "rds-db", "xray")  # no API that the code calls
_POLLING = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)


def _placed(compiled: CompiledSystem) -> Iterator[tuple[Located, list[str], list[str]]]:
    """Iterate over functions in a VPC with their subnets and security groups."""
    for function in compiled.view.resources("AWS::Lambda::Function"):
        config = function.resource.properties.get("VpcConfig")
        subnets = [str(each) for each in as_list(inside(config, "SubnetIds"))]
        if subnets:
            yield function, subnets, [str(e) for e in as_list(inside(config, "SecurityGroupIds"))]


def _cut_off(compiled: CompiledSystem) -> Iterator[Fault]:
    for function, subnets, groups in _placed(compiled):
        region = Region(compiled.view, function.stack.region)
        for service, elsewhere in sorted(_needs(compiled, function)):
            found = (
                _why_not(region, subnet, groups, service, elsewhere=elsewhere) for subnet in subnets
            )
            why = next(filter(None, found), None)  # one subnet is enough to fail by
            if why:
                where = f"{service} of {elsewhere}" if elsewhere else service
                yield fault_at(
                    function,
                    f"calls {where}, and does not get there: {why}",
                    "lead the subnet to a NAT gateway or to an endpoint of the service, and let "
                    "HTTPS through between the security groups",
                    "/Properties/VpcConfig",
                )


def _needs(compiled: CompiledSystem, function: Located) -> set[tuple[str, str]]:
    """List the services a function's role lets it call; with the region if it is another."""
    found: set[tuple[str, str]] = set()
    role = compiled.view.find(str(function.resource.properties.get("Role")))
    failures = {
        str(inside(each.resource.properties, "DestinationConfig", "OnFailure", "Destination"))
        for each in compiled.view.resources("AWS::Lambda::EventInvokeConfig")
    }
    for policy in as_list(role.resource.properties.get("Policies")) if role else []:
        for statement in as_list(inside(policy, "PolicyDocument", "Statement")):
            resources = [str(each) for each in as_list(statement.get("Resource"))]
            if statement.get("Effect") != "Allow" or set(resources) <= failures:
                continue
            if "kms:ViaService" in str(statement.get("Condition")):
                continue  # called by the service that encrypts
            for action in as_list(statement.get("Action")):
                service = str(action).partition(":")[0]
                if service not in _BY_LAMBDA and action not in _POLLING:
                    found |= {(service, each) for each in _regions(function, resources)}
    return found


def _regions(function: Located, resources: list[str]) -> set[str]:
    given = {each.split(":")[3] for each in resources if each.count(":") >= 5}
    return {"" if each in ("", "*", function.stack.region) else each for each in given or {""}}


def _why_not(
    region: Region, subnet: str, groups: list[str], service: str, *, elsewhere: str
) -> str | None:
    """Say what is in the way from a subnet to a service; None if nothing is."""
    made = region.made("Subnet", subnet)
    if made is None:
        return "it is in a subnet that no stack of the system makes in its region"
    name, vpc = made.resource.logical_id, str(made.resource.properties.get("VpcId"))
    if region.has_acl(subnet):
        return f"{name} has a network ACL, which this check does not read"
    if not elsewhere:
        if endpoints := region.endpoints("Interface", vpc, service):
            return _through(region, vpc, groups, endpoints)
        table = region.route_table(subnet)
        for endpoint in region.endpoints("Gateway", vpc, service):
            if service in _GATEWAYS and table in as_list(endpoint.get("RouteTableIds")):
                return _out(region, vpc, groups)
    if not region.leads_out(subnet):
        return f"{name} leads neither to an endpoint for it nor, by a NAT gateway, out"
    return _out(region, vpc, groups)


def _through(
    region: Region, vpc: str, groups: list[str], endpoints: list[Mapping[str, Any]]
) -> str | None:
    guards = [str(each) for given in endpoints for each in as_list(given.get("SecurityGroupIds"))]
    if not region.resolves_endpoints(vpc):
        return "the VPC does not resolve names to its endpoints (EnableDnsHostnames)"
    if not any(region.lets_out(group, vpc, to=guards) for group in groups):
        return "its security groups do not let HTTPS out to the endpoint"
    if not any(region.admits(guard, vpc, groups) for guard in guards):
        return "the security group of the endpoint does not admit HTTPS from its groups"
    return None


def _out(region: Region, vpc: str, groups: list[str]) -> str | None:
    if any(region.lets_out(group, vpc) for group in groups):
        return None
    return "its security groups do not let HTTPS out"


def _one_zone(compiled: CompiledSystem) -> Iterator[Fault]:
    for function, subnets, _ in _placed(compiled):
        region = Region(compiled.view, function.stack.region)
        made = [region.made("Subnet", subnet) for subnet in subnets]
        zones = {str(e.resource.properties.get("AvailabilityZone")) for e in made if e}
        if all(made) and len(zones) < 2:  # one that is not made here may be anywhere
            yield fault_at(
                function,
                "runs in one availability zone, and is down with it",
                "give it subnets in two zones or more",
                "/Properties/VpcConfig/SubnetIds",
            )


def _unrouted(compiled: CompiledSystem) -> Iterator[Fault]:
    for subnet in compiled.view.resources("AWS::EC2::Subnet"):
        region = Region(compiled.view, subnet.stack.region)
        if region.route_table(str(subnet.resource.ref)) is None:
            yield fault_at(
                subnet,
                "is associated with no route table, so that the main table of the VPC counts, "
                "which no template shows",
                "add an AWS::EC2::SubnetRouteTableAssociation",
            )


def _dead_ends(compiled: CompiledSystem) -> Iterator[Fault]:
    for nat in compiled.view.resources("AWS::EC2::NatGateway"):
        given = nat.resource.properties
        region = Region(compiled.view, nat.stack.region)
        private = given.get("ConnectivityType") == "private"
        if not private and not region.is_public(str(given.get("SubnetId"))):
            yield fault_at(
                nat,
                "is in a subnet that does not lead to the internet: nothing gets out by it",
                "put it into a public subnet, routed to an internet gateway that is attached",
                "/Properties/SubnetId",
            )


NETWORKS_REACH = (
    Invariant(
        code="TAP-NET-04",
        promise="A function in a VPC reaches every service that its role lets it call.",
        source_url=_VPC_ACCESS,
        check=_cut_off,
    ),
    Invariant(
        code="TAP-NET-05",
        promise="A function in a VPC outlives a zone.",
        source_url=_VPC,
        check=_one_zone,
    ),
    Invariant(
        code="TAP-NET-06",
        promise="Every subnet says which route table it follows.",
        source_url=_ROUTES,
        check=_unrouted,
    ),
    Invariant(
        code="TAP-NET-07",
        promise="A NAT gateway leads out.",
        source_url=_NAT,
        check=_dead_ends,
    ),
)
