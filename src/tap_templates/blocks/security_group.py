"""Block: security groups that let nothing through but what is admitted, in both directions.

Traffic is admitted from group to group, by an ingress and an egress of their own: rules inside the
groups would make groups that name each other depend on each other.

The default group of a VPC admits its members to each other and lets everything out. AWS makes it
with the VPC and CloudFormation can neither empty nor delete it, so nothing here is put into it;
emptying it is a step for the account (AWS Config: vpc-default-security-group-closed).

Security groups do not apply to the VPC's own resolver: names are resolved without a rule.
"""

import re
from typing import NamedTuple

from troposphere import GetAtt, ec2

from tap_templates.blocks.network_parts import named
from tap_templates.blocks.text import Text
from tap_templates.errors import ModelError

HTTPS = 443
POSTGRESQL = 5432
_LAST_PORT = 65535
_NOWHERE = "127.0.0.1/32"
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
_DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}")

Group = ec2.SecurityGroup | Text
"""A group of the same template, or the id of another stack's."""


class Admission(NamedTuple):
    ingress: ec2.SecurityGroupIngress
    egress: ec2.SecurityGroupEgress


def security_group(title: str, purpose: str, vpc_id: Text, *, describes: str) -> ec2.SecurityGroup:
    """Declare a group that admits nothing and lets nothing out.

    Its one rule leads to the interface itself: with none, EC2 would put in the one that lets
    everything out (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html).
    It gets no GroupName: a description cannot change, so a change of it makes a second group
    before the first goes.
    """
    nothing = ec2.SecurityGroupRule(
        IpProtocol="-1", CidrIp=_NOWHERE, Description="Nothing, in place of everything"
    )
    return ec2.SecurityGroup(
        f"{title}SecurityGroup",
        GroupDescription=_described(title, describes),
        VpcId=vpc_id,
        SecurityGroupEgress=[nothing],
        Tags=named("security-group", purpose),
    )


def group_id(group: Group) -> Text:
    """Refer to a group as EC2 wants it; its Ref is the id only inside a VPC."""
    return GetAtt(group, "GroupId") if isinstance(group, ec2.SecurityGroup) else group


def admit(title: str, source: Group, target: Group, *, port: int, why: str) -> Admission:
    """Admit TCP from the members of `source` to those of `target`, on one port, both ways told.

    Both groups are of one region: a peered VPC elsewhere is known by its range alone.
    """
    if not 0 < port <= _LAST_PORT:
        raise ModelError(f"admission {title}", f"is to port {port}", f"take 1 to {_LAST_PORT}")
    ingress = ec2.SecurityGroupIngress(
        f"{title}Ingress",
        GroupId=group_id(target),
        SourceSecurityGroupId=group_id(source),
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
        Description=_described(title, why),
    )
    egress = ec2.SecurityGroupEgress(
        f"{title}Egress",
        GroupId=group_id(source),
        DestinationSecurityGroupId=group_id(target),
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
        Description=_described(title, why),
    )
    return Admission(ingress, egress)


def https_to_anywhere(title: str, source: Group, *, why: str) -> ec2.SecurityGroupEgress:
    """Let the members of `source` open HTTPS connections to any address.

    Gateway endpoints need it: DynamoDB and S3 are reached at their public addresses, which AWS
    keeps in prefix lists. Naming the lists would be narrower, but CloudFormation cannot look up
    their ids, they differ by region, and a parameter has one value for both. What holds the callers
    instead is their role, the policies of the endpoints, and the flow log that is kept of them.
    """
    return ec2.SecurityGroupEgress(
        f"{title}HttpsEgress",
        GroupId=group_id(source),
        CidrIp="0.0.0.0/0",
        IpProtocol="tcp",
        FromPort=HTTPS,
        ToPort=HTTPS,
        Description=_described(title, why),
    )


def _described(title: str, text: str) -> str:
    if not _DESCRIPTION.fullmatch(text):
        raise ModelError(
            f"security group rules {title}",
            f"are described by {text!r}, which EC2 refuses",
            "take up to 255 letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*",
        )
    return text
