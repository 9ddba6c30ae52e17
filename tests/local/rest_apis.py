"""A REST API as the block makes it, before a function of a few lines, and requests to it."""

import json
import urllib.error
import urllib.request
from uuid import uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from local.conftest import PRIMARY, SECONDARY
from local.stack_sets import StackSet, parameters
from troposphere import Ref, encode_to_dict

from tap_templates.blocks.function import Function
from tap_templates.blocks.http_api import Throttle
from tap_templates.blocks.key import service_key, use_by_log_groups
from tap_templates.blocks.rest_api import JsonBody, RestApi, Route, rest_api
from tap_templates.blocks.rest_api_account import access_logs
from tap_templates.blocks.rest_api_domain import rest_api_domain

UNIQUE = uuid4().hex[:8]
ZONE = f"shop-{UNIQUE}.example.com"
NAME = f"api.{ZONE}"
WHY = "Route 53 asks without a signature."
BODY = JsonBody(
    title="Book",
    describes="A book",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["title"],
        "properties": {"title": {"type": "string", "minLength": 1}},
    },
)
ROUTES = (
    Route(method="POST", path="/books", body=BODY),
    Route(method="GET", path="/books/{bookId}"),
    Route(method="GET", path="/fails", open_because=WHY),
    Route(method="GET", path="/health/deep", open_because=WHY),
)
LATER = Route(method="GET", path="/later", open_because=WHY)
CODE = """
import json, os

def handler(event, context):
    if event["resource"] == "/fails":
        raise RuntimeError("a secret of the function")
    said = {"event": event, "region": os.environ["AWS_REGION"]}
    return {"statusCode": 202 if event["httpMethod"] == "POST" else 200, "body": json.dumps(said)}
"""
_STORE = Function("store")


def zone():
    properties = {"Name": ZONE, "HostedZoneConfig": {"Comment": "of the tests"}}
    return json.dumps(
        {
            "Resources": {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": properties}},
            "Outputs": {"Zone": {"Value": {"Fn::GetAtt": ["Zone", "Id"]}}},
        }
    )


def body(routes=ROUTES, throttle=None, name=NAME):
    """The API with all that belongs to it, and its name; the function is its stack's own."""
    function = {
        "FunctionName": {"Fn::Sub": _STORE.name},
        "Code": {"ZipFile": CODE},
        "Handler": "index.handler",
        "Runtime": "python3.14",
        "Role": "arn:aws:iam::123456789012:role/any",
    }
    version = {"FunctionName": {"Ref": "Function"}}
    live = {
        "FunctionName": {"Ref": "Function"},
        "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
        "Name": "live",
    }
    reference = RestApi("shop")
    key = service_key("Log", "shop-log", "x", use_by_log_groups(reference.log_group))
    made = rest_api(
        "Shop", reference, routes=routes, function=_STORE, log_key=key, describes="A shop",
        throttle=throttle or Throttle(rate=100, burst=100), after=("Alias",),
    )  # fmt: skip
    domain = rest_api_domain("Shop", made, name=name, zone=Ref("Zone"))
    of_region = access_logs() if name == NAME else ()  # a region has them once
    parts = (*key, *made, *domain, *of_region)
    resources = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Version": {"Type": "AWS::Lambda::Version", "Properties": version},
        "Alias": {"Type": "AWS::Lambda::Alias", "Properties": live},
        **{str(each.title): encode_to_dict(each) for each in parts},
    }
    outputs = {
        "Api": {"Ref": "ShopApi"},
        "Alias": {"Ref": "Alias"},
        "Host": domain.host.to_dict(),
        "Url": encode_to_dict(made.url),
    }
    return json.dumps(
        {
            "Parameters": {
                "EnvironmentSuffix": {"Type": "String", "Default": UNIQUE},
                "Zone": {"Type": "String"},
            },
            "Resources": resources,
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
    )


def outputs(stack, region):
    return {each["OutputKey"]: each["OutputValue"] for each in stack.stack(region)["Outputs"]}


def rolled_out(clients, zone_id, *, suffix=UNIQUE, template=None):
    """Roll the API out to both regions; give its outputs in each."""
    made = StackSet(
        clients,
        TemplateBody=template or body(),
        Parameters=parameters(Zone=zone_id, EnvironmentSuffix=suffix),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    ).create()
    return made, {region: outputs(made, region) for region in (PRIMARY, SECONDARY)}


def ask(url, *, method="GET", said=None, kind="application/json", key=None, region=PRIMARY, **more):
    """Ask, signed if there is a key; give the status and what is answered."""
    headers = {"Content-Type": kind} if said is not None else {}
    headers |= more.pop("headers", {})
    if key:
        asked = AWSRequest(method=method, url=url, data=said, headers=headers)
        credentials = Credentials(key, "any")
        SigV4Auth(credentials, more.get("service", "execute-api"), region).add_auth(asked)
        headers = dict(asked.headers.items())
    request = urllib.request.Request(url, data=said, headers=headers, method=method)  # noqa: S310 - our own loopback address
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - as above
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")
