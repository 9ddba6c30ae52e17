"""What holds state, and therefore says explicitly whether it outlives its stack.

The decision itself is the system's (`System.retain`); nothing else decides, and no parameter can.
"""

STATEFUL = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::Events::Archive",
        "AWS::KMS::Key",
        "AWS::KMS::ReplicaKey",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::RDS::GlobalCluster",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
        "AWS::SQS::Queue",
    }
)


def is_stateful(resource_type: str) -> bool:
    """Tell whether deleting a resource of this type loses something that a deploy cannot remake."""
    return resource_type in STATEFUL
