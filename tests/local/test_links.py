"""What links two regions on the engine: a peering with routes, settings, and events that cross."""

import json
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, SECONDARY, eventually
from local.reading import problems, spoiled
from local.stack_sets import StackSet

UNIQUE = uuid4().hex[:8]
RANGES = {PRIMARY: "10.70.0.0/16", SECONDARY: "10.71.0.0/16"}
BUS = f"bus-{UNIQUE}"
NAME = f"/ledger/{UNIQUE}/probe-seconds"


def template(resources, **outputs):
    made = {name: {"Value": value} for name, value in outputs.items()}
    return json.dumps({"Resources": resources, "Outputs": made})


def peering(vpc, table, peer):
    connection = {
        "Type": "AWS::EC2::VPCPeeringConnection",
        "Properties": {
            "VpcId": vpc,
            "PeerVpcId": peer,
            "PeerRegion": SECONDARY,
            "Tags": [{"Key": "Name", "Value": f"peering-{UNIQUE}"}],
        },
    }
    return template(
        {"Peering": connection, "Route": route(table, {"Ref": "Peering"}, SECONDARY)},
        Peering={"Ref": "Peering"},
    )


def route(table, connection, to):
    properties = {
        "RouteTableId": table,
        "DestinationCidrBlock": RANGES[to],
        "VpcPeeringConnectionId": connection,
    }
    return {"Type": "AWS::EC2::Route", "Properties": properties}


def output(made, region):
    (found,) = made.stack(region)["Outputs"]
    return found["OutputValue"]


@pytest.fixture
def network(clients):
    """A VPC with a route table in each region, by EC2's own API."""
    found = {}
    for region, cidr in RANGES.items():
        ec2 = clients("ec2", region)
        vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        found[region] = (vpc, ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    yield found
    for region, (vpc, table) in found.items():
        ec2 = clients("ec2", region)
        ec2.delete_route_table(RouteTableId=table)
        ec2.delete_vpc(VpcId=vpc)


def test_a_peering_is_accepted_routed_on_both_sides_read_back_and_taken_away(clients, network):
    (vpc, table), (peer, back) = network[PRIMARY], network[SECONDARY]
    body = peering(vpc, table, peer)
    made = StackSet(clients, TemplateBody=body).create(PRIMARY)
    identity = output(made, PRIMARY)
    answer = template({"Route": route(back, identity, PRIMARY)}, Route={"Ref": "Route"})
    returned = StackSet(clients, TemplateBody=answer).create(SECONDARY)
    for region in (PRIMARY, SECONDARY):
        asked = {"VpcPeeringConnectionIds": [identity]}
        found = clients("ec2", region).describe_vpc_peering_connections(**asked)
        (connection,) = found["VpcPeeringConnections"]
        assert connection["Status"]["Code"] == "active"
    assert problems(made, PRIMARY, body) == []
    assert problems(returned, SECONDARY, answer) == []
    (problem,) = problems(
        made, PRIMARY, spoiled(body, "Route", {"DestinationCidrBlock": "10.0.0.0/8"})
    )
    assert ": Route (" in problem
    (problem,) = problems(made, PRIMARY, spoiled(body, "Peering", {"PeerRegion": PRIMARY}))
    assert ": Peering (" in problem
    assert returned.delete(SECONDARY)["Status"] == "SUCCEEDED"
    assert made.delete(PRIMARY)["Status"] == "SUCCEEDED"
    left = clients("ec2").describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert [each for each in left if each["Status"]["Code"] == "active"] == []


def test_a_peering_with_nobody_fails_the_stack(clients, network):
    vpc, table = network[PRIMARY]
    made = StackSet(clients, TemplateBody=peering(vpc, table, "vpc-0123456789abcdef0"))
    operation = made.run("create_stack_instances", PRIMARY)
    assert operation["Status"] == "FAILED"
    assert "does not exist" in made.results(operation)[PRIMARY]["StatusReason"]
    made.delete(PRIMARY)


def setting(value):
    properties = {
        "Name": NAME,
        "Type": "String",
        "Value": value,
        "Tags": {"Owner": "tests"},
    }
    return template({"Setting": {"Type": "AWS::SSM::Parameter", "Properties": properties}})


def test_settings_are_each_regions_own(clients):
    body = setting({"Ref": "AWS::Region"})
    made = StackSet(clients, TemplateBody=body).create()
    for region in (PRIMARY, SECONDARY):
        ssm = clients("ssm", region)
        assert ssm.get_parameter(Name=NAME)["Parameter"]["Value"] == region
        below = ssm.get_parameters_by_path(Path=NAME.rpartition("/")[0], Recursive=True)
        assert [each["Name"] for each in below["Parameters"]] == [NAME]
        assert problems(made, region, body) == []
    (problem,) = problems(made, PRIMARY, spoiled(body, "Setting", {"Value": "another"}))
    assert ": Setting (" in problem
    assert made.run("update_stack_set", TemplateBody=setting("20"))["Status"] == "SUCCEEDED"
    assert clients("ssm").get_parameter(Name=NAME)["Parameter"]["Value"] == "20"
    assert made.delete()["Status"] == "SUCCEEDED"


def test_an_event_crosses_once_and_does_not_come_back(clients):
    account = clients.engine.account
    urls = {}
    for region in (PRIMARY, SECONDARY):
        events, sqs = clients("events", region), clients("sqs", region)
        events.create_event_bus(Name=BUS)
        urls[region] = sqs.create_queue(QueueName=f"crossed-{UNIQUE}")["QueueUrl"]
        other = SECONDARY if region == PRIMARY else PRIMARY
        for name, pattern, target in (
            (
                "cross",
                {"source": ["ledger"], "region": [region]},
                ("events", other, f"event-bus/{BUS}"),
            ),
            ("keep", {"source": ["ledger"]}, ("sqs", region, f"crossed-{UNIQUE}")),
        ):
            events.put_rule(Name=name, EventBusName=BUS, EventPattern=json.dumps(pattern))
            service, where, resource = target
            arn = f"arn:aws:{service}:{where}:{account}:{resource}"
            role = {"RoleArn": f"arn:aws:iam::{account}:role/any"} if service == "events" else {}
            targets = [{"Id": "it", "Arn": arn, **role}]
            events.put_targets(Rule=name, EventBusName=BUS, Targets=targets)
    entry = {"EventBusName": BUS, "Source": "ledger", "DetailType": "Failed", "Detail": "{}"}
    clients("events").put_events(Entries=[entry])

    def count(region):
        asked = {"QueueUrl": urls[region], "AttributeNames": ["ApproximateNumberOfMessages"]}
        found = clients("sqs", region).get_queue_attributes(**asked)["Attributes"]
        return int(found["ApproximateNumberOfMessages"])

    eventually(lambda: count(SECONDARY))
    assert (count(PRIMARY), count(SECONDARY)) == (1, 1)
    received = clients("sqs", SECONDARY).receive_message(QueueUrl=urls[SECONDARY])["Messages"]
    assert json.loads(received[0]["Body"])["region"] == PRIMARY
