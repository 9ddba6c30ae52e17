"""The handlers of the small market-pipeline: each uses a part of the folder they share."""

STEP_CODE = """
import os
import boto3
from market_shared.keys import key_of
from market_shared.table import Table
_table = Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"])
_s3, _sns = boto3.client("s3"), boto3.client("sns")
def handler(event, context):
    found = _table.known(event["id"]) or _table.instrument(event["symbol"])
    _table.store(event.get("item"))
    _table.undo(event.get("id"))
    _s3.put_object(Bucket=os.environ["BUCKET_NAME"], Key=key_of(event["day"]), IfNoneMatch="*")
    _sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=str(found))
"""
KEYS_MODULE = """
def key_of(day):
    return f"events/{day}.json"
"""
TABLE_MODULE = """
class Table:
    def __init__(self, client, name):
        self._client = client
        self._name = name
    def known(self, id):
        return self._client.get_item(TableName=self._name, Key={"PK": {"S": id}})
    def instrument(self, symbol):
        return self._client.query(TableName=self._name, IndexName="GSI1")
    def store(self, item):
        self._client.put_item(TableName=self._name, Item=item)
    def undo(self, id):
        self._client.update_item(TableName=self._name, Key={"PK": {"S": id}})
    def forget(self, id):
        self._client.delete_item(TableName=self._name, Key={"PK": {"S": id}})
"""
INGESTION_CODE = """
import os
import boto3
from market_shared.keys import key_of
SOURCE = "market.data"
_client = boto3.client("events")
def _entry(event):
    return {
        "EventBusName": os.environ["BUS_NAME"],
        "Source": SOURCE,
        "DetailType": "market.event",
        "Detail": key_of(event),
    }
def handler(event, context):
    _client.put_events(Entries=[_entry(each) for each in event["events"]])
"""
