"""All analysers, in the order in which their flags are told."""

from typing import Final

from tap_templates.diff.model import Analyser, ManifestAnalyser
from tap_templates.diff.security.exposure.analyser import judge_exposure
from tap_templates.diff.security.network.analyser import judge_network
from tap_templates.diff.security.permissions.analyser import judge_permissions
from tap_templates.diff.security.recovery.analyser import judge_objectives, judge_recovery

ANALYSERS: Final[tuple[Analyser, ...]] = (
    judge_permissions,
    judge_network,
    judge_exposure,
    judge_recovery,
)
MANIFEST_ANALYSERS: Final[tuple[ManifestAnalyser, ...]] = (judge_objectives,)
