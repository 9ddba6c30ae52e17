"""Stage check: what must be true of a whole system, both its regions and all its stacks.

Lint sees one template; these checks see what templates are to each other and to the promises of
the system. Pure: compiled systems in, findings out. A check that meets something it does not know
(a resource type, a metric dimension, a failover path) says so as a finding: nothing is left out
in silence.
"""

from collections.abc import Iterable, Sequence

from tap_templates.compiler.invariants.archives import ARCHIVES
from tap_templates.compiler.invariants.databases import DATABASES
from tap_templates.compiler.invariants.dead_letters import DEAD_LETTERS
from tap_templates.compiler.invariants.dimensions import DIMENSIONS
from tap_templates.compiler.invariants.encryption import ENCRYPTION
from tap_templates.compiler.invariants.failover_paths import FAILOVER_PATHS
from tap_templates.compiler.invariants.forwarding import FORWARDING
from tap_templates.compiler.invariants.function_packages import FUNCTION_PACKAGES
from tap_templates.compiler.invariants.function_times import FUNCTION_TIMES
from tap_templates.compiler.invariants.functions import FUNCTIONS
from tap_templates.compiler.invariants.heartbeats import HEARTBEATS
from tap_templates.compiler.invariants.ignored_rules import IGNORED_RULES
from tap_templates.compiler.invariants.invariant import (
    AcrossInvariant,
    CompiledSystem,
    Fault,
    Invariant,
)
from tap_templates.compiler.invariants.limits import LIMITS
from tap_templates.compiler.invariants.literals import LITERALS
from tap_templates.compiler.invariants.machine_runs import MACHINE_RUNS
from tap_templates.compiler.invariants.machine_tasks import MACHINE_TASKS
from tap_templates.compiler.invariants.machines import MACHINES
from tap_templates.compiler.invariants.name_suffixes import NAME_SUFFIXES
from tap_templates.compiler.invariants.names import NAMES, NAMES_ACROSS
from tap_templates.compiler.invariants.networks import NETWORKS
from tap_templates.compiler.invariants.objectives import OBJECTIVES, failover_budget
from tap_templates.compiler.invariants.objectives_database import (
    DATABASE_OBJECTIVES,
    database_budget,
)
from tap_templates.compiler.invariants.objectives_terms import Term
from tap_templates.compiler.invariants.outputs import OUTPUTS
from tap_templates.compiler.invariants.pair import PAIR
from tap_templates.compiler.invariants.parameter_values import PARAMETER_VALUES
from tap_templates.compiler.invariants.parameters import PARAMETERS
from tap_templates.compiler.invariants.published import PUBLISHED
from tap_templates.compiler.invariants.queue_workers import QUEUE_WORKERS
from tap_templates.compiler.invariants.references import REFERENCES
from tap_templates.compiler.invariants.replicas import REPLICAS
from tap_templates.compiler.invariants.report import findings
from tap_templates.compiler.invariants.rest_apis import REST_APIS
from tap_templates.compiler.invariants.retention import RETENTION
from tap_templates.compiler.invariants.settings import SETTINGS
from tap_templates.compiler.invariants.tags import TAGS
from tap_templates.compiler.invariants.versions import VERSIONS
from tap_templates.model.findings import Finding

__all__ = [
    "ACROSS",
    "INVARIANTS",
    "AcrossInvariant",
    "CompiledSystem",
    "Fault",
    "Invariant",
    "Term",
    "check_across",
    "check_system",
    "database_budget",
    "failover_budget",
]

INVARIANTS: tuple[Invariant, ...] = (
    *REFERENCES,
    *DIMENSIONS,
    *PUBLISHED,
    *NAMES,
    *NAME_SUFFIXES,
    *TAGS,
    *ENCRYPTION,
    *RETENTION,
    *FUNCTIONS,
    *FUNCTION_PACKAGES,
    *FUNCTION_TIMES,
    *VERSIONS,
    *DEAD_LETTERS,
    *QUEUE_WORKERS,
    *REST_APIS,
    *ARCHIVES,
    *PARAMETERS,
    *PARAMETER_VALUES,
    *OUTPUTS,
    *LITERALS,
    *LIMITS,
    *PAIR,
    *FORWARDING,
    *SETTINGS,
    *REPLICAS,
    *DATABASES,
    *OBJECTIVES,
    *DATABASE_OBJECTIVES,
    *FAILOVER_PATHS,
    *HEARTBEATS,
    *MACHINES,
    *MACHINE_TASKS,
    *MACHINE_RUNS,
    *NETWORKS,
    *IGNORED_RULES,
)

ACROSS: tuple[AcrossInvariant, ...] = (*NAMES_ACROSS,)


def check_system(compiled: CompiledSystem) -> list[Finding]:
    """Hold one system to every invariant.

    What is true in both regions is one finding. Sorted by place.
    """
    found: set[Finding] = set()
    for each in INVARIANTS:
        found.update(findings(compiled, each.code, each.source_url, each.check(compiled)))
    return sorted(found)


def check_across(systems: Sequence[CompiledSystem]) -> list[Finding]:
    """Find what systems that share an account take from each other; reports at the later one."""
    found: set[Finding] = set()
    for each in ACROSS:
        faults = list(each.check(systems))
        for compiled in systems:
            own: Iterable[Fault] = [
                across.fault for across in faults if across.system == compiled.system.name
            ]
            found.update(findings(compiled, each.code, each.source_url, own))
    return sorted(found)
