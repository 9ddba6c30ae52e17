"""Block: a DynamoDB global table, encrypted, recoverable in every replica, on demand.

One stack in one region makes the table and all its replicas; the others know it by name
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from awacs import aws
from awacs import dynamodb as actions
from troposphere import dynamodb

from tap_templates.blocks.alarm import Metric
from tap_templates.blocks.policy import allow
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.model.names import OWN_REGION, Kind, Name

LONGEST_RECOVERY_DAYS = 35  # DynamoDB's limit on RecoveryPeriodInDays


@dataclass(frozen=True, slots=True)
class Table:
    """The typed reference to a table, in whatever stack it is made."""

    purpose: str

    @property
    def name(self) -> str:
        return Name(Kind.TABLE, self.purpose).text()

    def arn(self, region: str = OWN_REGION) -> Text:
        """Name the replica in `region`: it is the local one that code talks to."""
        return sub(arn_text("dynamodb", f"table/{self.name}", region=region))

    def put_items(self) -> aws.Statement:
        """Grant writing items whole, conditionally or not; no reading, updating or deleting."""
        return allow("PutItems", [actions.PutItem], [self.arn()])

    def metric(self, name: str, *, operation: str, statistic: str = "Sum") -> Metric:
        """Measure one operation on the local replica: DynamoDB counts errors by operation."""
        return Metric(
            namespace="AWS/DynamoDB",
            name=name,
            statistic=statistic,
            dimensions={"TableName": sub(self.name), "Operation": operation},
        )


def strongly_consistent_table(
    title: str, table: Table, *, key: str, replicas: Sequence[str], witness: str
) -> dynamodb.GlobalTable:
    """Declare a table whose conditional writes see the latest version in every region (MRSC).

    A write returns once a second region has it, so no acknowledged item is lost with a region.
    Needs two replicas and a witness, and excludes TTL, local indexes and transactions
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html).
    """
    return dynamodb.GlobalTable(
        f"{title}Table",
        TableName=sub(table.name),
        AttributeDefinitions=[dynamodb.AttributeDefinition(AttributeName=key, AttributeType="S")],
        KeySchema=[dynamodb.KeySchema(AttributeName=key, KeyType="HASH")],
        BillingMode="PAY_PER_REQUEST",
        MultiRegionConsistency="STRONG",
        GlobalTableWitnesses=[dynamodb.GlobalTableWitness(Region=sub(witness))],
        SSESpecification=dynamodb.GlobalTableSSESpecification(SSEEnabled=True, SSEType="KMS"),
        Replicas=[_replica(region) for region in replicas],
    )


def _replica(region: str) -> dynamodb.ReplicaSpecification:
    return dynamodb.ReplicaSpecification(
        Region=sub(region),
        PointInTimeRecoverySpecification=dynamodb.PointInTimeRecoverySpecification(
            PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=LONGEST_RECOVERY_DAYS
        ),
    )
