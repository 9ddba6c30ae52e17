"""The transactions: one item an event, written once, whichever region writes first."""

from troposphere import GetAtt, Ref

from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.table import strongly_consistent_table
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION, WITNESS_REGION
from templates.trading_events.shared import TRANSACTIONS


def build() -> StackTemplate:
    """The table with a replica in each region of the pair and a witness in a third."""
    stack = StackTemplate("trading-events: the transactions table, in both regions")
    table = strongly_consistent_table(
        "Transactions",
        TRANSACTIONS,
        key="id",
        replicas=(PRIMARY_REGION, SECONDARY_REGION),
        witness=WITNESS_REGION,
    )
    stack.add(table)
    stack.output("TableName", "Name of the transactions table, in every region", Ref(table))
    stack.output("TableArn", "ARN of the replica in this region", GetAtt(table, "Arn"))
    return stack
