"""Planted openings of security groups, each with a twin that lets the same or less through."""

import pytest

from tap_templates.diff.model import FlagName
from tap_templates.diff.security.network.analyser import judge_network


def _rule(protocol="tcp", ports=443, **peer):
    first, last = ports if isinstance(ports, tuple) else (ports, ports)
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last,
            **(peer or {"CidrIp": "10.0.0.0/16"})}  # fmt: skip


def _group(*rules, egress=None):
    properties = {"GroupDescription": "d", "SecurityGroupIngress": list(rules)}
    if egress is not None:
        properties["SecurityGroupEgress"] = egress
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


def _apart(rule, group="Group", kind="Ingress"):
    return {
        "Type": f"AWS::EC2::SecurityGroup{kind}",
        "Properties": {"GroupId": {"Fn::GetAtt": [group, "GroupId"]}, **rule},
    }


OTHER = {"SourceSecurityGroupId": {"Fn::GetAtt": ["Other", "GroupId"]}}
OPENINGS = [
    ([_rule()], [_rule(CidrIp="0.0.0.0/0")], "tcp 443 from 0.0.0.0/0"),
    ([_rule()], [_rule(CidrIp="10.0.0.0/8")], "tcp 443 from 10.0.0.0/8"),
    ([_rule()], [_rule(), _rule(ports=22, CidrIp="0.0.0.0/0")], "tcp 22 from 0.0.0.0/0"),
    ([_rule()], [_rule(ports=(80, 443))], "tcp 80-442 from 10.0.0.0/16"),
    ([_rule()], [_rule(protocol="-1")], "all traffic from 10.0.0.0/16"),
    ([_rule()], [_rule(), _rule(protocol="udp")], "udp 443 from 10.0.0.0/16"),
    ([_rule()], [_rule(), _rule(CidrIpv6="::/0")], "tcp 443 from ::/0"),
    ([_rule()], [_rule(), _rule(**OTHER)], "tcp 443 from ${Other}"),
    ([_rule(CidrIp="0.0.0.0/0")], [_rule(CidrIpv6="fd00::/8")], "tcp 443 from fd00::/8"),
    (
        [_rule(CidrIp="10.0.0.0/17"), _rule(CidrIp="10.0.192.0/18")],
        [_rule()],
        "tcp 443 from 10.0.0.0/16",
    ),
    ([_rule()], [_rule(), _rule(SourcePrefixListId="pl-1")],
     "tcp 443 from SourcePrefixListId pl-1"),
]  # fmt: skip
OTHERS = {"Other": _group()}


@pytest.mark.parametrize(("before", "after", "witness"), OPENINGS)
def test_an_opening_is_told(judge, before, after, witness):
    old, new = {"Group": _group(*before), **OTHERS}, {"Group": _group(*after), **OTHERS}
    (flag,) = judge(judge_network, old, new)
    assert (flag.name, flag.certain) == (FlagName.NETWORK_BROADENING, True)
    assert flag.witness == witness
    apart = {f"Rule{n}": _apart(each) for n, each in enumerate(after)}
    flags = judge(judge_network, old, {"Group": _group(*before), **OTHERS, **apart})
    assert witness in {each.witness for each in flags}


SILENT = [
    ([_rule(CidrIp="0.0.0.0/0")], [_rule()]),
    ([_rule(CidrIp="10.0.0.0/8")], [_rule(CidrIp="10.0.0.0/16"), _rule(CidrIp="10.9.0.0/16")]),
    ([_rule()], [_rule(CidrIp="10.0.0.0/17"), _rule(CidrIp="10.0.128.0/17")]),
    ([_rule(CidrIp="10.0.0.0/17"), _rule(CidrIp="10.0.128.0/17")], [_rule()]),
    ([_rule(ports=(1, 100))], [_rule(ports=(1, 50)), _rule(ports=(51, 100))]),
    ([_rule(ports=(1, 50)), _rule(ports=(51, 100))], [_rule(ports=(1, 100))]),
    ([_rule(protocol="-1")], [_rule(protocol="udp"), _rule()]),
    ([_rule(CidrIp="0.0.0.0/0")], [_rule(**OTHER)]),
    ([_rule(**OTHER), _rule()], [_rule(), _rule(**OTHER)]),
    ([_rule(protocol="6")], [_rule()]),
]


@pytest.mark.parametrize(("before", "after"), SILENT)
def test_the_same_or_less_is_silent(judge, before, after):
    old, new = {"Group": _group(*before), **OTHERS}, {"Group": _group(*after), **OTHERS}
    assert judge(judge_network, old, new) == []


def test_a_rule_that_moves_out_of_its_group_is_silent(judge):
    inline, apart = {"Group": _group(_rule())}, {"Group": _group(), "Rule": _apart(_rule())}
    assert judge(judge_network, inline, apart) == []
    assert judge(judge_network, apart, inline) == []


def test_what_goes_out(judge):
    some = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"}]
    open_group, closed = {"Group": _group()}, {"Group": _group(egress=some)}
    assert judge(judge_network, open_group, closed) == []
    flags = judge(judge_network, closed, open_group)
    assert [each.witness for each in flags] == ["all traffic to 0.0.0.0/0", "all traffic to ::/0"]


def test_a_new_group_tells_what_it_lets_in(judge):
    (flag,) = judge(judge_network, {}, {"Group": _group(_rule(ports=22, CidrIp="0.0.0.0/0"))})
    assert flag.witness == "tcp 22 from 0.0.0.0/0"
    assert judge(judge_network, {}, {"Group": _group()}) == []
    assert judge(judge_network, {"Group": _group(_rule())}, {}) == []


def test_what_hangs_on_a_parameter_is_uncertain(judge):
    parameters = {"Range": {"Type": "String"}}
    before, after = _rule(), _rule(CidrIp={"Ref": "Range"})
    (flag,) = judge(
        judge_network, {"Group": _group(before)}, {"Group": _group(after)}, parameters=parameters
    )
    assert not flag.certain
    everywhere = {"Group": _group(_rule(CidrIp="0.0.0.0/0"))}
    assert judge(judge_network, everywhere, {"Group": _group(after)}, parameters=parameters) == []


def test_a_rule_that_cannot_be_read_is_told(judge):
    odd = {"IpProtocol": "tcp", "FromPort": {"Ref": "Port"}, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
    parameters = {"Port": {"Type": "Number"}}
    old, new = {"Group": _group(_rule())}, {"Group": _group(_rule(), odd)}
    (flag,) = judge(judge_network, old, new, parameters=parameters)
    assert not flag.certain
    assert judge(judge_network, new, {"Group": _group(odd)}, parameters=parameters) == []
