"""Block: the role with which people start recovery, from whichever region they can reach.

IAM is one for all regions, so a role made by either region's stack is there when the other region
is down; what it may do is said for the machines of both. It trusts the account and holds that to
principals by name, since a role that is deleted and made again would no longer be the one trusted
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
"""

from collections.abc import Sequence

from awacs import aws, states
from troposphere import If, Ref, iam

from tap_templates.blocks.network_ranges import in_primary
from tap_templates.blocks.policy import allow, document, trust_own_principals
from tap_templates.blocks.stack import StackParameter, StackTemplate
from tap_templates.blocks.state_machine import StateMachine
from tap_templates.blocks.text import sub
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION, Kind, Name

OPERATORS = StackParameter(
    name="OperatorArns",
    group="Recovery",
    label="Operators",
    description="ARNs of the users and roles of this account that may start recovery by hand, "
    "separated by commas; a star stands for part of a name.",
    type="CommaDelimitedList",
    pattern=r"arn:aws[a-z-]*:iam::([0-9]{12}|[*]):(user|role)/[A-Za-z0-9+=,.@_/-]+[*]?",
    constraint="ARNs of users or roles, separated by commas",
)
USED_BY = "people assume it to start a failover or a return by hand"


def operator_role_name(purpose: str) -> str:
    """Spell the name of the role, for `System.operated_roles`."""
    return Name(Kind.ROLE, purpose).text()


def operator_role(
    stack: StackTemplate, title: str, purpose: str, *, machines: Sequence[StateMachine]
) -> iam.Role:
    """Declare a role that may start `machines`, in both regions, and nothing else.

    `stack` gets the parameter `OperatorArns`. The system must name the role among its
    `operated_roles`, as nothing in the templates runs with it.
    """
    operators = stack.parameter(OPERATORS)
    first = in_primary(stack)
    own = [machine.arn() for machine in machines]
    other = [
        If(first, machine.arn(SECONDARY_REGION), machine.arn(PRIMARY_REGION))
        for machine in machines
    ]
    there = If(first, Ref("SecondaryRegion"), Ref("PrimaryRegion"))
    start = allow(
        "StartRecovery",
        [states.StartExecution],
        [*own, *other],
        aws.StringEquals({"aws:RequestedRegion": [Ref("AWS::Region"), there]}),
    )
    return iam.Role(
        f"{title}Role",
        RoleName=sub(operator_role_name(purpose)),
        Description="Starts recovery by hand, from either region",
        AssumeRolePolicyDocument=trust_own_principals(operators),
        MaxSessionDuration=3600,
        Policies=[iam.Policy(PolicyName="grants", PolicyDocument=document(start))],
    )
