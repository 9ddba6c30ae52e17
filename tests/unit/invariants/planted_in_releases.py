"""Faults in what a function is released as: its package, its version, and how long it may take."""

from unit.invariants.planted import Planted, add, arn, both, drop, put

_ITSELF = arn("lambda", "function:function-trading-processor-${EnvironmentSuffix}")

PACKAGES = (
    Planted(
        "TAP-FN-09",
        "processing",
        put("ProcessorFunction", "Handler", "trading_processor.main.handler"),
        logical_id="ProcessorFunction",
        path="/Properties/Handler",
        says="has Handler trading_processor.main.handler, but its package trading-processor is "
        "made for trading_processor.app.handler",
        remedy="set Handler from the Package",
    ),
    Planted(
        "TAP-FN-09",
        "processing",
        put("ProcessorFunction", "Runtime", "python3.13"),
        logical_id="ProcessorFunction",
        says="has Runtime python3.13, but its package trading-processor is made for python3.14",
    ),
    Planted(
        "TAP-FN-09",
        "processing",
        drop("ProcessorFunction", "Architectures"),
        logical_id="ProcessorFunction",
        says="has Architectures ['x86_64'], but its package",
    ),
    Planted(
        "TAP-FN-09",
        "processing",
        put("ProcessorFunction", "Code.S3Key", "packages/somebody-elses.zip"),
        logical_id="ProcessorFunction",
        path="/Properties/Code",
        says="runs code that is no package of the system",
        remedy="PackageKey",
    ),
    Planted(
        "TAP-FN-10",
        "processing",
        put("ProcessorVersion", "CodeSha256", "ypG6Fy60zcFNeVmK3dgSewV2YlKbdgPgo2cOgld7Zgo="),
        logical_id="ProcessorVersion",
        path="/Properties/CodeSha256",
        says="but ProcessorFunction runs the package trading-processor: Lambda refuses",
        remedy="PackageSha256 of the same package",
    ),
)
TIMES = (
    Planted(
        "TAP-FN-11",
        "processing",
        put("ProcessorLog", "RetentionInDays", 1),
        logical_id="ProcessorFunction",
        says="logs to ProcessorLog, which keeps its events for 1 days",
        remedy="at least 7",
    ),
    Planted(
        "TAP-FN-12",
        "processing",
        put("ProcessorFailures", "MaximumEventAgeInSeconds", 60),
        logical_id="ProcessorFailures",
        path="/Properties/MaximumEventAgeInSeconds",
        says="gives up on an event after 60 s, also while the function is throttled",
        remedy="at least 3600",
    ),
    Planted(
        "TAP-FN-12",
        "processing",
        both(
            put("ProcessorFailures", "MaximumEventAgeInSeconds", 60),
            put("ProcessorFailures", "MaximumRetryAttempts", 0),
        ),
        logical_id="ProcessorFailures",
        path="/Properties/MaximumEventAgeInSeconds",
        says="gives up on an event after 60 s",  # no schedule brings another
    ),
    Planted(
        "TAP-FN-13",
        "processing",
        put("ProcessorFunction", "Timeout", 5),
        logical_id="ProcessorFunction",
        path="/Properties/Timeout",
        says="is stopped after 5 s, while its SDK may still be trying",
        remedy="at least 8",
    ),
    Planted(
        "TAP-FN-13",
        "processing",
        put("ProcessorFunction", "Timeout", 61),
        logical_id="ProcessorFunction",
        path="/Properties/Timeout",
        says="may hang for 61 s in each of its attempts",
        remedy="at most 60",
    ),
)
VERSIONS = (
    Planted(
        "TAP-VER-01",
        "bus",
        put("ProcessingRule", "Targets.0.Arn", _ITSELF),
        logical_id="ProcessingRule",
        path="/Properties/Targets/0/Arn",
        says="calls ProcessorFunction itself, while SnapStart is for published versions only",
        remedy="call ProcessorFunction through an alias",
    ),
    Planted(
        "TAP-VER-01",
        "bus",
        put("ProcessingRule", "Targets.0.Arn", {"Fn::Sub": f"{_ITSELF['Fn::Sub']}:$LATEST"}),
        logical_id="ProcessingRule",
        says="calls ProcessorFunction itself",
    ),
    Planted(
        "TAP-VER-01",
        "processing",
        add(
            "Feed",
            "AWS::Lambda::EventSourceMapping",
            EventSourceArn={"Fn::GetAtt": ["FailedQueue", "Arn"]},
            FunctionName={"Ref": "ProcessorFunction"},
        ),
        logical_id="Feed",
        path="/Properties/FunctionName",
        says="calls ProcessorFunction itself",
    ),
    Planted(
        "TAP-VER-02",
        "processing",
        put("ProcessorAlias", "FunctionVersion", "$LATEST"),
        logical_id="ProcessorAlias",
        path="/Properties/FunctionVersion",
        says="points at $LATEST and is called by ProcessingRule",
        remedy="Version attribute of an AWS::Lambda::Version",
    ),
    Planted(
        "TAP-VER-03",
        "processing",
        drop("ProcessorVersion", "CodeSha256"),
        logical_id="ProcessorVersion",
        says="has no CodeSha256",
        remedy="set CodeSha256 to the digest of the package",
    ),
    Planted(
        "TAP-VER-03",
        "processing",
        drop("ProcessorVersion", "Description"),
        logical_id="ProcessorVersion",
        says="would not follow the configuration of its function",
    ),
)
PLANTED = (*PACKAGES, *TIMES, *VERSIONS)
