"""One name for an API in two regions: the templates of its zone, its APIs, and its records."""

import json
from uuid import uuid4

from local.conftest import PRIMARY, SECONDARY

UNIQUE = uuid4().hex[:8]
BOTH = (PRIMARY, SECONDARY)
ZONE = f"pay-{UNIQUE}.example.com"
NAME = f"api.{ZONE}"
CODE = """
import json, os

def handler(event, context):
    context = event["requestContext"]
    said = {"region": os.environ["AWS_REGION"], "host": context["domainName"],
            "state": os.environ.get("STATE", "well")}
    ill = os.environ.get("ILL")
    return {"statusCode": 503 if ill == "yes" else 200,
            "body": "{}" if ill == "quietly" else json.dumps(said)}
"""


def ref(name):
    return {"Ref": name}


def get(name, attribute):
    return {"Fn::GetAtt": [name, attribute]}


def strings(*names):
    return {name: {"Type": "String"} for name in names}


def zone(comment="of the tests", accelerated="true", owner="x"):
    properties = {
        "Name": ZONE,
        "HostedZoneConfig": {"Comment": comment},
        "HostedZoneFeatures": {"EnableAcceleratedRecovery": accelerated},
        "HostedZoneTags": [{"Key": "Owner", "Value": owner}],
    }
    return json.dumps(
        {
            "Resources": {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": properties}},
            "Outputs": {"Zone": {"Value": get("Zone", "Id")}},
        }
    )


def api(name=NAME):
    """An API with a health route that needs no signature, and its custom domain."""
    return json.dumps(
        {
            "Parameters": strings("Zone"),
            "Resources": {
                "Function": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Code": {"ZipFile": CODE},
                        "Handler": "index.handler",
                        "Runtime": "python3.14",
                        "Role": "arn:aws:iam::123456789012:role/any",
                    },
                },
                "Permission": {
                    "Type": "AWS::Lambda::Permission",
                    "Properties": {
                        "Action": "lambda:InvokeFunction",
                        "FunctionName": ref("Function"),
                        "Principal": "apigateway.amazonaws.com",
                    },
                },
                "Api": {
                    "Type": "AWS::ApiGatewayV2::Api",
                    "Properties": {"Name": f"health-{UNIQUE}", "ProtocolType": "HTTP"},
                },
                "Integration": {
                    "Type": "AWS::ApiGatewayV2::Integration",
                    "Properties": {
                        "ApiId": ref("Api"),
                        "IntegrationType": "AWS_PROXY",
                        "IntegrationUri": get("Function", "Arn"),
                        "PayloadFormatVersion": "2.0",
                    },
                },
                "Route": {
                    "Type": "AWS::ApiGatewayV2::Route",
                    "Properties": {
                        "ApiId": ref("Api"),
                        "RouteKey": "GET /health",
                        "Target": {"Fn::Sub": "integrations/${Integration}"},
                    },
                },
                "Stage": {
                    "Type": "AWS::ApiGatewayV2::Stage",
                    "Properties": {
                        "ApiId": ref("Api"), "StageName": "$default", "AutoDeploy": True},
                },
                "Certificate": {
                    "Type": "AWS::CertificateManager::Certificate",
                    "Properties": {
                        "DomainName": name,
                        "ValidationMethod": "DNS",
                        "DomainValidationOptions": [
                            {"DomainName": name, "HostedZoneId": ref("Zone")}
                        ],
                    },
                },
                "Domain": {
                    "Type": "AWS::ApiGatewayV2::DomainName",
                    "Properties": {
                        "DomainName": name,
                        "DomainNameConfigurations": [
                            {
                                "CertificateArn": ref("Certificate"),
                                "EndpointType": "REGIONAL",
                                "SecurityPolicy": "TLS_1_2",
                            }
                        ],
                    },
                },
                "Mapping": {
                    "Type": "AWS::ApiGatewayV2::ApiMapping",
                    "Properties": {
                        "ApiId": ref("Api"), "DomainName": ref("Domain"), "Stage": ref("Stage")},
                },
            },
            "Outputs": {
                "Api": {"Value": ref("Api")},
                "Function": {"Value": ref("Function")},
                "Host": {"Value": get("Domain", "RegionalDomainName")},
                "Url": {"Value": get("Api", "ApiEndpoint")},
            },
        }
    )  # fmt: skip


def check(**changes):
    return {
        "Type": "AWS::Route53::HealthCheck",
        "Properties": {
            "HealthCheckConfig": {
                "Type": "HTTPS_STR_MATCH",
                "FullyQualifiedDomainName": {
                    "Fn::Sub": f"${{PrimaryApi}}.execute-api.{PRIMARY}.amazonaws.com"
                },
                "Port": 443,
                "ResourcePath": "/health",
                "SearchString": '"state": "well"',
                "EnableSNI": True,
                "RequestInterval": 10,
                "FailureThreshold": "2",
                "Regions": ["us-west-1", "us-west-2", "eu-west-1"],
                **changes,
            }
        },
    }


def calculated(*children, **changes):
    config = {
        "Type": "CALCULATED",
        "ChildHealthChecks": [ref(each) for each in children],
        "HealthThreshold": len(children),
        **changes,
    }
    return {"Type": "AWS::Route53::HealthCheck", "Properties": {"HealthCheckConfig": config}}


def record(role, host, name=NAME, **more):
    return {
        "Name": name,
        "Type": "CNAME",
        "SetIdentifier": role.lower(),
        "Failover": role,
        "TTL": "10",
        "ResourceRecords": [ref(host)],
        **more,
    }


def dns(*, ttl="10", extra=None, **changes):
    """The health check, two records that it chooses between, and a group with a plain one."""
    primary = record("PRIMARY", "PrimaryHost", HealthCheckId=ref("Check"), TTL=ttl)
    zone_of = {"HostedZoneId": ref("Zone")}
    plain = {"Name": f"www.{ZONE}", "Type": "CNAME", "TTL": ttl, "ResourceRecords": [NAME]}
    resources = {
        "Check": check(**changes),
        "Primary": {"Type": "AWS::Route53::RecordSet", "Properties": {**zone_of, **primary}},
        "Secondary": {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {**zone_of, **record("SECONDARY", "SecondaryHost")},
        },
        "Group": {
            "Type": "AWS::Route53::RecordSetGroup",
            "Properties": {"HostedZoneName": f"{ZONE}.", "RecordSets": [plain]},
        },
        **(extra or {}),
    }
    return json.dumps(
        {
            "Parameters": strings("Zone", "PrimaryApi", "PrimaryHost", "SecondaryHost"),
            "Resources": resources,
            "Outputs": {name: {"Value": ref(name)} for name in resources},
        }
    )
