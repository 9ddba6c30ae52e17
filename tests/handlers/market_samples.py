"""Events, instruments and tables that tests of the market pipeline start from."""

from typing import Any

from market_events.schema import MarketEvent, parse

TABLE = "table-market-events-test"
REGION = "us-east-1"
BUCKET = "bucket-market-audit-test"
TOPIC = f"arn:aws:sns:{REGION}:111122223333:topic-market-alarms-test"
ID = "0b7d4a52-6a0f-4f0e-8f59-0d1f6f3b0a01"
OTHER_ID = "0b7d4a52-6a0f-4f0e-8f59-0d1f6f3b0a02"
EXECUTION = "11111111-2222-3333-4444-555555555555_66666666-7777-8888-9999-000000000000"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "BUCKET_NAME": BUCKET,
    "TABLE_NAME": TABLE,
    "TOPIC_ARN": TOPIC,
    "POWERTOOLS_METRICS_NAMESPACE": "MarketPipeline",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


def trade(**changes: str) -> dict[str, str]:
    """A valid trade, as the bus carries it."""
    return {
        "eventId": ID,
        "type": "trade",
        "symbol": "ASML",
        "venue": "XAMS",
        "currency": "EUR",
        "occurredAt": "2026-11-20T15:04:05.123000Z",
        "tradeId": "T-1",
        "price": "612.4",
        "quantity": "25",
        **changes,
    }


def quote(**changes: str) -> dict[str, str]:
    """A valid quote, as the bus carries it."""
    return {
        "eventId": ID,
        "type": "quote",
        "symbol": "ASML",
        "venue": "XAMS",
        "currency": "EUR",
        "occurredAt": "2026-11-20T15:04:05.123000Z",
        "bidPrice": "612.3",
        "bidSize": "100",
        "askPrice": "612.4",
        "askSize": "50",
        **changes,
    }


def instrument(**changes: str) -> dict[str, str]:
    """A valid version of the instrument, as a file of reference data has it."""
    return {
        "symbol": "ASML",
        "isin": "NL0010273215",
        "name": "ASML Holding",
        "assetClass": "equity",
        "currency": "EUR",
        "tickSize": "0.1",
        "lotSize": "1",
        "validFrom": "2026-01-01",
        **changes,
    }


def enrichment(kind: str = "trade", **changes: str) -> dict[str, str]:
    """What enrichment says of the sample of a type."""
    derived = {"notional": "15310"} if kind == "trade" else {"mid": "612.35", "spread": "0.1"}
    return {
        "isin": "NL0010273215",
        "instrumentName": "ASML Holding",
        "assetClass": "equity",
        "tickSize": "0.1",
        "lotSize": "1",
        "validFrom": "2026-01-01",
        "onTick": "true",
        **derived,
        **changes,
    }


def payload(detail: dict[str, str], *, execution: str = EXECUTION, **more: Any) -> dict[str, Any]:
    """A task's payload, as the state machine makes it after validation."""
    event: MarketEvent = parse(detail)
    return {
        "event": event.canonical(),
        "digest": event.digest,
        "execution": execution,
        **more,
    }


def create_table(client: Any) -> None:
    """Make the table with its indexes."""
    keys = ("PK", "SK", "GSI1PK", "GSI1SK", "TS_PK", "TS_SK")

    def schema(partition: str, sort: str) -> list[dict[str, str]]:
        return [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ]

    client.create_table(
        TableName=TABLE,
        KeySchema=schema("PK", "SK"),
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": schema(partition, sort),
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, partition, sort in (
                ("GSI1", "GSI1PK", "GSI1SK"),
                ("TimeSeriesIndex", "TS_PK", "TS_SK"),
            )
        ],
        BillingMode="PAY_PER_REQUEST",
    )
