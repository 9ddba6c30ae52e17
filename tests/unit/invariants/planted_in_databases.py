"""Faults in a system with a database, and a name that fails over: see `unit.blocks.books_pair`."""

from unit.invariants.planted import Planted, attribute, both, drop, parameter, put, remove

DATABASES = (
    Planted(
        "TAP-AUR-01",
        "primary",
        put("BooksGlobalCluster", "SourceDBClusterIdentifier", "another"),
        logical_id="BooksGlobalCluster",
        says="is not made from a cluster of the system in its primary region",
        remedy="aurora_primary()",
    ),
    Planted(
        "TAP-AUR-01",
        "secondary",
        drop("BooksCluster", "GlobalClusterIdentifier"),
        logical_id="BooksGlobalCluster",
        at="primary",
        says="has no copy in us-west-2: nothing is replicated",
    ),
    Planted(
        "TAP-AUR-01",
        "secondary",
        parameter("EngineVersion", Default="16.8"),
        logical_id="BooksCluster",
        says="has EngineVersion 16.8, but primary BooksCluster in us-east-1 has 17.7",
        remedy="they must be able to change roles",
    ),
    Planted(
        "TAP-AUR-01",
        "secondary",
        put("BooksParameters", "Parameters.log_lock_waits", "0"),
        logical_id="BooksCluster",
        says="has other cluster parameters than primary BooksCluster",
    ),
    Planted(
        "TAP-AUR-01",
        "secondary",
        put("BooksCluster", "SourceRegion", {"Ref": "SecondaryRegion"}),
        logical_id="BooksCluster",
        says="copies from us-west-2, but the database is written in us-east-1",
    ),
    Planted(
        "TAP-AUR-01",
        "secondary",
        put("BooksCluster", "GlobalClusterIdentifier", "another"),
        logical_id="BooksCluster",
        says="joins the global database another, which the system does not make",
    ),
    Planted(
        "TAP-AUR-02",
        "secondary",
        remove("BooksInstance1", "BooksInstance2"),
        logical_id="BooksCluster",
        says="has no instance",
        remedy="add an AWS::RDS::DBInstance",
    ),
    Planted(
        "TAP-RET-03",
        "primary",
        put("BooksCluster", "DeletionProtection", value=True),
        logical_id="BooksCluster",
        path="/Properties/DeletionProtection",
        says="the stack could not be deleted",
        remedy="which sets DeletionProtection by `retain`",
    ),
    Planted(
        "TAP-REF-01",
        "secondary",
        lambda t: t["Resources"]["BookRole"]["Properties"]["Policies"][0]["PolicyDocument"][
            "Statement"
        ][0]["Resource"][0]["Fn::Sub"][1].update({"Database": "cluster-ABC"}),
        logical_id="BookRole",
        says="dbuser:cluster-ABC/books_app names no resource",
    ),
    Planted(
        "TAP-REF-01",
        "primary",
        put("MasterSecret", "Name", {"Fn::Sub": "secret-another-${EnvironmentSuffix}"}),
        logical_id="SchemaRole",
        says="secret:secret-books-master-dev-?????? matches no resource",
    ),
    Planted(
        "TAP-DIM-01",
        "primary",
        put("BooksCpuAlarm", "Dimensions.0.Value", "another"),
        logical_id="BooksCpuAlarm",
        says="measures DBClusterIdentifier=another, which does not exist in us-east-1",
    ),
    Planted(
        "TAP-DIM-01",
        "primary",
        put("DocumentsNotCopiedAlarm", "Dimensions.0.Value", "another"),
        logical_id="DocumentsNotCopiedAlarm",
        says="measures DestinationBucket=another, which the system does not make",
    ),
)

_CHECK = "BooksHealthCheck"
NAMES = (
    *(
        Planted("TAP-OBJ-04", "dns", edit, logical_id=logical_id, says=says, remedy=remedy)
        for edit, logical_id, says, remedy in (
            (
                remove("BooksSecondaryRecord"),
                "BooksPrimaryRecord",
                "which has 0 secondary records, not 1",
                "failover_name()",
            ),
            (
                put("BooksSecondaryRecord", "Failover", "PRIMARY"),
                "BooksPrimaryRecord",
                "which has 2 primary records, not 1",
                "failover_name()",
            ),
            (
                put("BooksSecondaryRecord", "HealthCheckId", {"Ref": _CHECK}),
                "BooksSecondaryRecord",
                "is the last resort, but has a health check",
                "take HealthCheckId off",
            ),
            (
                drop("BooksPrimaryRecord", "HealthCheckId"),
                "BooksPrimaryRecord",
                "has no health check of the system: it never moves",
                "failover_name()",
            ),
            (
                put("BooksPrimaryRecord", "ResourceRecords", [{"Ref": "SecondaryHost"}]),
                "BooksPrimaryRecord",
                "which is no custom domain of its name in us-east-1",
                "api_domain()",
            ),
            (
                put("BooksSecondaryRecord", "ResourceRecords", ["www.example.com"]),
                "BooksSecondaryRecord",
                "leads to www.example.com, which is no custom domain of its name in us-west-2",
                "api_domain()",
            ),
            (
                put(_CHECK, "HealthCheckConfig.Inverted", value=True),
                _CHECK,
                "is inverted",
                "failover_name()",
            ),
            (
                put(_CHECK, "HealthCheckConfig.Type", "TCP"),
                _CHECK,
                "is of type TCP, which takes nobody knows how long",
                "failover_name()",
            ),
            (
                put(
                    _CHECK,
                    "HealthCheckConfig.FullyQualifiedDomainName",
                    {"Fn::Sub": "api.${DomainName}"},
                ),
                _CHECK,
                "asks https://api.books.example.com/health, which is no open GET route",
                "open_route()",
            ),
            (
                put(_CHECK, "HealthCheckConfig.ResourcePath", "/books"),
                _CHECK,
                "/books, which is no open GET route of an API in us-east-1 alone",
                "open_route()",
            ),
        )
    ),
    Planted(
        "TAP-OBJ-04",
        "primary",
        put("HealthRoute", "AuthorizationType", "AWS_IAM"),
        logical_id=_CHECK,
        at="dns",
        says="/health, which is no open GET route",
    ),
    *(
        Planted("TAP-OBJ-03", "dns", edit, at="", says=says, remedy="lower the MaxValue")
        for edit, says in (
            (
                parameter("RecordTtl", MaxValue=300),
                "within 300 s, but failover takes 48 s (detection",
            ),
            (parameter("RecordTtl", MaxValue=None), "? s (resolvers keep the old answer)"),
            (parameter("UnhealthyChecks", MaxValue=None), "takes ? s (detection"),
            (
                both(
                    put(_CHECK, "HealthCheckConfig.RequestInterval", 30),
                    parameter("UnhealthyChecks", MaxValue=8),
                ),
                "takes 288 s (detection",
            ),
            (drop("BooksPrimaryRecord", "HealthCheckId"), "takes ? s (detection"),
            (put(_CHECK, "HealthCheckConfig.Disabled", value=True), "takes ? s (detection"),
        )
    ),
    Planted(
        "TAP-IGN-01",
        "primary",
        attribute(
            "HealthRoute", "Metadata", {"cfn-lint": {"config": {"ignore_checks": ["E9601"]}}}
        ),
        logical_id="HealthRoute",
        says="ignores lint rule E9601 without saying why",
    ),
)
PLANTED = (*DATABASES, *NAMES)
