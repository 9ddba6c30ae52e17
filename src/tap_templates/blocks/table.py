"""Block: a DynamoDB global table, encrypted, recoverable in every replica, on demand.

One stack in one region makes the table and all its replicas; the others know it by name
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from awacs import aws
from awacs import dynamodb as actions
from troposphere import cloudwatch, dynamodb

from tap_templates.blocks.alarm import Metric, alarm
from tap_templates.blocks.policy import allow
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.blocks.topic import Topic
from tap_templates.model.names import OWN_REGION, Kind, Name

LONGEST_RECOVERY_DAYS = 35  # DynamoDB's limit on RecoveryPeriodInDays


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A global secondary index with all attributes; both keys are text."""

    name: str
    partition: str
    sort: str


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

    def get_items(self, *others: "Table") -> aws.Statement:
        """Grant reading single items by their key, of others as well; no querying, no scanning."""
        return allow("GetItems", [actions.GetItem], _arns(self, *others))

    def query(self, index: Index) -> aws.Statement:
        """Grant querying one index; neither the table itself nor other indexes."""
        arn = sub(arn_text("dynamodb", f"table/{self.name}/index/{index.name}"))
        return allow(f"Query{index.name}", [actions.Query], [arn])

    def update_items(self, *others: "Table") -> aws.Statement:
        """Grant updating single items, conditionally or not; no reading, no deleting."""
        return allow("UpdateItems", [actions.UpdateItem], _arns(self, *others))

    def put_items(self, *others: "Table") -> aws.Statement:
        """Grant writing items whole, conditionally or not; no reading, updating or deleting."""
        return allow("PutItems", [actions.PutItem], _arns(self, *others))

    def metric(self, name: str, *, operation: str | None = None, statistic: str = "Sum") -> Metric:
        """Measure the local replica: errors by operation, capacity for all of them."""
        by_operation: dict[str, Text] = {} if operation is None else {"Operation": operation}
        return Metric(
            namespace="AWS/DynamoDB",
            name=name,
            statistic=statistic,
            dimensions={"TableName": sub(self.name), **by_operation},
        )


def _arns(*tables: Table) -> list[Text]:
    return [each.arn() for each in tables]


def strongly_consistent_table(
    title: str,
    table: Table,
    *,
    key: str,
    indexes: Sequence[Index] = (),
    replicas: Sequence[str],
    witness: str,
) -> dynamodb.GlobalTable:
    """Declare a table whose conditional writes see the latest version in every region (MRSC).

    A write returns once a second region has it, so no acknowledged item is lost with a region. A
    query of an index is eventually consistent all the same: what it gives is a hint, to be read
    again by its key. Needs two replicas and a witness, and excludes TTL, local indexes and
    transactions
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html).
    """
    made = _table(title, table, (key,), indexes=indexes, replicas=replicas)
    made.MultiRegionConsistency = "STRONG"
    made.GlobalTableWitnesses = [dynamodb.GlobalTableWitness(Region=sub(witness))]
    return made


def replicated_table(
    title: str,
    table: Table,
    *,
    key: tuple[str, ...],
    indexes: Sequence[Index] = (),
    replicas: Sequence[str],
    expires_at: str | None = None,
) -> dynamodb.GlobalTable:
    """Declare a table that replicates within about a second, last writer wins (MREC).

    Conditions of writes are judged by the replica that takes the write, so they decide nothing
    between regions. `key` names the partition key and, if there is one, the sort key; all keys are
    text. `expires_at` names the attribute with the second in which an item may go
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html).
    """
    made = _table(title, table, key, indexes=indexes, replicas=replicas)
    made.MultiRegionConsistency = "EVENTUAL"
    # Replication reads the stream: with more than one replica DynamoDB demands it.
    made.StreamSpecification = dynamodb.StreamSpecification(StreamViewType="NEW_AND_OLD_IMAGES")
    if expires_at is not None:
        made.TimeToLiveSpecification = dynamodb.TimeToLiveSpecification(
            AttributeName=expires_at, Enabled=True
        )
    return made


def _table(
    title: str,
    table: Table,
    key: tuple[str, ...],
    *,
    indexes: Sequence[Index],
    replicas: Sequence[str],
) -> dynamodb.GlobalTable:
    """Declare what both kinds of table have alike; all keys are text."""
    attributes = {*key, *(name for index in indexes for name in (index.partition, index.sort))}
    made = dynamodb.GlobalTable(
        f"{title}Table",
        TableName=sub(table.name),
        AttributeDefinitions=[
            dynamodb.AttributeDefinition(AttributeName=name, AttributeType="S")
            for name in sorted(attributes)
        ],
        KeySchema=_keys(*key),
        BillingMode="PAY_PER_REQUEST",
        SSESpecification=dynamodb.GlobalTableSSESpecification(SSEEnabled=True, SSEType="KMS"),
        Replicas=[_replica(region) for region in replicas],
    )
    if indexes:
        made.GlobalSecondaryIndexes = [
            dynamodb.GlobalTableGlobalSecondaryIndex(
                IndexName=index.name,
                KeySchema=_keys(index.partition, index.sort),
                Projection=dynamodb.Projection(ProjectionType="ALL"),
            )
            for index in indexes
        ]
    return made


def write_alarms(table: Table, *, what: str, tell: Topic) -> Iterator[cloudwatch.Alarm]:
    """Declare the alarms on writing items whole; `what` is what they are, in the plural.

    Throttling passes by itself, so it has five minutes; an error of DynamoDB's own rings at once.
    """
    yield alarm(
        "TableThrottled",
        f"{table.purpose}-throttled",
        table.metric("ThrottledRequests", operation="PutItem"),
        above=0,
        periods=5,
        tell=tell,
        means=f"Writing {what} has been throttled for five minutes.",
    )
    yield alarm(
        "TableFailing",
        f"{table.purpose}-failing",
        table.metric("SystemErrors", operation="PutItem"),
        above=0,
        tell=tell,
        means=f"DynamoDB fails on writing {what} in this region.",
    )


def _keys(*names: str) -> list[dynamodb.KeySchema]:
    return [
        dynamodb.KeySchema(AttributeName=name, KeyType=kind)
        for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
    ]


def _replica(region: str) -> dynamodb.ReplicaSpecification:
    return dynamodb.ReplicaSpecification(
        Region=sub(region),
        PointInTimeRecoverySpecification=dynamodb.PointInTimeRecoverySpecification(
            PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=LONGEST_RECOVERY_DAYS
        ),
    )
