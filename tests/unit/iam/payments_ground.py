"""What the small payments-dr stands on: sessions, a secret, vaults; and how its keys are left."""

from typing import Any

from unit.iam.building import EAST, WEST, allow, key, policy
from unit.iam.market_ground import att, made, ref

ROOT = {"Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}}
FOR_AWS = {"kms:GrantIsForAWSResource": "true"}
SUFFIX = "dev"


def through(*services: str) -> dict[str, Any]:
    """Leave the use of a key, and grants on it, to the account through services."""
    return {"kms:ViaService": [f"{each}.amazonaws.com" for each in services]}


def left(*services: str) -> list[dict[str, Any]]:
    held = through(*services)
    return [
        allow(["kms:Decrypt", "kms:GenerateDataKey"], "*", StringEquals=held) | ROOT,
        allow(["kms:CreateGrant"], "*", Bool=FOR_AWS, StringEquals=held) | ROOT,
    ]


def bucket(name: str, **properties: Any) -> dict[str, Any]:
    full = f"bucket-{name}-{SUFFIX}-${{AWS::Region}}-${{AWS::AccountId}}"
    return made("S3::Bucket", BucketName={"Fn::Sub": full}, **properties)


def bucket_arn(name: str, region: str, objects: str = "") -> dict[str, str]:
    end = f"bucket-{name}-{SUFFIX}-{region}-${{AWS::AccountId}}{objects}"
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{end}"}


def _recovery() -> dict[str, Any]:
    own = {"Fn::Sub": "backup.${AWS::Region}.amazonaws.com"}
    grants = allow(["kms:CreateGrant"], "*", Bool=FOR_AWS, StringEquals={"kms:ViaService": own})
    use = allow(["kms:Decrypt", "kms:GenerateDataKey"], "*", StringEquals={"kms:ViaService": own})
    of_databases = left(f"rds.{EAST}", f"rds.{WEST}")
    replica = policy("AWS::S3::BucketPolicy", "Bucket", "Copies")
    replica["Properties"]["Bucket"] = ref("Copies")
    return {
        "Resources": {
            "VaultKey": key(*of_databases, use | ROOT, grants | ROOT),
            "Vault": made(
                "Backup::BackupVault",
                BackupVaultName=f"vault-payments-{SUFFIX}",
                EncryptionKeyArn=att("VaultKey"),
            ),
            "Copies": bucket("payments-documents-replica"),
            "CopiesPolicy": replica,
        },
        "Outputs": {"VaultKeyArn": {"Value": att("VaultKey")}},
    }


RECOVERY = _recovery()
TABLE = {
    "Resources": {
        "Sessions": made(
            "DynamoDB::GlobalTable",
            TableName=f"table-payments-sessions-{SUFFIX}",
            Replicas=[{"Region": EAST}, {"Region": WEST}],
        )
    }
}
SECRET = {
    "Resources": {
        "Secret": made(
            "SecretsManager::Secret",
            Name=f"secret-payments-{SUFFIX}",
            GenerateSecretString={"GenerateStringKey": "password"},
            ReplicaRegions=[{"Region": WEST}],
        )
    },
    "Outputs": {"SecretArn": {"Value": ref("Secret")}},
}
