"""The reference data. The only module that calls AWS, and it calls Query on one index alone."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from market_events.failures import UnknownInstrument, failure_of
from market_table import patterns
from market_table.instruments import Instrument, InvalidInstrument, instrument_of


class DynamoDB(Protocol):
    """The call of boto3's client that is used."""

    def query(self, **kwargs: Any) -> Mapping[str, Any]:
        """Find items by the key of an index."""


class Reference:
    """Says what a symbol was on a day."""

    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def instrument(self, symbol: str, day: str) -> Instrument:
        """Find the newest version valid on the day.

        Raises UnknownInstrument if there is none, or if what is there cannot be used; a failure of
        market_events if the table does not answer.
        """
        question = patterns.instrument_as_of(symbol, day)
        try:
            # Spelled out: the proof of privileges reads the table and the index off these lines.
            found = self._client.query(
                TableName=self._table,
                IndexName="GSI1",
                KeyConditionExpression=question.condition,
                ExpressionAttributeValues=question.values,
                ScanIndexForward=False,
                Limit=1,
            )
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error) from None
        items = found.get("Items", [])
        if not items:
            raise UnknownInstrument("no reference data is valid for the symbol on that day")
        try:
            return instrument_of(items[0])
        except InvalidInstrument as unusable:
            raise UnknownInstrument(f"the reference data cannot be used: {unusable}") from None
