"""Databases: the members of a global database are alike, and each can take over."""

from collections.abc import Iterator

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.rendered.view import Located

_REQUIREMENTS = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database.configuration.requirements.html"
_RECOVERY = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html"
_GLOBAL = "AWS::RDS::GlobalCluster"
_CLUSTER = "AWS::RDS::DBCluster"
_INSTANCE = "AWS::RDS::DBInstance"
_PARAMETERS = "AWS::RDS::DBClusterParameterGroup"
_ALIKE = ("Engine", "EngineVersion", "EnableIAMDatabaseAuthentication", "Port")
_REMEDY = "declare both with aurora_primary() and aurora_secondary() in blocks/aurora.py"


def _source(compiled: CompiledSystem, joined: Located) -> Located | None:
    stated = str(joined.resource.properties.get("SourceDBClusterIdentifier"))
    for cluster in compiled.view.resources(_CLUSTER):
        same = joined.stack.region == cluster.stack.region and stated == cluster.resource.ref
        if same or stated == cluster.resource.arn:
            return cluster
    return None


def _copies(compiled: CompiledSystem, name: str | None) -> list[Located]:
    return [
        cluster
        for cluster in compiled.view.resources(_CLUSTER)
        if name and cluster.resource.properties.get("GlobalClusterIdentifier") == name
    ]


def _joined(compiled: CompiledSystem) -> Iterator[Fault]:
    known = {each.resource.name for each in compiled.view.resources(_GLOBAL)}
    for joined in compiled.view.resources(_GLOBAL):
        source = _source(compiled, joined)
        copies = _copies(compiled, joined.resource.name)
        if source is None or source.stack.region != compiled.system.regions.primary:
            yield fault_at(
                joined, "is not made from a cluster of the system in its primary region", _REMEDY,
                "/Properties/SourceDBClusterIdentifier",
            )  # fmt: skip
            continue
        if not any(each.stack.region == compiled.system.regions.secondary for each in copies):
            yield fault_at(
                joined, f"has no copy in {compiled.system.regions.secondary}: nothing is "
                "replicated", _REMEDY,
            )  # fmt: skip
        for copy in copies:
            yield from _unlike(compiled, source, copy)
    for cluster in compiled.view.resources(_CLUSTER):
        name = cluster.resource.properties.get("GlobalClusterIdentifier")
        if name and name not in known:
            yield fault_at(
                cluster, f"joins the global database {name}, which the system does not make",
                _REMEDY, "/Properties/GlobalClusterIdentifier",
            )  # fmt: skip


def _unlike(compiled: CompiledSystem, source: Located, copy: Located) -> Iterator[Fault]:
    ours, theirs = source.resource.properties, copy.resource.properties
    for name in _ALIKE:
        if ours.get(name) != theirs.get(name):
            yield fault_at(
                copy, f"has {name} {theirs.get(name)}, but {source.place} has {ours.get(name)}",
                "give both clusters the same value: they must be able to change roles",
                f"/Properties/{name}",
            )  # fmt: skip
    if theirs.get("SourceRegion") != source.stack.region:
        yield fault_at(
            copy, f"copies from {theirs.get('SourceRegion')}, but the database is written in "
            f"{source.stack.region}", _REMEDY, "/Properties/SourceRegion",
        )  # fmt: skip
    if _parameters(compiled, source) != _parameters(compiled, copy):
        yield fault_at(
            copy, f"has other cluster parameters than {source.place}",
            "give both parameter groups the same Parameters",
            "/Properties/DBClusterParameterGroupName",
        )  # fmt: skip


def _parameters(compiled: CompiledSystem, cluster: Located) -> object:
    name = cluster.resource.properties.get("DBClusterParameterGroupName")
    for group in compiled.view.resources(_PARAMETERS):
        if group.stack.region == cluster.stack.region and group.resource.ref == name:
            return group.resource.properties.get("Parameters")
    return name


def _headless(compiled: CompiledSystem) -> Iterator[Fault]:
    manned = {
        (each.stack.region, each.resource.properties.get("DBClusterIdentifier"))
        for each in compiled.view.resources(_INSTANCE)
    }
    for cluster in compiled.view.resources(_CLUSTER):
        if (cluster.stack.region, cluster.resource.ref) not in manned:
            yield fault_at(
                cluster,
                "has no instance: it could take over only after one is made, which takes minutes",
                "add an AWS::RDS::DBInstance of it",
            )


DATABASES = (
    Invariant(
        code="TAP-AUR-01",
        promise="A global database is written in the primary region and copied to the secondary, "
        "by clusters that are alike.",
        source_url=_REQUIREMENTS,
        check=_joined,
    ),
    Invariant(
        code="TAP-AUR-02",
        promise="Every cluster has an instance to answer with.",
        source_url=_RECOVERY,
        check=_headless,
    ),
)
