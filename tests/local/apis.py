"""An HTTP API: its template, requests to it, and an issuer of tokens for it."""

import base64
import hashlib
import json
import math
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from local.conftest import PRIMARY, SECONDARY
from local.stack_sets import StackSet

UNIQUE = uuid4().hex[:8]
AUDIENCE = "the-tests"
CODE = """
import json

def handler(event, context):
    if event.get("rawPath") == "/fail":
        raise RuntimeError("a secret of the function")
    return {"statusCode": 202, "body": json.dumps(event)}
"""


def routes(authorization):
    """Two routes, both closed: one works, and one reaches a function that fails."""
    return {
        name: {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": f"POST /{name.lower()}",
                "Target": {"Fn::Sub": "integrations/${Integration}"},
                **authorization,
            },
        }
        for name in ("Ingest", "Fail")
    }


FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Code": {"ZipFile": CODE},
        "Handler": "index.handler",
        "Runtime": "python3.14",
        "Role": "arn:aws:iam::123456789012:role/any",
    },
}
AUTHORIZER = {
    "Type": "AWS::ApiGatewayV2::Authorizer",
    "Condition": "ByToken",
    "Properties": {
        "ApiId": {"Ref": "Api"},
        "Name": "tokens",
        "AuthorizerType": "JWT",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Issuer": {"Ref": "Issuer"}, "Audience": [AUDIENCE]},
    },
}


def body():
    """An API whose routes want a token if there is an issuer, and a signature otherwise."""

    def by_token(value, otherwise):
        return {"Fn::If": ["ByToken", value, otherwise]}

    authorization = {
        "AuthorizationType": by_token("JWT", "AWS_IAM"),
        "AuthorizerId": by_token({"Ref": "Authorizer"}, {"Ref": "AWS::NoValue"}),
    }
    resources = {
        "Function": FUNCTION,
        "Version": {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Function"}},
        },
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Alias"},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": "arn:aws:execute-api:*:${AWS::AccountId}:${Api}/*/POST/*"},
            },
        },
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": f"api-{UNIQUE}", "ProtocolType": "HTTP", "Tags": {"Owner": "x"}},
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Ref": "Alias"},
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": "10000",
            },
        },
        "Log": {"Type": "AWS::Logs::LogGroup"},
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "StageName": "$default",
                "AutoDeploy": True,
                "AccessLogSettings": {
                    "DestinationArn": {"Fn::GetAtt": ["Log", "Arn"]},
                    "Format": "$context.requestId",
                },
                "DefaultRouteSettings": {
                    "ThrottlingBurstLimit": "20",
                    "ThrottlingRateLimit": "10",
                    "DetailedMetricsEnabled": "true",
                },
            },
        },
        "Authorizer": AUTHORIZER,
        **routes(authorization),
    }
    url = "https://${Api}.execute-api.${AWS::Region}.amazonaws.com"
    return json.dumps(
        {
            "Parameters": {"Issuer": {"Type": "String", "Default": ""}},
            "Conditions": {
                "ByToken": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Issuer"}, ""]}]},
            },
            "Resources": resources,
            "Outputs": {
                "ApiUrl": {"Value": {"Fn::Sub": url}},
                "Endpoint": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}},
                "Alias": {"Value": {"Ref": "Alias"}},
                "Api": {"Value": {"Ref": "Api"}},
            },
        }
    )


def rolled_out(clients, **parameters):
    """Roll the API out to both regions; give its outputs in each."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    made = StackSet(clients, TemplateBody=body(), Parameters=given).create()
    return made, {
        region: {each["OutputKey"]: each["OutputValue"] for each in made.stack(region)["Outputs"]}
        for region in (PRIMARY, SECONDARY)
    }


def post(url, headers=(), said=b'{"n": 1}'):
    """POST; give the status and what is answered."""
    headers = {"Content-Type": "application/json"} | dict(headers)
    request = urllib.request.Request(url, data=said, headers=headers, method="POST")  # noqa: S310 - our own loopback address
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - as above
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def signed(url, key, *, region=PRIMARY, service="execute-api", said=b'{"n": 1}'):
    """POST with a signature."""
    headers = {"Content-Type": "application/json"}
    request = AWSRequest(method="POST", url=url, data=said, headers=headers)
    SigV4Auth(Credentials(key, "any"), service, region).add_auth(request)
    return post(url, dict(request.headers.items()), said)


class Issuer:
    """An issuer of tokens on the loopback, with a key that is no secret."""

    # Two Mersenne primes: a key of 1128 bits without a package that makes keys.
    PRIMES = (2**521 - 1, 2**607 - 1)
    EXPONENT = 65537
    PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")

    def __init__(self):
        self.modulus = math.prod(self.PRIMES)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                said = {
                    "/.well-known/openid-configuration": {"jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": [issuer.key()]},
                }.get(self.path)
                self.send_response(200 if said else 404)
                self.end_headers()
                self.wfile.write(json.dumps(said).encode())

            def log_message(self, *_):
                """Say nothing."""

        return Handler

    def key(self):
        return {
            "kid": "one",
            "kty": "RSA",
            "alg": "RS256",
            "n": encoded(number(self.modulus)),
            "e": encoded(number(self.EXPONENT)),
        }

    def token(self, **changes):
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "somebody", "iat": now, "exp": now + 60}
        header = {"alg": "RS256", "kid": "one"}
        parts = [encoded(json.dumps(each).encode()) for each in (header, claims | changes)]
        said = ".".join(parts)
        return f"{said}.{encoded(self.sign(said))}"

    def sign(self, said):
        size = (self.modulus.bit_length() + 7) // 8
        digest = self.PREFIX + hashlib.sha256(said.encode()).digest()
        padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        private = pow(self.EXPONENT, -1, math.prod(each - 1 for each in self.PRIMES))
        return pow(int.from_bytes(padded, "big"), private, self.modulus).to_bytes(size, "big")

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def encoded(value):
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
