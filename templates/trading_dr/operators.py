"""Whom people become to start a failover or a failback by hand, from whichever region is left."""

from troposphere import GetAtt

from tap_templates.blocks.operator_role import operator_role
from tap_templates.blocks.stack import StackTemplate
from templates.trading_dr.shared import FAILBACK_MACHINE, FAILOVER_MACHINE, OPERATORS


def build() -> StackTemplate:
    """The role of this region, which is good for both."""
    stack = StackTemplate("trading-dr: the role of those who start recovery by hand")
    role = operator_role(
        stack, "Operators", OPERATORS, machines=(FAILOVER_MACHINE, FAILBACK_MACHINE)
    )
    stack.add(role)
    stack.output("OperatorRoleArn", "Role that starts recovery", GetAtt(role, "Arn"))
    return stack
