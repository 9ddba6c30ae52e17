"""A global database in two regions: its templates, as two stacks of two roles."""

import json
from uuid import uuid4

from local.conftest import PRIMARY, SECONDARY

UNIQUE = uuid4().hex[:8]
BOTH = (PRIMARY, SECONDARY)
GLOBAL = f"global-{UNIQUE}"
SECRET = f"secret-{UNIQUE}"
DELETE = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
RULES = {
    "GlobalNeeds": {
        "RuleCondition": {"Fn::Equals": [{"Ref": "DatabaseMode"}, "Global"]},
        "Assertions": [
            {
                "Assert": {"Fn::Contains": [["db.r8g.large"], {"Ref": "InstanceClass"}]},
                "AssertDescription": "A global database needs a memory-optimised class",
            }
        ],
    }
}


def ref(name):
    return {"Ref": name}


def get(name, attribute):
    return {"Fn::GetAtt": [name, attribute]}


def cluster_name(region):
    return f"cluster-{UNIQUE}-{region}"


def field(name):
    return f"{{{{resolve:secretsmanager:{SECRET}:SecretString:{name}}}}}"


def joined(value):
    return {"Fn::If": ["IsGlobal", value, ref("AWS::NoValue")]}


def alone(value):
    return {"Fn::If": ["IsGlobal", ref("AWS::NoValue"), value]}


def subnets():
    """A network of two subnets."""
    made = {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.50.0.0/16"}}}
    for index, name in enumerate(("SubnetA", "SubnetB")):
        made[name] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": ref("Vpc"),
                "CidrBlock": f"10.50.{index}.0/24",
                "AvailabilityZone": {"Fn::Select": [index, {"Fn::GetAZs": ""}]},
            },
        }
    return made


def cluster(role, kept):
    """A cluster with its groups, its key, and two instances."""
    key = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"},
        ],
    }
    properties = {
        "BackupRetentionPeriod": kept,
        "CopyTagsToSnapshot": True,
        "DBClusterIdentifier": {"Fn::Sub": f"cluster-{UNIQUE}-${{AWS::Region}}"},
        "DBClusterParameterGroupName": ref("Parameters"),
        "DBSubnetGroupName": ref("SubnetGroup"),
        "DeleteAutomatedBackups": True,
        "EnableCloudwatchLogsExports": ["postgresql"],
        "EnableIAMDatabaseAuthentication": "true",
        "Engine": "aurora-postgresql",
        "EngineVersion": "17.7",
        "KmsKeyId": get("Key", "Arn"),
        "Port": 5432,
        "StorageEncrypted": True,
        "VpcSecurityGroupIds": [get("Group", "GroupId")],
        "Tags": [{"Key": "Kept", "Value": str(kept)}],
        **role,
    }
    return {
        **subnets(),
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"VpcId": ref("Vpc"), "GroupDescription": "database"},
        },
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key}},
        "SubnetGroup": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "Properties": {
                "DBSubnetGroupName": f"subnets-{UNIQUE}",
                "DBSubnetGroupDescription": "isolated",
                "SubnetIds": [ref("SubnetA"), ref("SubnetB")],
            },
        },
        "Parameters": {
            "Type": "AWS::RDS::DBClusterParameterGroup",
            "Properties": {
                "DBClusterParameterGroupName": f"parameters-{UNIQUE}",
                "Description": "tls",
                "Family": "aurora-postgresql17",
                "Parameters": {"rds.force_ssl": "1", "log_connections": "1"},
            },
        },
        "Cluster": {"Type": "AWS::RDS::DBCluster", **DELETE, "Properties": properties},
        **{
            f"Instance{number}": {
                "Type": "AWS::RDS::DBInstance",
                **DELETE,
                "Properties": {
                    "AutoMinorVersionUpgrade": False,
                    "DBClusterIdentifier": ref("Cluster"),
                    "DBInstanceClass": ref("InstanceClass"),
                    "DBInstanceIdentifier": f"instance-{UNIQUE}-{number}",
                    "Engine": "aurora-postgresql",
                    "EnablePerformanceInsights": True,
                    "PromotionTier": number - 1,
                    "PubliclyAccessible": False,
                },
            }
            for number in (1, 2)
        },
    }


def template(resources):
    attributes = ("DBClusterArn", "DBClusterResourceId", "Endpoint.Address", "Endpoint.Port")
    outputs = {each.replace(".", ""): {"Value": get("Cluster", each)} for each in attributes}
    if "Secret" in resources:
        outputs["Secret"] = {"Value": ref("Secret")}
    return json.dumps(
        {
            "Parameters": {
                "DatabaseMode": {
                    "Type": "String",
                    "Default": "Global",
                    "AllowedValues": ["Global", "IndependentClusters"],
                },
                "InstanceClass": {"Type": "String", "Default": "db.r8g.large"},
            },
            "Conditions": {"IsGlobal": {"Fn::Equals": [ref("DatabaseMode"), "Global"]}},
            "Rules": RULES,
            "Resources": resources,
            "Outputs": outputs,
        }
    )


def primary(kept=7, owner="a"):
    """The secret and its copy, the cluster with its credentials, the global database of it."""
    role = {
        "DatabaseName": "payments",
        "MasterUsername": field("username"),
        "MasterUserPassword": field("password"),
    }
    resources = cluster(role, kept)
    resources["Cluster"]["DependsOn"] = ["Secret"]
    resources["Secret"] = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {
            "Name": SECRET,
            "Description": f"of {owner}",
            "GenerateSecretString": {
                "SecretStringTemplate": '{"username": "payments_master"}',
                "GenerateStringKey": "password",
                "PasswordLength": "40",
                "ExcludeCharacters": "\"/@\\'",
                "ExcludePunctuation": "true",
            },
            "ReplicaRegions": [{"Region": SECONDARY}],
            "Tags": [{"Key": "Owner", "Value": owner}],
        },
    }
    resources["Global"] = {
        "Type": "AWS::RDS::GlobalCluster",
        "Condition": "IsGlobal",
        "DependsOn": ["Instance1", "Instance2"],
        "Properties": {
            "GlobalClusterIdentifier": GLOBAL,
            "SourceDBClusterIdentifier": get("Cluster", "DBClusterArn"),
        },
    }
    return template(resources)


def secondary(kept=7, **more):
    """A cluster that joins the global database, or has the same credentials and stays alone."""
    return template(
        cluster(
            {
                "GlobalClusterIdentifier": joined(GLOBAL),
                "SourceRegion": joined(PRIMARY),
                "DatabaseName": alone("payments"),
                "MasterUsername": alone(field("username")),
                "MasterUserPassword": alone(field("password")),
                **more,
            },
            kept,
        )
    )
