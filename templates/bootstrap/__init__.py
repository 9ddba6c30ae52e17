"""bootstrap: what an account needs once, before stack sets can roll anything out.

    artifacts ──▶ a bucket in each region: packages and templates, by digest
    roles ─────▶ CloudFormation ─assumes─▶ administration ─assumes─▶ execution ─▶ resources

The execution role may do what provisioning the workloads' resource types takes, so it grows and
shrinks with them: its diff in a pull request shows what a new type costs in privileges. Rolled out
with plain stacks, since stack sets need it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tap_templates.errors import ModelError
from tap_templates.model.system import Objectives, Regions, Stack, System, Where
from templates.bootstrap import artifacts, roles


def bootstrap(*workloads: System) -> System:
    """Declare the bootstrap for `workloads`, which share a pair of regions."""
    pairs = {(workload.regions.primary, workload.regions.secondary) for workload in workloads}
    if len(pairs) != 1:
        raise ModelError(
            "bootstrap",
            f"serves systems of {len(pairs)} pairs of regions",
            "declare one for each pair",
        )
    for_stack_sets = "CloudFormation works as it for stack sets, which no template declares"
    return System(
        name="bootstrap",
        application="Bootstrap",
        regions=_regions(workloads),
        objectives=Objectives(),
        once_per_account=True,
        operated_roles=dict.fromkeys(roles.NAMES, for_stack_sets),
        stacks=(
            Stack(name="artifacts", build=artifacts.build, where=Where.BOTH),
            # Stack sets are administered from the secondary region: see DESIGN 23.
            Stack(name="roles", build=partial(roles.build, workloads), where=Where.SECONDARY),
        ),
    )


def _regions(workloads: Sequence[System]) -> Regions:
    """Take the pair they share, and the witness of those that have one."""
    first = workloads[0].regions
    witnesses = {each.regions.witness for each in workloads} - {None}
    if len(witnesses) > 1:
        raise ModelError(
            "bootstrap",
            f"serves systems with {len(witnesses)} witness regions",
            "agree on one: the execution role is limited to three regions",
        )
    return replace(first, witness=next(iter(witnesses), None))
