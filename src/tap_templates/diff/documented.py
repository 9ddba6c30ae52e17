"""What the schemas leave out or get wrong, from AWS's documentation: small tables with sources.

A path is written below the resource, `*` standing for any element of a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tap_templates.diff.model import Replacement
from tap_templates.model.retention import STATEFUL as OURS

_CFN = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"
_RDS_API = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference"
_NEVER, _MAY, _ALWAYS = Replacement.NEVER, Replacement.MAY, Replacement.ALWAYS


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a property is updated, where the schema cannot be taken as it is."""

    replacement: Replacement
    because: str
    source: str


_INSTANCE = "AWS::RDS::DBInstance"
_MODIFIES = "is changed in place: ModifyDBInstance takes it"

# The schema marks much of a DB instance as create-only on conditions that hold for restores alone.
# Announcing the loss of a database for another backup window would teach people to look away.
BEHAVIOURS: Final[Mapping[tuple[str, str], Behaviour]] = {
    (_INSTANCE, "/Properties/AutoMinorVersionUpgrade"): Behaviour(
        _NEVER, _MODIFIES, f"{_CFN}/aws-resource-rds-dbinstance.html"
    ),
    (_INSTANCE, "/Properties/BackupRetentionPeriod"): Behaviour(
        _NEVER,
        f"{_MODIFIES}, with an outage from or to 0",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html",
    ),
    (_INSTANCE, "/Properties/DBParameterGroupName"): Behaviour(
        _NEVER,
        f"{_MODIFIES}; static parameters wait for a reboot",
        f"{_RDS_API}/API_ModifyDBInstance.html",
    ),
    (_INSTANCE, "/Properties/MultiAZ"): Behaviour(
        _NEVER, f"{_MODIFIES}, without an outage", f"{_RDS_API}/API_ModifyDBInstance.html"
    ),
    (_INSTANCE, "/Properties/PreferredMaintenanceWindow"): Behaviour(
        _NEVER, _MODIFIES, f"{_RDS_API}/API_ModifyDBInstance.html"
    ),
    (_INSTANCE, "/Properties/Port"): Behaviour(
        _MAY,
        "replaces the instance by its documentation, is changed in place by its schema",
        f"{_CFN}/aws-resource-rds-dbinstance.html",
    ),
    ("AWS::Events::EventBus", "/Properties/EventSourceName"): Behaviour(
        _ALWAYS,
        "is documented as replacing the bus",
        f"{_CFN}/aws-resource-events-eventbus.html",
    ),
    ("AWS::Route53::RecordSet", "/Properties/Name"): Behaviour(
        _ALWAYS,
        "is part of a record's identity, and documented as replacing it",
        f"{_CFN}/aws-resource-route53-recordset.html",
    ),
    ("AWS::KMS::Key", "/Properties/KeySpec"): Behaviour(
        _NEVER,
        "cannot be changed: the update fails, so that no key is lost",
        f"{_CFN}/aws-resource-kms-key.html",
    ),
    ("AWS::KMS::Key", "/Properties/KeyUsage"): Behaviour(
        _NEVER,
        "cannot be changed: the update fails, so that no key is lost",
        f"{_CFN}/aws-resource-kms-key.html",
    ),
    ("AWS::KMS::Key", "/Properties/MultiRegion"): Behaviour(
        _NEVER,
        "cannot be changed: the update fails, so that no key is lost",
        f"{_CFN}/aws-resource-kms-key.html",
    ),
    ("AWS::DynamoDB::Table", "/Properties/LocalSecondaryIndexes"): Behaviour(
        _MAY,
        "is made with the table and by no update: the update replaces the table, or fails",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html",
    ),
    **{
        (kind, "/Properties/AttributeDefinitions/*/AttributeType"): Behaviour(
            _MAY,
            "is fixed for a key: the update replaces the table, or fails",
            f"{_CFN}/aws-resource-dynamodb-table.html",
        )
        for kind in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
    },
    **{
        (kind, f"/Properties/GlobalSecondaryIndexes/*/{name}"): Behaviour(
            _NEVER,
            "of an index cannot be changed in place: the update fails; give the index a new name",
            f"{_CFN}/aws-resource-dynamodb-table.html",
        )
        for kind in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
        for name in ("KeySchema", "Projection")
    },
}

# What is known to interrupt a resource that stays. No schema says it; of all other updates in
# place we know nothing.
INTERRUPTIONS: Final[Mapping[tuple[str, str], str]] = {
    (_INSTANCE, "/Properties/BackupRetentionPeriod"): f"{_RDS_API}/API_ModifyDBInstance.html",
    (_INSTANCE, "/Properties/CACertificateIdentifier"): f"{_CFN}/aws-resource-rds-dbinstance.html",
    (_INSTANCE, "/Properties/DBInstanceClass"): f"{_RDS_API}/API_ModifyDBInstance.html",
    (_INSTANCE, "/Properties/EngineVersion"): f"{_RDS_API}/API_ModifyDBInstance.html",
    (_INSTANCE, "/Properties/StorageType"): f"{_RDS_API}/API_ModifyDBInstance.html",
    ("AWS::RDS::DBCluster", "/Properties/EngineVersion"): f"{_RDS_API}/API_ModifyDBCluster.html",
    ("AWS::EC2::Instance", "/Properties/InstanceType"): f"{_CFN}/aws-resource-ec2-instance.html",
}
NO_INTERRUPTION_DATA: Final = (
    "no interruption data: it is updated in place, and no schema says whether that interrupts it"
)

# Losing one loses what no deploy can make again. Beyond our own: what cfn-lint's list of stateful
# resources has, and what else stores data by its documentation.
STATEFUL: Final = OURS | {
    "AWS::ACMPCA::CertificateAuthority",
    "AWS::AmazonMQ::Broker",
    "AWS::Backup::LogicallyAirGappedBackupVault",
    "AWS::Cassandra::Keyspace",
    "AWS::Cassandra::Table",
    "AWS::CloudFormation::Stack",
    "AWS::CloudTrail::EventDataStore",
    "AWS::CodeCommit::Repository",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DSQL::Cluster",
    "AWS::DocDB::DBCluster",
    "AWS::DocDB::DBInstance",
    "AWS::DocDBElastic::Cluster",
    "AWS::EC2::Volume",
    "AWS::ECR::Repository",
    "AWS::EFS::FileSystem",
    "AWS::EMR::Cluster",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::Elasticsearch::Domain",
    "AWS::FSx::FileSystem",
    "AWS::FSx::Volume",
    "AWS::HealthLake::FHIRDatastore",
    "AWS::Kendra::Index",
    "AWS::Kinesis::Stream",
    "AWS::MSK::Cluster",
    "AWS::MSK::ServerlessCluster",
    "AWS::MemoryDB::Cluster",
    "AWS::Neptune::DBCluster",
    "AWS::Neptune::DBInstance",
    "AWS::NeptuneGraph::Graph",
    "AWS::OpenSearchServerless::Collection",
    "AWS::OpenSearchService::Domain",
    "AWS::Organizations::Account",
    "AWS::QLDB::Ledger",
    "AWS::RDS::DBShardGroup",
    "AWS::Redshift::Cluster",
    "AWS::RedshiftServerless::Namespace",
    "AWS::Route53::HostedZone",
    "AWS::S3Express::DirectoryBucket",
    "AWS::S3Outposts::Bucket",
    "AWS::S3Tables::TableBucket",
    "AWS::SDB::Domain",
    "AWS::Timestream::Database",
    "AWS::Timestream::InfluxDBInstance",
    "AWS::Timestream::Table",
    "AWS::WorkSpaces::Workspace",
}

# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
TAKES_SNAPSHOT: Final = frozenset(
    {
        "AWS::DocDB::DBCluster",
        "AWS::EC2::Volume",
        "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::Neptune::DBCluster",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Redshift::Cluster",
    }
)
# Deleting one fails while there is anything in it, by the same page.
MUST_BE_EMPTY: Final = frozenset({"AWS::S3::Bucket"})

# Lists whose order means nothing although their schemas leave it open: sets by the documentation
# of what they hold. By the name of the property, in any type; or by type and path.
SET_NAMES: Final = frozenset(
    {
        "AttributeDefinitions",
        "AvailabilityZones",
        "Dimensions",
        "EnableCloudwatchLogsExports",
        "NonKeyAttributes",
        "SecurityGroupIds",
        "SecurityGroups",
        "SubnetIds",
        "Subnets",
        "TagFilters",
        "Tags",
        "VPCSecurityGroups",
        "VpcSecurityGroupIds",
    }
)
SET_PATHS: Final = frozenset(
    {
        ("AWS::ApiGateway::RestApi", "/Properties/BinaryMediaTypes"),
        ("AWS::ApiGatewayV2::Api", "/Properties/CorsConfiguration/AllowHeaders"),
        ("AWS::ApiGatewayV2::Api", "/Properties/CorsConfiguration/AllowMethods"),
        ("AWS::ApiGatewayV2::Api", "/Properties/CorsConfiguration/AllowOrigins"),
        ("AWS::ApiGatewayV2::Api", "/Properties/CorsConfiguration/ExposeHeaders"),
        ("AWS::ApiGatewayV2::Authorizer", "/Properties/JwtConfiguration/Audience"),
        ("AWS::ApiGatewayV2::Route", "/Properties/AuthorizationScopes"),
        ("AWS::Backup::BackupPlan", "/Properties/BackupPlan/BackupPlanRule"),
        ("AWS::Backup::BackupPlan", "/Properties/BackupPlan/BackupPlanRule/*/CopyActions"),
        ("AWS::CloudWatch::Alarm", "/Properties/AlarmActions"),
        ("AWS::CloudWatch::Alarm", "/Properties/InsufficientDataActions"),
        ("AWS::CloudWatch::Alarm", "/Properties/Metrics"),
        ("AWS::CloudWatch::Alarm", "/Properties/OKActions"),
        ("AWS::CloudWatch::CompositeAlarm", "/Properties/AlarmActions"),
        ("AWS::CloudWatch::CompositeAlarm", "/Properties/InsufficientDataActions"),
        ("AWS::CloudWatch::CompositeAlarm", "/Properties/OKActions"),
        ("AWS::DynamoDB::Table", "/Properties/GlobalSecondaryIndexes"),
        ("AWS::DynamoDB::Table", "/Properties/LocalSecondaryIndexes"),
        ("AWS::Lambda::Url", "/Properties/Cors/AllowHeaders"),
        ("AWS::Lambda::Url", "/Properties/Cors/AllowMethods"),
        ("AWS::Lambda::Url", "/Properties/Cors/AllowOrigins"),
        ("AWS::Lambda::Url", "/Properties/Cors/ExposeHeaders"),
        ("AWS::RDS::DBCluster", "/Properties/AssociatedRoles"),
        ("AWS::RDS::DBInstance", "/Properties/AssociatedRoles"),
        ("AWS::RDS::DBInstance", "/Properties/ProcessorFeatures"),
        ("AWS::Route53::RecordSet", "/Properties/ResourceRecords"),
        ("AWS::Route53::RecordSetGroup", "/Properties/RecordSets"),
        ("AWS::Route53::RecordSetGroup", "/Properties/RecordSets/*/ResourceRecords"),
        # A rule's precedence is its Priority; those of a lifecycle are all applied.
        ("AWS::S3::Bucket", "/Properties/LifecycleConfiguration/Rules"),
        ("AWS::S3::Bucket", "/Properties/LifecycleConfiguration/Rules/*/Transitions"),
        ("AWS::S3::Bucket", "/Properties/NotificationConfiguration/LambdaConfigurations"),
        ("AWS::S3::Bucket", "/Properties/NotificationConfiguration/QueueConfigurations"),
        ("AWS::S3::Bucket", "/Properties/NotificationConfiguration/TopicConfigurations"),
        ("AWS::S3::Bucket", "/Properties/ReplicationConfiguration/Rules"),
    }
)
# Lists that mean their order although schemas say otherwise: columns of a row, words of a command.
ORDERED_NAMES: Final = frozenset(
    {
        "BucketColumns",
        "Columns",
        "Command",
        "ContainerArguments",
        "DnsServers",
        "PartitionKeys",
        "RecordColumns",
        "SortColumns",
        "Stages",
        "Transforms",
    }
)

# Texts that hold JSON, where the schema knows only a text.
JSON_PATHS: Final = frozenset(
    {
        ("AWS::ApiGatewayV2::Api", "/Properties/Body"),
        ("AWS::CloudWatch::Dashboard", "/Properties/DashboardBody"),
        ("AWS::Events::Rule", "/Properties/Targets/*/Input"),
        ("AWS::Lambda::EventSourceMapping", "/Properties/FilterCriteria/Filters/*/Pattern"),
        ("AWS::Logs::ResourcePolicy", "/Properties/PolicyDocument"),
        ("AWS::Pipes::Pipe", "/Properties/SourceParameters/FilterCriteria/Filters/*/Pattern"),
        ("AWS::Scheduler::Schedule", "/Properties/Target/Input"),
        ("AWS::StepFunctions::StateMachine", "/Properties/Definition"),
        ("AWS::StepFunctions::StateMachine", "/Properties/DefinitionString"),
    }
)

# In these documents a list is a choice: any of its elements matches.
PATTERN_NAMES: Final = frozenset({"EventPattern", "FilterPolicy", "Pattern"})
