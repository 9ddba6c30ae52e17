"""What a region is configured with: the same names in both, each with its own values.

For people and for whatever else of the firm works with the platform; the functions themselves are
told by their environment, so that none of them waits for Systems Manager in a failover.
"""

from troposphere import If, Ref

from tap_templates.blocks.configuration import Setting, configuration
from tap_templates.blocks.network_ranges import in_primary
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.text import Text, sub
from templates.trading_dr.shared import (
    API_URL,
    BUS,
    CLUSTER,
    CONFIG,
    CONFIGURATION,
    FAILBACK_MACHINE,
    FAILOVER_MACHINE,
    JOURNAL,
    ORDERS,
    SETTINGS,
)


def build() -> StackTemplate:
    """The parameters of this region."""
    stack = StackTemplate("trading-dr: the configuration of this region")
    first = in_primary(stack)
    values: dict[str, Text] = {
        "api-url": stack.parameter(API_URL),
        "bus-arn": BUS.arn(),
        "cluster": sub(CLUSTER.name),
        "config-bucket": sub(CONFIG.name),
        "failback-machine-arn": FAILBACK_MACHINE.arn(),
        "failover-machine-arn": FAILOVER_MACHINE.arn(),
        "journal-table": sub(JOURNAL.name),
        "order-queue-url": ORDERS.url,
        "other-region": If(first, Ref("SecondaryRegion"), Ref("PrimaryRegion")),
    }
    says = dict(SETTINGS)
    made = configuration(
        "Orders", CONFIGURATION, [Setting(key, values[key], says[key]) for key in sorted(says)]
    )
    stack.add(*made)
    stack.output("ConfigurationPath", "Where the parameters are", sub(CONFIGURATION.path))
    return stack
