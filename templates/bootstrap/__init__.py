"""bootstrap: what an account needs once, before stack sets can roll anything out.

    artifacts ──▶ a bucket in each region: packages and templates, by digest
    roles ─────▶ CloudFormation ─assumes─▶ administration ─assumes─▶ execution ─▶ resources
    api-logs ──▶ the role that REST APIs log with, in each region that has some

The execution role may do what provisioning the workloads' resource types takes, so it grows and
shrinks with them: its diff in a pull request shows what a new type costs in privileges. Rolled out
with plain stacks, since stack sets need it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from tap_templates.errors import ModelError
from tap_templates.model.system import Objectives, Regions, Stack, System, Where
from templates.bootstrap import apis, artifacts, roles


def bootstrap(*workloads: System) -> System:
    """Declare the bootstrap for `workloads`, which share a primary region and span up to three."""
    regions = _regions(workloads)
    for_stack_sets = "CloudFormation works as it for stack sets, which no template declares"
    logging = [each for each in workloads if apis.has_rest_apis(each)]
    apis_first = tuple(_apis(regions, logging))  # what may touch roles comes after all of them
    return System(
        name="bootstrap",
        application="Bootstrap",
        regions=regions,
        objectives=Objectives(),
        once_per_account=True,
        operated_roles=dict.fromkeys(roles.NAMES, for_stack_sets),
        stacks=(
            *_artifacts(regions, workloads),
            *apis_first,
            # Stack sets are administered from the secondary region: see DESIGN 23.
            Stack(
                name="roles",
                build=partial(roles.build, workloads),
                where=Where.SECONDARY,
                depends_on=tuple(each.name for each in apis_first),
            ),
        ),
    )


def _artifacts(regions: Regions, workloads: Sequence[System]) -> Iterator[Stack]:
    yield Stack(name="artifacts", build=artifacts.build, where=Where.BOTH)
    if any(each.regions.secondary == regions.witness for each in workloads):
        yield Stack(name="artifacts-witness", build=artifacts.build, where=Where.WITNESS)


def _apis(regions: Regions, logging: Sequence[System]) -> Iterator[Stack]:
    """Set the role of access logs where there are REST APIs, and nowhere else."""
    used = {region for each in logging for region in each.regions.of(Where.BOTH)}
    for where in (Where.PRIMARY, Where.SECONDARY, Where.WITNESS):
        if where is Where.WITNESS and regions.witness is None:
            continue
        if used.intersection(regions.of(where)):
            yield Stack(name=f"api-logs-{where.value}", build=apis.build, where=where)


def _regions(workloads: Sequence[System]) -> Regions:
    """Put all regions together: the first one's pair, and the one that others have besides."""
    first = workloads[0].regions
    named = {
        region
        for each in workloads
        for region in (*each.regions.of(Where.BOTH), each.regions.witness)
        if region
    }
    others = sorted(named - set(first.of(Where.BOTH)))
    if len(others) > 1 or any(each.regions.primary != first.primary for each in workloads):
        raise ModelError(
            "bootstrap",
            f"serves systems of different primary regions, or of more than three: "
            f"{', '.join(sorted(named))}",
            "agree on one primary and two others: the execution role is limited to three regions",
        )
    return replace(first, witness=others[0] if others else None)
