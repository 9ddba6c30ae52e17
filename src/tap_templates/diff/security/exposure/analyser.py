"""The analyser of exposure: flags what is open now and was not before."""

from collections.abc import Iterator

from tap_templates.diff.model import Context, Flag, FlagName, Resource, StackView
from tap_templates.diff.security.exposure import policies, settings
from tap_templates.diff.security.exposure.found import Exposures
from tap_templates.diff.security.texts import TooManyAtomsError


def judge_exposure(
    before: Resource | None, after: Resource | None, context: Context
) -> Iterator[Flag]:
    """Flag each opening that the resource has now and did not have before."""
    if after is None:
        return
    if before is not None and before.type != after.type:
        before = None  # another resource under the same name
    # S3 blocks public access to new buckets; taking the blocks out of a template turns them off.
    stated = before is not None and "PublicAccessBlockConfiguration" in before.properties
    old = _exposures(before, context.before, blocks_by_default=True)
    new = _exposures(after, context.after, blocks_by_default=not stated)
    for key, found in sorted(new.items()):
        if before is None and key in settings.USUAL_IF_NEW:
            continue
        if key not in old or (found.certain and not old[key].certain):
            yield Flag(FlagName.EXPOSURE, found.because, found.witness, found.certain)


def _exposures(
    resource: Resource | None, view: StackView | None, *, blocks_by_default: bool
) -> Exposures:
    if resource is None or view is None:
        return {}
    found = dict(settings.exposures(resource, blocks_by_default=blocks_by_default))
    try:
        found |= policies.exposures(resource, view)
    except TooManyAtomsError:
        return found  # the analyser of permissions tells that nothing could be decided
    return found
