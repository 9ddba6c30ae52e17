"""Compare templates: the one entrance for the command line, from loaded templates to a result.

Pure but for reading the provider schemas. `load` makes the arguments, `render_json` writes the
result; the analysers of security and recovery are passed in.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from tap_templates.diff.cycles import refuse_cycles
from tap_templates.diff.draft import Comparison, Draft
from tap_templates.diff.losses import flag_losses
from tap_templates.diff.merge import merged
from tap_templates.diff.model import (
    Action,
    Analyser,
    Change,
    Context,
    Diff,
    Flag,
    ManifestAnalyser,
    Replacement,
    Template,
    TemplateDiff,
)
from tap_templates.diff.propagation import propagate
from tap_templates.diff.renames import explain_renames
from tap_templates.diff.resources import compare_resources
from tap_templates.diff.schemas import schema_of
from tap_templates.diff.sections import compare_sections
from tap_templates.diff.view import View

DEFAULT_REGION: Final = "us-east-1"
# Transforms that only add what is evaluated here, or what is left as an unknown function.
_HARMLESS: Final = frozenset({"AWS::LanguageExtensions"})


def compare_templates(
    before: Mapping[str, Template],
    after: Mapping[str, Template],
    *,
    regions: Sequence[str] = (),
    analysers: Sequence[Analyser] = (),
    manifest_analysers: Sequence[ManifestAnalyser] = (),
) -> Diff:
    """Compare templates of the same path; one that only one side has is added or removed whole.

    `regions` limits where templates are deployed by their manifests; where none says, they are
    deployed in all of `regions`, else in us-east-1, and what hangs on that is uncertain. Raises
    InputError for a template that CloudFormation could not order.
    """
    comparisons: list[Comparison] = []
    assumed: list[Comparison] = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        where, is_assumed = _regions(old, new, regions)
        pairs = [_comparison(path, region, old, new) for region in where]
        comparisons.extend(pairs)
        if is_assumed and any(each.drafts for each in pairs) and _names_region(old, new):
            assumed.append(_comparison(path, None, old, new))
    propagate(comparisons)
    propagate(assumed)
    _doubt(comparisons, assumed)
    for each in comparisons:
        _finish(each, analysers)
    told = [*_told(comparisons), *_promises(before, after, manifest_analysers)]
    return Diff(tuple(sorted(told, key=lambda each: each.path)))


def _promises(
    before: Mapping[str, Template],
    after: Mapping[str, Template],
    analysers: Sequence[ManifestAnalyser],
) -> Iterator[TemplateDiff]:
    """Tell what the systems promise otherwise than before: their manifests say it."""
    old, new = (
        {str(PurePosixPath(path).parent): each.manifest for path, each in side.items()}
        for side in (before, after)
    )
    for folder in sorted(old.keys() & new.keys()):
        flags = [flag for judge in analysers for flag in judge(old[folder], new[folder])]
        if flags:
            change = Change(
                id="Manifest/objectives",
                section="Manifest",
                type="",
                action=Action.MODIFY,
                flags=tuple(flags),
                because=("what the system promises has changed",),
            )
            yield TemplateDiff(str(PurePosixPath(folder) / "manifest.json"), (change,))


def compare_pair(
    before: Template | None,
    after: Template | None,
    *,
    regions: Sequence[str] = (),
    analysers: Sequence[Analyser] = (),
) -> Diff:
    """Compare two versions of one template; None if there was none, or is none any more."""
    given = after or before
    path = given.path if given else ""
    return compare_templates(
        {path: before} if before else {},
        {path: after} if after else {},
        regions=regions,
        analysers=analysers,
    )


def _regions(
    before: Template | None, after: Template | None, asked: Sequence[str]
) -> tuple[list[str], bool]:
    """Give the regions to compare in, and whether they are a guess."""
    declared = [region for each in (before, after) if each for region in each.regions]
    unique = list(dict.fromkeys(declared))
    if asked:
        return [region for region in unique if region in asked] or list(asked), False
    return (unique, False) if unique else ([DEFAULT_REGION], True)


def _comparison(
    path: str, region: str | None, before: Template | None, after: Template | None
) -> Comparison:
    old, new = (_view(each, region) for each in (before, after))
    if not (old and new and old.template.body == new.template.body):
        for view in (old, new):
            if view:
                refuse_cycles(view)
    return Comparison(
        path=path,
        region=region or "",
        before=old,
        after=new,
        drafts={**compare_resources(old, new), **compare_sections(old, new)},
    )


def _view(template: Template | None, region: str | None) -> View | None:
    if template is None or (region and template.regions and region not in template.regions):
        return None
    return View(template, region)


def _names_region(*templates: Template | None) -> bool:
    names = ("AWS::Region", "AWS::Partition", "AWS::URLSuffix")
    return any(name in str(each.body) for each in templates if each for name in names)


def _doubt(comparisons: Sequence[Comparison], assumed: Sequence[Comparison]) -> None:
    """Mark as uncertain what comes out differently without the region that was assumed."""
    anywhere = {each.path: each.drafts for each in assumed}
    for comparison in comparisons:
        if comparison.path not in anywhere:
            continue
        for name, draft in comparison.drafts.items():
            other = anywhere[comparison.path].get(name)
            if other is None or not _is_alike(draft, other):
                draft.certain = False
                draft.explain(f"so in {comparison.region}; nothing says where this is deployed")


def _is_alike(draft: Draft, other: Draft) -> bool:
    return (
        draft.action is other.action
        and draft.cosmetic == other.cosmetic
        and draft.replacement is other.replacement
        and draft.certain == other.certain
    )


def _finish(comparison: Comparison, analysers: Sequence[Analyser]) -> None:
    _note_macros(comparison)
    explain_renames(comparison.drafts)
    context = Context(
        path=comparison.path,
        region=comparison.region,
        before=comparison.before,
        after=comparison.after,
    )
    for draft in comparison.drafts.values():
        if draft.section != "Resources" or draft.cosmetic:
            continue
        _note_fixed_name(draft)
        flag_losses(draft)
        for analyse in analysers if draft.type else ():
            draft.flags.extend(analyse(draft.before, draft.after, context))
        draft.flags[:] = sorted(dict.fromkeys(draft.flags), key=_flag_order)


def _flag_order(flag: Flag) -> tuple[str, str, str]:
    return (str(flag.name), flag.because, flag.witness)


def _note_macros(comparison: Comparison) -> None:
    """Doubt everything that a macro may still change."""
    for view in (comparison.before, comparison.after):
        named = view.template.body.get("Transform") if view else None
        names = named if isinstance(named, list) else [named]
        macros = [each for each in names if each is not None and str(each) not in _HARMLESS]
        if macros:
            for draft in comparison.drafts.values():
                draft.certain = False
                draft.explain("a transform still changes the template, and how is not known here")


def _note_fixed_name(draft: Draft) -> None:
    """Say that a replacement fails if the old one still has the name."""
    schema = schema_of(draft.type)
    if draft.replacement is Replacement.NEVER or draft.action is not Action.MODIFY:
        return
    if schema is None or schema.deletes_first or draft.after is None or draft.before is None:
        return
    changed = {each.path[1] for each in draft.differences if len(each.path) > 1}
    for name in schema.names():
        if name not in changed and name in draft.after.properties:
            draft.explain(
                f"its {name} is fixed and stays: CloudFormation cannot make the new one beside the"
                " old, and the update fails until it is renamed"
            )


def _told(comparisons: Sequence[Comparison]) -> list[TemplateDiff]:
    by_path: dict[str, dict[str, Mapping[str, Draft]]] = {}
    for each in comparisons:
        by_path.setdefault(each.path, {})[each.region] = each.drafts
    found = (TemplateDiff(path, merged(regions)) for path, regions in by_path.items())
    return [each for each in found if each.changes]
