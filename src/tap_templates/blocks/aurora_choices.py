"""Block part: what an operator chooses about an Aurora cluster, and which choices go together."""

from dataclasses import dataclass, replace

from troposphere import AWSHelperFn, Equals, Join, Ref, Select, Split, Sub

from tap_templates.blocks.network_ranges import in_primary
from tap_templates.blocks.stack import Demand, OneOf, StackParameter, StackRule, StackTemplate
from tap_templates.blocks.text import Text
from tap_templates.model.names import Kind, Name

ENGINE = "aurora-postgresql"
GLOBAL, INDEPENDENT = "Global", "IndependentClusters"
GLOBAL_DATABASE = "IsGlobalDatabase"  # the condition

# Minor versions with long-term support, and until when
# (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraPostgreSQLReleaseNotes/aurorapostgresql-release-calendar.html).
LONG_TERM = {"15.10": "29 Feb 2028", "16.8": "28 Feb 2029", "17.7": "28 Feb 2030"}
# Leaves standard support on 30 Nov 2026.
ACCEPTED_ALONE = ("15.12",)

_SIZES = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
MEMORY_OPTIMISED = tuple(
    f"db.{family}.{size}" for family in ("r8g", "r7g", "r7i", "r6g", "r6i") for size in _SIZES
)
BURSTABLE = ("db.t3.medium", "db.t3.large", "db.t4g.medium", "db.t4g.large")


DATABASE_MODE = StackParameter(
    name="DatabaseMode",
    group="Database",
    label="Database mode",
    description="Global: one database, replicated to the other region. IndependentClusters: two "
    "databases that know nothing of each other; what is committed in one region is lost with it, "
    "up to the last backup copied. It cannot be changed later.",
    default=GLOBAL,
    allowed=(GLOBAL, INDEPENDENT),
    constraint=f"{GLOBAL} or {INDEPENDENT}",
)
COSTS = {
    (
        DATABASE_MODE.name,
        INDEPENDENT,
    ): "so the regions' databases do not replicate: what was not in a "
    "backup that was copied is lost with its region",
}
"""Parameter and value, to what choosing it costs: said at compile time."""
ENGINE_VERSION = StackParameter(
    name="EngineVersion",
    group="Database",
    label="Engine version",
    description="Version of Aurora PostgreSQL, the same in both regions. A global database takes "
    f"those with long-term support: {', '.join(LONG_TERM)}.",
    default="17.7",
    allowed=(*ACCEPTED_ALONE, *LONG_TERM),
    constraint="a version that has been tried: one with long-term support, or 15.12 without "
    "replication",
)
INSTANCE_CLASS = StackParameter(
    name="InstanceClass",
    group="Database",
    label="Instance class",
    description="Class of all instances. A global database takes memory-optimised ones only.",
    default="db.r8g.large",
    allowed=(*MEMORY_OPTIMISED, *BURSTABLE),
    constraint="a memory-optimised class, or a burstable one without replication",
)

_LONG_TERM_ONLY = "a version with long-term support that has been tried"
_MEMORY_OPTIMISED_ONLY = "a memory-optimised class"

_NEEDS = StackRule(
    name="GlobalDatabaseNeeds",
    when=Equals(DATABASE_MODE.ref, GLOBAL),
    demands=(
        Demand(
            OneOf(MEMORY_OPTIMISED, INSTANCE_CLASS.ref),
            "A global database needs a memory-optimised InstanceClass, such as db.r8g.large; a "
            f"burstable one runs only with DatabaseMode {INDEPENDENT}, which does not replicate.",
        ),
        Demand(
            OneOf(LONG_TERM, ENGINE_VERSION.ref),
            f"A global database needs an EngineVersion with long-term support: "
            f"{', '.join(LONG_TERM)}; any other runs only with DatabaseMode {INDEPENDENT}, which "
            "does not replicate.",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseChoices:
    """References to the choices of one stack.

    `is_global` names the condition under which it is one global database; None: it always is.
    """

    version: Ref
    instance_class: Ref
    is_global: str | None

    @property
    def family(self) -> AWSHelperFn:
        return Join("", [ENGINE, self._major])

    def parameters_name(self, purpose: str) -> Text:
        """Name the parameter group; of another major version it is another group, as it must be."""
        name = Name(Kind.CLUSTER_PARAMETERS, f"{purpose}-major").text()
        return Sub(name.replace("-major-", "-${Major}-"), Major=self._major)

    @property
    def _major(self) -> AWSHelperFn:
        return Select(0, Split(".", self.version))


def database_choices(stack: StackTemplate) -> DatabaseChoices:
    """Declare the parameters of a database, and refuse at deploy time what does not replicate."""
    in_primary(stack)  # its key admits RDS of both regions
    mode = stack.parameter(DATABASE_MODE)
    version, instance_class = stack.parameter(ENGINE_VERSION), stack.parameter(INSTANCE_CLASS)
    stack.rule(_NEEDS)
    return DatabaseChoices(
        version=version,
        instance_class=instance_class,
        is_global=stack.condition(GLOBAL_DATABASE, Equals(mode, GLOBAL)),
    )


def global_choices(stack: StackTemplate) -> DatabaseChoices:
    """Declare those of a database that is always global: there is no mode to choose."""
    in_primary(stack)
    versions = replace(ENGINE_VERSION, allowed=tuple(LONG_TERM), constraint=_LONG_TERM_ONLY)
    classes = replace(INSTANCE_CLASS, allowed=MEMORY_OPTIMISED, constraint=_MEMORY_OPTIMISED_ONLY)
    return DatabaseChoices(
        version=stack.parameter(versions), instance_class=stack.parameter(classes), is_global=None
    )
