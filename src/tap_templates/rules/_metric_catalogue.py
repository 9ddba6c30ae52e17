"""Which metrics AWS publishes in the namespaces we alarm on, and under which dimensions.

CloudWatch accepts an alarm on anything: one on a misspelt metric, or on a dimension the metric
does not have, waits for data forever. Names are case-sensitive. A namespace that is not here is
not checked; `SOURCES` names the AWS page to look at before a name is added.

As of November 2026. AWS/Events is checked against its page line by line. For the others the
metric names were compared with public lists of them and the dimensions are from memory, so a
finding there is a reason to look at the page, and the page is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SOURCES: Final[Mapping[str, str]] = {
    "AWS/ApiGateway": "apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html",
    "AWS/DynamoDB": "amazondynamodb/latest/developerguide/metrics-dimensions.html",
    "AWS/Events": "eventbridge/latest/userguide/eb-monitoring.html",
    "AWS/Lambda": "lambda/latest/dg/monitoring-metrics-types.html",
    "AWS/RDS": "AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html",
    "AWS/Route53": "Route53/latest/DeveloperGuide/monitoring-cloudwatch.html",
    "AWS/SNS": "sns/latest/dg/sns-monitoring-using-cloudwatch.html",
    "AWS/SQS": "AWSSimpleQueueService/latest/SQSDeveloperGuide/"
    "sqs-available-cloudwatch-metrics.html",
    "AWS/Scheduler": "scheduler/latest/UserGuide/monitoring-cloudwatch.html",
    "AWS/States": "step-functions/latest/dg/procedure-cw-metrics.html",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A set of dimensions a metric is published under: all of `needed`, any of `more`."""

    needed: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()

    def admits(self, names: frozenset[str]) -> bool:
        return self.needed <= names <= self.needed | self.more


def _shape(needed: str = "", more: str = "") -> Shape:
    return Shape(frozenset(needed.split()), frozenset(more.split()))


_Catalogue = dict[str, tuple[Shape, ...]]


def _each(names: str, *shapes: Shape) -> _Catalogue:
    return dict.fromkeys(names.split(), shapes)


_ALL = _shape()  # published for the account as a whole

_RULE = _shape("RuleName", "EventBusName")
_EVENTS = (
    _each(
        "DeadLetterInvocations FailedInvocations InvocationsFailedToBeSentToDlq "
        "InvocationsSentToDlq",
        _RULE,
    )
    | _each("Invocations", _ALL, _RULE)
    | _each("Events", _shape("EventSourceName"))
    | _each("MatchedEvents", _shape("", "EventBusName EventSourceName RuleName"))
    # The page writes IngestiontoInvocation…; the metric, and the template of the page on global
    # endpoints, have a capital T.
    | _each(
        "InvocationAttempts IngestionToInvocationCompleteLatency "
        "IngestionToInvocationStartLatency IngestionToInvocationSuccessLatency "
        "RetryInvocationAttempts SuccessfulInvocationAttempts ThrottledRules TriggeredRules",
        _ALL,
        _shape("EventBusName"),
        _RULE,
    )
    | _each("InvocationsCreated", _ALL)
    | _each(
        "EventBusEncryptionStarted EventBusEncryptionCompleted EventBusEncryptionFailed",
        _shape("EventBusName"),
    )
    | _each(
        " ".join(
            f"{api}{metric}"
            for api in ("PutEvents", "PutPartnerEvents")
            for metric in (
                "ApproximateCallCount",
                "ApproximateFailedCount",
                "ApproximateSuccessCount",
                "ApproximateThrottledCount",
                "EntriesCount",
                "FailedEntriesCount",
                "Latency",
                "RequestSize",
            )
        ),
        _ALL,
    )
)

_FUNCTION = _shape("FunctionName", "Resource ExecutedVersion")
_MAPPING = _shape("EventSourceMappingUUID", "FunctionName")
_LAMBDA = (
    _each(
        "AsyncEventAge AsyncEventsDropped AsyncEventsReceived ConcurrentExecutions "
        "DeadLetterErrors DestinationDeliveryFailures Duration Errors Invocations IteratorAge "
        "OversizedRecordCount PostRuntimeExtensionsDuration ProvisionedConcurrencyInvocations "
        "ProvisionedConcurrencySpilloverInvocations ProvisionedConcurrencyUtilization "
        "ProvisionedConcurrentExecutions RecursiveInvocationsDropped SignatureValidationErrors "
        "Throttles",
        _ALL,
        _FUNCTION,
    )
    | _each("ClaimedAccountConcurrency UnreservedConcurrentExecutions", _ALL)
    | _each("OffsetLag", _FUNCTION, _MAPPING)
    | _each(
        "DeletedEventCount DroppedEventCount FailedInvokeEventCount FilteredOutEventCount "
        "InvokedEventCount OnFailureDestinationDeliveredEventCount PolledEventCount "
        "ProvisionedPollers",
        _MAPPING,
    )
)

_TABLE = _shape("TableName", "GlobalSecondaryIndexName")
_OPERATION = _shape("TableName Operation", "GlobalSecondaryIndexName")
_DYNAMODB = (
    _each(
        "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits OnDemandMaxReadRequestUnits "
        "OnDemandMaxWriteRequestUnits ProvisionedReadCapacityUnits ProvisionedWriteCapacityUnits "
        "ReadThrottleEvents WriteThrottleEvents",
        _TABLE,
    )
    | _each(
        "ReadAccountLimitThrottleEvents ReadKeyRangeThroughputThrottleEvents "
        "ReadMaxOnDemandThroughputThrottleEvents ReadProvisionedThroughputThrottleEvents "
        "WriteAccountLimitThrottleEvents WriteKeyRangeThroughputThrottleEvents "
        "WriteMaxOnDemandThroughputThrottleEvents WriteProvisionedThroughputThrottleEvents",
        _shape("TableName", "GlobalSecondaryIndexName Operation"),
    )
    | _each(
        "OnlineIndexConsumedWriteCapacity OnlineIndexPercentageProgress OnlineIndexThrottleEvents",
        _shape("TableName GlobalSecondaryIndexName"),
    )
    | _each(
        "FaultInjectionServiceInducedErrors ReturnedItemCount SuccessfulRequestLatency "
        "SystemErrors ThrottledRequests",
        _OPERATION,
    )
    | _each("ReturnedBytes ReturnedRecordsCount", _shape("TableName Operation", "StreamLabel"))
    | _each(
        "ConditionalCheckFailedRequests TimeToLiveDeletedItemCount TransactionConflict",
        _shape("TableName"),
    )
    | _each("PendingReplicationCount ReplicationLatency", _shape("TableName ReceivingRegion"))
    | _each(
        "AgeOfOldestUnreplicatedRecord ConsumedChangeDataCaptureUnits "
        "FailedToReplicateRecordCount ThrottledPutRecordCount",
        _shape("TableName", "DelegatedOperation"),
    )
    | _each(
        "AccountMaxReads AccountMaxTableLevelReads AccountMaxTableLevelWrites AccountMaxWrites "
        "AccountProvisionedReadCapacityUtilization AccountProvisionedWriteCapacityUtilization "
        "MaxProvisionedTableReadCapacityUtilization MaxProvisionedTableWriteCapacityUtilization "
        "UserErrors",
        _ALL,
    )
)

_SQS = _each(
    "ApproximateAgeOfOldestMessage ApproximateAgeOfOldestMessageInQuietGroups "
    "ApproximateNumberOfGroupsWithInflightMessages ApproximateNumberOfMessagesDelayed "
    "ApproximateNumberOfMessagesDelayedInQuietGroups ApproximateNumberOfMessagesNotVisible "
    "ApproximateNumberOfMessagesNotVisibleInQuietGroups ApproximateNumberOfMessagesVisible "
    "ApproximateNumberOfMessagesVisibleInQuietGroups ApproximateNumberOfNoisyGroups "
    "NumberOfDeduplicatedSentMessages NumberOfEmptyReceives NumberOfMessagesDeleted "
    "NumberOfMessagesReceived NumberOfMessagesSent SentMessageSize",
    _shape("QueueName"),
)

_SNS = _each(
    "NumberOfMessagesPublished NumberOfNotificationsDelivered NumberOfNotificationsFailed "
    "NumberOfNotificationsFailedToRedriveToDlq NumberOfNotificationsFilteredOut "
    "NumberOfNotificationsFilteredOut-InvalidAttributes "
    "NumberOfNotificationsFilteredOut-InvalidMessageBody "
    "NumberOfNotificationsFilteredOut-MessageAttributes "
    "NumberOfNotificationsFilteredOut-MessageBody "
    "NumberOfNotificationsFilteredOut-NoMessageAttributes NumberOfNotificationsRedrivenToDlq "
    "PublishSize SMSSuccessRate",
    _shape("", "TopicName Application Platform Country SMSType PhoneNumber"),
) | _each("SMSMonthToDateSpentUSD", _ALL)

_SCHEDULER = _each(
    "InvocationAttemptCount InvocationDroppedCount InvocationThrottleCount "
    "InvocationsFailedToBeSentToDeadLetterCount InvocationsSentToDeadLetterCount "
    "InvocationsSentToDeadLetterCount_Truncated_MessageSizeExceeded TargetErrorCount "
    "TargetErrorThrottledCount",
    _ALL,
    _shape("ScheduleGroup"),
)

_HEALTH_CHECK = _shape("HealthCheckId", "Region")
_ROUTE53 = _each(
    "ChildHealthCheckHealthyCount ConnectionTime HealthCheckPercentageHealthy HealthCheckStatus "
    "SSLHandshakeTime TimeToFirstByte",
    _HEALTH_CHECK,
) | _each(
    "DNSQueries DNSSECInternalFailure DNSSECKeySigningKeyAge "
    "DNSSECKeySigningKeyMaxNeedingActionAge DNSSECKeySigningKeysNeedingAction",
    _shape("HostedZoneId"),
)

_MACHINE = _shape("StateMachineArn", "Alias Version")
_STATES = (
    _each(
        "ExecutionThrottled ExecutionTime ExecutionsAborted ExecutionsFailed ExecutionsRedriven "
        "ExecutionsStarted ExecutionsSucceeded ExecutionsTimedOut ExpressExecutionBilledDuration "
        "ExpressExecutionBilledMemory ExpressExecutionMemory RedrivenExecutionsAborted "
        "RedrivenExecutionsFailed RedrivenExecutionsSucceeded RedrivenExecutionsTimedOut",
        _ALL,
        _MACHINE,
    )
    | _each(
        "ActivitiesFailed ActivitiesHeartbeatTimedOut ActivitiesScheduled ActivitiesStarted "
        "ActivitiesSucceeded ActivitiesTimedOut ActivityRunTime ActivityScheduleTime ActivityTime",
        _shape("ActivityArn"),
    )
    | _each(
        "LambdaFunctionRunTime LambdaFunctionScheduleTime LambdaFunctionTime LambdaFunctionsFailed "
        "LambdaFunctionsScheduled LambdaFunctionsStarted LambdaFunctionsSucceeded "
        "LambdaFunctionsTimedOut",
        _shape("LambdaFunctionArn"),
    )
    | _each(
        "ServiceIntegrationRunTime ServiceIntegrationScheduleTime ServiceIntegrationTime "
        "ServiceIntegrationsFailed ServiceIntegrationsScheduled ServiceIntegrationsStarted "
        "ServiceIntegrationsSucceeded ServiceIntegrationsTimedOut",
        _shape("ServiceIntegrationResourceArn"),
    )
    | _each(
        "ConsumedCapacity ProvisionedBucketSize ProvisionedRefillRate ThrottledEvents",
        _shape("", "APIName ServiceMetric StateMachineArn"),
    )
    | _each(
        "ApproximateMapRunBacklogAge ApproximateOpenMapRunCount OpenExecutionCount "
        "OpenExecutionLimit OpenMapRunLimit",
        _shape("", "StateMachineArn"),
    )
)

_REST = _shape("ApiName", "Stage Method Resource")
_HTTP = _shape("ApiId", "Stage Method Resource Route")
_API_GATEWAY = (
    _each("4XXError 5XXError CacheHitCount CacheMissCount", _REST)
    | _each("4xx 5xx DataProcessed", _HTTP)
    | _each("ClientError ConnectCount ExecutionError IntegrationError MessageCount", _HTTP)
    | _each("Count IntegrationLatency Latency", _REST, _HTTP)
)

_RDS = _each(
    "ACUUtilization AbortedClients ActiveTransactions AuroraBinlogReplicaLag "
    "AuroraDMLRejectedMasterFull AuroraDMLRejectedWriterFull AuroraEstimatedSharedMemoryBytes "
    "AuroraGlobalDBDataTransferBytes AuroraGlobalDBProgressLag AuroraGlobalDBRPOLag "
    "AuroraGlobalDBReplicatedWriteIO AuroraGlobalDBReplicationLag AuroraMemoryHealthState "
    "AuroraMemoryNumDeclinedSqlTotal AuroraMemoryNumKillConnTotal AuroraMemoryNumKillQueryTotal "
    "AuroraOptimizedReadsCacheHitRatio AuroraReplicaLag AuroraReplicaLagMaximum "
    "AuroraReplicaLagMinimum AuroraSlowConnectionHandleCount AuroraSlowHandshakeCount "
    "AuroraVolumeBytesLeftTotal AvailabilityPercentage BacktrackChangeRecordsCreationRate "
    "BacktrackChangeRecordsStored BacktrackWindowActual BacktrackWindowAlert "
    "BackupRetentionPeriodStorageUsed BinLogDiskUsage BlockedTransactions BufferCacheHitRatio "
    "BurstBalance CPUCreditBalance CPUCreditUsage CPUSurplusCreditBalance "
    "CPUSurplusCreditsCharged CPUUtilization CheckpointLag ClientConnections "
    "ClientConnectionsClosed ClientConnectionsNoTLS ClientConnectionsReceived "
    "ClientConnectionsSetupFailedAuth ClientConnectionsSetupSucceeded ClientConnectionsTLS "
    "CommitLatency CommitThroughput ConnectionAttempts DBLoad DBLoadCPU DBLoadNonCPU "
    "DBLoadRelativeToNumVCPUs DDLLatency DDLThroughput DMLLatency DMLThroughput "
    "DatabaseConnectionRequests DatabaseConnectionRequestsWithTLS DatabaseConnections "
    "DatabaseConnectionsBorrowLatency DatabaseConnectionsCurrentlyBorrowed "
    "DatabaseConnectionsCurrentlyInTransaction DatabaseConnectionsCurrentlySessionPinned "
    "DatabaseConnectionsSetupFailed DatabaseConnectionsSetupSucceeded "
    "DatabaseConnectionsWithTLS Deadlocks DeleteLatency DeleteThroughput DiskQueueDepth "
    "DiskQueueDepthLogVolume EBSByteBalance% EBSIOBalance% EngineUptime "
    "FailedSQLServerAgentJobsCount ForwardingReplicaDMLLatency ForwardingReplicaDMLThroughput "
    "ForwardingReplicaOpenSessions ForwardingReplicaReadWaitLatency "
    "ForwardingReplicaReadWaitThroughput ForwardingReplicaSelectLatency "
    "ForwardingReplicaSelectThroughput ForwardingWriterDMLLatency ForwardingWriterDMLThroughput "
    "ForwardingWriterOpenSessions FreeEphemeralStorage FreeLocalStorage FreeStorageSpace "
    "FreeStorageSpaceLogVolume FreeableMemory InsertLatency InsertThroughput LoginFailures "
    "MaxDatabaseConnectionsAllowed MaximumUsedTransactionIDs NetworkReceiveThroughput "
    "NetworkThroughput NetworkTransmitThroughput NumBinaryLogFiles OldestReplicationSlotLag "
    "PurgeBoundary PurgeFinishedPoint Queries QueryDatabaseResponseLatency QueryRequests "
    "QueryRequestsNoTLS QueryRequestsTLS QueryResponseLatency RDSToAuroraPostgreSQLReplicaLag "
    "ReadIOPS ReadIOPSEphemeralStorage ReadIOPSLogVolume ReadLatency "
    "ReadLatencyEphemeralStorage ReadLatencyLogVolume ReadThroughput "
    "ReadThroughputEphemeralStorage ReadThroughputLogVolume ReplicaLag ReplicationChannelLag "
    "ReplicationSlotDiskUsage ResultSetCacheHitRatio RollbackSegmentHistoryListLength "
    "RowLockTime SelectLatency SelectThroughput ServerlessDatabaseCapacity SnapshotStorageUsed "
    "StorageNetworkReceiveThroughput StorageNetworkThroughput StorageNetworkTransmitThroughput "
    "SumBinaryLogSize SwapUsage TempStorageIOPS TempStorageThroughput TotalBackupStorageBilled "
    "TransactionLogsDiskUsage TransactionLogsGeneration TruncateFinishedPoint UpdateLatency "
    "UpdateThroughput VolumeBytesUsed VolumeReadIOPs VolumeWriteIOPs WriteIOPS "
    "WriteIOPSEphemeralStorage WriteIOPSLogVolume WriteLatency WriteLatencyEphemeralStorage "
    "WriteLatencyLogVolume WriteThroughput WriteThroughputEphemeralStorage "
    "WriteThroughputLogVolume",
    # Which metric has which of these depends on the engine: only the names are checked.
    _shape(
        "",
        "DBInstanceIdentifier DBClusterIdentifier DbClusterIdentifier Role EngineName "
        "DatabaseClass SourceRegion SecondaryRegion ProxyName Target TargetGroup TargetRole",
    ),
)

CATALOGUE: Final[Mapping[str, Mapping[str, tuple[Shape, ...]]]] = {
    "AWS/ApiGateway": _API_GATEWAY,
    "AWS/DynamoDB": _DYNAMODB,
    "AWS/Events": _EVENTS,
    "AWS/Lambda": _LAMBDA,
    "AWS/RDS": _RDS,
    "AWS/Route53": _ROUTE53,
    "AWS/SNS": _SNS,
    "AWS/SQS": _SQS,
    "AWS/Scheduler": _SCHEDULER,
    "AWS/States": _STATES,
}

# The scheduler publishes this one also with the error code appended.
_PREFIXES: Final = ("InvocationsFailedToBeSentToDeadLetterCount_",)


def shapes(namespace: str, metric: str) -> tuple[Shape, ...] | None:
    """Return the dimension sets of a metric, None if the namespace has no such metric."""
    if namespace == "AWS/Scheduler" and metric.startswith(_PREFIXES):
        metric = _PREFIXES[0].rstrip("_")
    return CATALOGUE[namespace].get(metric)


# Which Ref ("") or attribute of which resource gives the value of a dimension. A resource of
# another type, or another attribute, gives a URL, an ARN or an id that no metric has.
VALUES: Final[Mapping[tuple[str, str], Mapping[str, frozenset[str]]]] = {
    ("AWS/SQS", "QueueName"): {"AWS::SQS::Queue": frozenset({"QueueName"})},
    ("AWS/SNS", "TopicName"): {"AWS::SNS::Topic": frozenset({"TopicName"})},
    ("AWS/Lambda", "FunctionName"): {"AWS::Lambda::Function": frozenset({""})},
    ("AWS/DynamoDB", "TableName"): {
        "AWS::DynamoDB::Table": frozenset({""}),
        "AWS::DynamoDB::GlobalTable": frozenset({""}),
    },
    ("AWS/Events", "EventBusName"): {"AWS::Events::EventBus": frozenset({"", "Name"})},
    ("AWS/Scheduler", "ScheduleGroup"): {"AWS::Scheduler::ScheduleGroup": frozenset({""})},
    ("AWS/States", "StateMachineArn"): {
        "AWS::StepFunctions::StateMachine": frozenset({"", "Arn"}),
    },
    ("AWS/Route53", "HealthCheckId"): {
        "AWS::Route53::HealthCheck": frozenset({"", "HealthCheckId"}),
    },
    ("AWS/ApiGateway", "ApiId"): {"AWS::ApiGatewayV2::Api": frozenset({"", "ApiId"})},
    ("AWS/ApiGateway", "ApiName"): {"AWS::ApiGateway::RestApi": frozenset()},
    ("AWS/RDS", "DBClusterIdentifier"): {
        "AWS::RDS::DBCluster": frozenset({"", "DBClusterIdentifier"}),
    },
    ("AWS/RDS", "DBInstanceIdentifier"): {
        "AWS::RDS::DBInstance": frozenset({"", "DBInstanceIdentifier"}),
    },
}
