"""How ranges are checked and cut: real numbers, apart, inside, with room left."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from troposphere import Equals, Ref, encode_to_dict

from tap_templates.blocks.network_ranges import IN_PRIMARY, ZONES, CidrPlan, Tier, in_primary
from tap_templates.blocks.stack import StackTemplate
from tap_templates.errors import ModelError

PLAN = CidrPlan(primary="10.40.0.0/16", secondary="10.41.0.0/16")


def arms(text) -> tuple[str, str]:
    condition, primary, secondary = encode_to_dict(text)["Fn::If"]
    assert condition == IN_PRIMARY
    return primary, secondary


def subnets(plan: CidrPlan, region: int) -> list[IPv4Network]:
    return [
        IPv4Network(arms(plan.subnet(tier, zone))[region]) for tier in Tier for zone in range(ZONES)
    ]


def test_a_review_sees_the_numbers_of_both_regions():
    assert arms(PLAN.vpc) == ("10.40.0.0/16", "10.41.0.0/16")
    assert arms(PLAN.subnet(Tier.PRIVATE, 0)) == ("10.40.0.0/20", "10.41.0.0/20")
    assert arms(PLAN.subnet(Tier.ISOLATED, 1)) == ("10.40.80.0/20", "10.41.80.0/20")
    assert arms(PLAN.subnet(Tier.PUBLIC, 2)) == ("10.40.160.0/20", "10.41.160.0/20")


def test_the_range_to_peer_with_is_the_one_of_the_other_region():
    assert arms(PLAN.peer) == tuple(reversed(arms(PLAN.vpc)))


@pytest.mark.parametrize("length", range(16, 25))
@pytest.mark.parametrize("region", [0, 1])
def test_subnets_lie_in_the_range_and_apart_and_leave_room(length, region):
    plan = CidrPlan(primary=f"10.40.0.0/{length}", secondary=f"172.16.0.0/{length}")
    vpc = IPv4Network(arms(plan.vpc)[region])
    found = subnets(plan, region)

    assert len(found) == len(Tier) * ZONES
    assert all(each.subnet_of(vpc) for each in found)
    assert not any(one.overlaps(other) for one, other in combinations(found, 2))
    assert sum(each.num_addresses for each in found) < vpc.num_addresses
    assert min(each.num_addresses for each in found) >= 16


@pytest.mark.parametrize(
    ("primary", "secondary", "problem"),
    [
        ("10.40.0.0/16", "10.40.0.0/16", "overlap"),
        ("10.40.0.0/16", "10.40.128.0/17", "overlap"),
        ("10.40.0.0/25", "10.41.0.0/16", "too small"),
        ("10.0.0.0/15", "172.16.0.0/16", "larger than a VPC"),
        ("8.8.0.0/16", "10.41.0.0/16", "is not private"),
        ("172.32.0.0/16", "10.41.0.0/16", "is not private"),
        ("10.40.0.1/16", "10.41.0.0/16", "is none"),
        ("10.40.0.0/16", "fd00::/56", "of the secondary region: is none"),
        ("ten", "10.41.0.0/16", "of the primary region: is none"),
        ("10.40.0.0", "10.41.0.0/16", "too small"),
    ],
)
def test_ranges_that_cannot_work_are_refused(primary, secondary, problem):
    with pytest.raises(ModelError, match=problem) as caught:
        CidrPlan(primary=primary, secondary=secondary)
    assert caught.value.remedy


@pytest.mark.parametrize("zone", [-1, ZONES])
def test_a_zone_that_is_not_there_is_refused(zone):
    with pytest.raises(ModelError, match=f"is in zone {zone}"):
        PLAN.subnet(Tier.PRIVATE, zone)


def test_the_condition_is_declared_once_however_many_ask():
    stack = StackTemplate("x")

    assert in_primary(stack) == in_primary(stack) == IN_PRIMARY
    assert encode_to_dict(stack.conditions[IN_PRIMARY]) == {
        "Fn::Equals": [{"Ref": "AWS::Region"}, {"Ref": "PrimaryRegion"}]
    }


def test_a_condition_of_that_name_that_means_something_else_is_refused():
    stack = StackTemplate("x")
    stack.condition(IN_PRIMARY, Equals(Ref("AWS::Region"), Ref("SecondaryRegion")))
    with pytest.raises(ModelError, match="is declared twice"):
        in_primary(stack)
