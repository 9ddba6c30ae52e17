"""The handlers of the small payments-dr: one logs in to a cluster by IAM, one reads a secret."""

API_CODE = """
import os
import boto3
import psycopg
from aurora_access.settings import Settings, password_by_iam
_region = os.environ["AWS_REGION"]
_settings = Settings.of(os.environ)
_password = password_by_iam(boto3.client("rds", region_name=_region), _settings)
_table = boto3.client("dynamodb", region_name=_region)
def handler(event, context):
    with psycopg.connect(host=_settings.host, password=_password()) as connection:
        connection.execute("SELECT 1")
    _table.get_item(TableName=os.environ["TABLE_NAME"], Key={"sessionId": {"S": event["id"]}})
    _table.update_item(TableName=os.environ["TABLE_NAME"], Key={"sessionId": {"S": event["id"]}})
"""
SETTINGS_MODULE = """
from dataclasses import dataclass
@dataclass(frozen=True)
class Settings:
    host: str
    user: str
    @classmethod
    def of(cls, environment):
        return cls(host=environment["DB_HOST"], user=environment["DB_USER"])
def password_by_iam(rds, settings):
    return lambda: rds.generate_db_auth_token(
        DBHostname=settings.host, Port=5432, DBUsername=settings.user
    )
"""
SCHEMA_CODE = """
import http.client
import json
import os
import urllib.parse
import boto3
import psycopg
_secrets = boto3.client("secretsmanager", region_name=os.environ["AWS_REGION"])
def handler(event, context):
    text = _secrets.get_secret_value(SecretId=os.environ["SECRET_ARN"])["SecretString"]
    with psycopg.connect(password=json.loads(text)["password"]) as connection:
        connection.execute("CREATE TABLE payments ()")
    url = urllib.parse.urlsplit(event["ResponseURL"])
    connection = http.client.HTTPSConnection(url.hostname, timeout=5)
    connection.request("PUT", f"{url.path}?{url.query}", b"{}", {"content-type": ""})
"""
