"""The tables, in both regions: what is acknowledged, who is active, and the sessions.

An order is acknowledged when the journal has it, and the journal answers when a second region has
it. Who is active is decided by the same means: a region that is cut off cannot write, and so
cannot take over. Sessions are replicated within about a second; they need to expire, which a
strongly consistent table cannot do.
"""

from troposphere import GetAtt, Ref

from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.table import replicated_table, strongly_consistent_table
from tap_templates.model.names import PRIMARY_REGION, SECONDARY_REGION, WITNESS_REGION
from templates.trading_dr.shared import APPLIED, FAILOVER, JOURNAL, PENDING, SESSIONS

_BOTH = (PRIMARY_REGION, SECONDARY_REGION)


def build() -> StackTemplate:
    """The journal, the state of failover, and the sessions."""
    stack = StackTemplate("trading-dr: the tables of orders, failover and sessions")
    journal = strongly_consistent_table(
        "Journal",
        JOURNAL,
        key="orderId",
        indexes=(PENDING, APPLIED),
        replicas=_BOTH,
        witness=WITNESS_REGION,
    )
    failover = strongly_consistent_table(
        "Failover", FAILOVER, key="id", replicas=_BOTH, witness=WITNESS_REGION
    )
    sessions = replicated_table(
        "Sessions", SESSIONS, key=("sessionId",), replicas=_BOTH, expires_at="expiresAt"
    )
    stack.add(journal, failover, sessions)
    for title, table, what in (
        ("Journal", journal, "journal of orders"),
        ("Failover", failover, "state of failover"),
        ("Sessions", sessions, "sessions"),
    ):
        stack.output(f"{title}TableName", f"Table of the {what}, in every region", Ref(table))
        stack.output(f"{title}TableArn", "ARN of its replica in this region", GetAtt(table, "Arn"))
    return stack
