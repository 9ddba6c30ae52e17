"""A small system whose two regions are linked: peered, forwarded to, configured alike, operated."""

from datetime import timedelta
from functools import cache

from troposphere import GetAtt, Ref, rds
from unit.blocks.rendering import parameters_of, rendered_of

from tap_templates.blocks.bus import Bus, Delivery, Rule, event_bus
from tap_templates.blocks.configuration import Configuration, Setting, configuration
from tap_templates.blocks.forwarding import forwarding
from tap_templates.blocks.key import service_key, use_by_alarms, use_by_log_groups
from tap_templates.blocks.network import NatGateways, Network, network
from tap_templates.blocks.network_ranges import CidrPlan
from tap_templates.blocks.operator_role import (
    OPERATORS,
    USED_BY,
    operator_role,
    operator_role_name,
)
from tap_templates.blocks.parameters import email_parameter, generated_id
from tap_templates.blocks.peering import PEER_VPC, PEERING, peer_access, peer_routes, peering
from tap_templates.blocks.queue import Queue, dead_letters
from tap_templates.blocks.security_group import POSTGRESQL, group_id, security_group
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.state_flow import Definition
from tap_templates.blocks.state_machine import StateMachine, state_machine
from tap_templates.blocks.states import Succeed
from tap_templates.blocks.text import sub
from tap_templates.blocks.topic import Topic, alarm_topic
from tap_templates.compiler.render import RenderedStack
from tap_templates.model.names import Kind, Name
from tap_templates.model.system import (
    Objectives,
    OutputHere,
    OutputOf,
    ParameterValue,
    Regions,
    Stack,
    System,
    Where,
)

RANGES = CidrPlan(primary="10.20.0.0/16", secondary="10.21.0.0/16")
NETWORK, BUS, ALARMS = Network("ledger", RANGES), Bus("ledger"), Topic("ledger-alarms")
MACHINE = StateMachine("ledger-failover")
SETTINGS = Configuration("ledger")
VPC = generated_id("VpcId", "vpc", "VPC")
GROUP = generated_id("GroupId", "sg", "Group of the database")
TABLES = tuple(
    generated_id(name, "rtb", name)
    for name in ("PrivateRoutesA", "PrivateRoutesB", "PrivateRoutesC", "IsolatedRoutes")
)
_OF_NETWORK = (VPC, GROUP, *TABLES)


def alerts() -> StackTemplate:
    stack = StackTemplate("where alarms go")
    key = service_key("Alarms", "ledger-alarms", "Encrypts alarms", use_by_alarms())
    email = stack.parameter(email_parameter())
    stack.add(*key, *alarm_topic("Alarms", ALARMS, key=key, email=email))
    stack.output("AlarmTopic", "Where alarms go", ALARMS.arn)
    return stack


def ground() -> StackTemplate:
    stack = StackTemplate("the network")
    vpc = network(stack, "Ledger", NETWORK, nat_gateways=NatGateways.ONE)
    group = security_group("Database", "ledger-database", vpc.id, describes="The database")
    places = rds.DBSubnetGroup(
        "LedgerSubnets",
        DBSubnetGroupName=sub(Name(Kind.SUBNET_GROUP, "ledger").text()),
        DBSubnetGroupDescription="Where the database is",
        SubnetIds=vpc.isolated.ids,
    )
    stack.add(*vpc, group, places)
    stack.output("VpcId", "The VPC", vpc.id)
    stack.output("GroupId", "Group of the database", group_id(group))
    tables = (*vpc.private.route_tables, *vpc.isolated.route_tables)
    for parameter, table in zip(TABLES, tables, strict=True):
        stack.output(parameter.name, "A route table", Ref(table))
    return stack


def peered() -> StackTemplate:
    stack = StackTemplate("the peering, and the way there")
    refs = {each.name: stack.parameter(each) for each in (*_OF_NETWORK, PEER_VPC)}
    tables = [refs[each.name] for each in TABLES]
    made = peering(
        "Ledger",
        "ledger",
        vpc=refs["VpcId"],
        peer_vpc=refs["PeerVpcId"],
        tables=tables,
        ranges=RANGES,
    )
    stack.add(made.connection, *made.routes)
    stack.add(
        *peer_access(
            "Database", refs["GroupId"], refs["GroupId"],
            peer_range=RANGES.secondary, port=POSTGRESQL, why="The other region asks",
        )
    )  # fmt: skip
    stack.output("PeeringConnectionId", "The peering", made.id)
    return stack


def peer() -> StackTemplate:
    stack = StackTemplate("the way back")
    refs = {each.name: stack.parameter(each) for each in (*_OF_NETWORK[1:], PEERING)}
    tables = [refs[each.name] for each in TABLES]
    stack.add(
        *peer_routes(
            "Ledger", refs["PeeringConnectionId"], tables=tables, destination=RANGES.primary
        ),
        *peer_access(
            "Database", refs["GroupId"], refs["GroupId"],
            peer_range=RANGES.primary, port=POSTGRESQL, why="The other region asks",
        ),
    )  # fmt: skip
    stack.output("Peering", "The peering it routes over", refs["PeeringConnectionId"])
    return stack


def buses() -> StackTemplate:
    stack = StackTemplate("the bus")
    stack.add(event_bus("Ledger", BUS, "what happens to the ledger"))
    stack.output("Bus", "The bus", sub(BUS.name))
    return stack


def links() -> StackTemplate:
    stack = StackTemplate("what crosses to the other region, and what this one is told")
    rule = Rule(BUS, "ledger-crossing")
    dead = dead_letters(
        "Stranded",
        Queue("ledger-stranded"),
        tell=ALARMS,
        means="An event did not get to the other region.",
        admits_rule=rule.arn,
    )
    crossing = forwarding(
        stack,
        "Crossing",
        rule,
        source="ledger",
        detail_types=["Failed over", "Failed"],
        delivery=Delivery(attempts=5, longest_age=timedelta(hours=1), dead_letters=dead),
        describes="Tells the other region what is critical",
    )
    settings = configuration(
        "Ledger",
        SETTINGS,
        [
            Setting("region", Ref("AWS::Region"), "Region of these settings"),
            Setting("probe-seconds", "10", "How often the other region is asked"),
        ],
    )
    stack.add(*dead, *crossing, *settings)
    stack.output("Settings", "Where the settings are", sub(SETTINGS.path))
    return stack


def machines() -> StackTemplate:
    stack = StackTemplate("the machine")
    key = service_key("Log", "ledger-log", "x", use_by_log_groups(MACHINE.log_group))
    flow = Definition(comment="Does nothing", start="End", states={"End": Succeed()})
    stack.add(
        *key,
        *state_machine("Failover", MACHINE, flow, log_key=key, tell=ALARMS, means="It failed."),
    )
    stack.output("Machine", "The machine", MACHINE.arn())
    return stack


def operators() -> StackTemplate:
    stack = StackTemplate("who starts it")
    role = operator_role(stack, "Operator", "ledger-operator", machines=[MACHINE])
    stack.add(role)
    stack.output("Operator", "The role", GetAtt(role, "Arn"))
    return stack


def _given(*parameters: StackParameter) -> dict[str, ParameterValue]:
    return {each.name: OutputHere("ground", each.name) for each in parameters}


_EMAIL: dict[str, ParameterValue] = {"AlarmEmail": "a@b.example"}
_PEER: dict[str, ParameterValue] = {"PeerVpcId": OutputOf("ground", "VpcId", Where.SECONDARY)}
SYSTEM = System(
    name="linked",
    application="Ledger",
    regions=Regions(primary="us-east-1", secondary="us-east-2", witness="us-west-2"),
    objectives=Objectives(),
    operated_roles={operator_role_name("ledger-operator"): USED_BY},
    stacks=(
        Stack(name="alerts", build=alerts, where=Where.BOTH, parameters=_EMAIL),
        Stack(name="ground", build=ground, where=Where.BOTH),
        Stack(
            name="peering", build=peered, where=Where.PRIMARY, depends_on=("ground",),
            parameters={**_given(*_OF_NETWORK), **_PEER},
        ),
        Stack(
            name="peer", build=peer, where=Where.SECONDARY, depends_on=("ground", "peering"),
            parameters={
                **_given(*_OF_NETWORK[1:]),
                "PeeringConnectionId": OutputOf("peering", "PeeringConnectionId", Where.PRIMARY),
            },
        ),
        Stack(name="buses", build=buses, where=Where.BOTH),
        Stack(name="links", build=links, where=Where.BOTH, depends_on=("alerts", "buses")),
        Stack(name="machines", build=machines, where=Where.BOTH, depends_on=("alerts",)),
        Stack(
            name="operators", build=operators, where=Where.BOTH, depends_on=("machines",),
            parameters={OPERATORS.name: "arn:aws:iam::123456789012:role/on-call"},
        ),
    ),
)  # fmt: skip


@cache
def rendered() -> dict[str, RenderedStack]:
    return rendered_of(SYSTEM)


def parameters() -> dict[str, dict[str, object]]:
    return parameters_of(rendered())
