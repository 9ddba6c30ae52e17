"""The sessions: one table, written in both regions, whose items expire."""

from troposphere import GetAtt, Ref

from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.table import replicated_table
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from templates.payments_dr.shared import SESSIONS


def build() -> StackTemplate:
    """The table with a replica in each region."""
    stack = StackTemplate("payments-dr: the table of sessions, in both regions")
    table = replicated_table(
        "Sessions",
        SESSIONS,
        key=("sessionId",),
        replicas=(PRIMARY_REGION, SECONDARY_REGION),
        expires_at="expiresAt",
    )
    stack.add(table)
    stack.output("TableName", "Name of the table, in every region", Ref(table))
    stack.output("TableArn", "ARN of the replica in this region", GetAtt(table, "Arn"))
    return stack
