"""The table of everything: events, time series and instruments, the same in both regions."""

from troposphere import GetAtt, Ref

from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.table import replicated_table
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION
from templates.market_pipeline.shared import EVENTS, GSI1, TIME_SERIES


def build() -> StackTemplate:
    """One table with two indexes; docs/market-pipeline/access-patterns.md says who reads how."""
    stack = StackTemplate("market-pipeline: the table of events and instruments, in both regions")
    table = replicated_table(
        "Events",
        EVENTS,
        key=("PK", "SK"),
        indexes=(GSI1, TIME_SERIES),
        replicas=(PRIMARY_REGION, SECONDARY_REGION),
    )
    stack.add(table)
    stack.output("TableName", "Name of the table, in every region", Ref(table))
    stack.output("TableArn", "ARN of the replica in this region", GetAtt(table, "Arn"))
    return stack
