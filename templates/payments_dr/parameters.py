"""What an operator may choose for a region, and what the deployer fills in."""

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
RATE = StackParameter(
    name="RequestRate",
    group="Payments",
    label="Requests a second",
    description="What the API lets through on average before it answers 429.",
    type="Number",
    default=200,
    at_least=1,
    at_most=10000,
    constraint="1 to 10000 requests a second",
)
BURST = StackParameter(
    name="RequestBurst",
    group="Payments",
    label="Requests at once",
    description="What the API lets through at once before it answers 429.",
    type="Number",
    default=100,
    at_least=1,
    at_most=5000,
    constraint="1 to 5000 requests",
)
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
