"""What an operator may choose for a region, and what the deployer fills in."""

from tap_templates.blocks.parameters import burst_parameter, rate_parameter
from tap_templates.blocks.stack import StackParameter

YES, NO = "yes", "no"

CONCURRENCY = StackParameter(
    name="PaymentsConcurrency",
    group="Payments",
    label="Concurrent executions",
    description="Payments that are booked at a time, each on a connection of its own; "
    "what exceeds it is told to come again.",
    type="Number",
    default=50,
    at_least=1,
    at_most=500,
    constraint="1 to 500; the database must take as many connections",
)
RATE = rate_parameter("Payments", 200)
BURST = burst_parameter("Payments", 100)
BACK_UP_SECONDARY = StackParameter(
    name="BackUpSecondary",
    group="Backup",
    label="Back up the secondary too",
    description="yes: daily backups of the secondary's cluster as well, copied to the primary. "
    "Turn it on while the roles are swapped.",
    default=NO,
    allowed=(NO, YES),
    constraint="yes or no",
)
OTHER_VAULT_KEY = StackParameter(
    name="OtherVaultKeyArn",
    group="Backup",
    label="Key of the other region's vault",
    description="Output VaultKeyArn of the recovery stack in the other region; "
    "the deployer fills it in.",
    pattern=r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}",
    constraint="the ARN of a key",
)
