"""How a resource is excused from a lint rule: for a written reason, beside it, and alone."""

from collections.abc import Mapping
from typing import Any


def ignoring(reasons: Mapping[str, str]) -> dict[str, Any]:
    """Make the Metadata of a resource that cfn-lint's rules may not speak of, by rule and reason.

    An invariant refuses an ignored rule without a reason, and a template that ignores as a whole.
    """
    return {
        "cfn-lint": {"config": {"ignore_checks": sorted(reasons)}},
        "tap.ignore_reasons": dict(sorted(reasons.items())),
    }
