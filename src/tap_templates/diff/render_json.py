"""Write a result as the document that schema `tap.diff/1` describes."""

import json
from typing import Any

from tap_templates.diff.model import SCHEMA, Action, Change, Diff, FlagName, Replacement

_COUNTED = (FlagName.DATA_LOSS, FlagName.IAM_BROADENING, FlagName.NETWORK_BROADENING)


def to_json(diff: Diff) -> dict[str, Any]:
    """Make the document: plain data, in the order in which it is written."""
    return {
        "schema": SCHEMA,
        "templates": [
            {"path": each.path, "changes": [_change(change) for change in each.changes]}
            for each in diff.templates
        ],
        "summary": summary(diff),
    }


def dumps(diff: Diff) -> str:
    """Write the document, indented, with a final newline."""
    return json.dumps(to_json(diff), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def summary(diff: Diff) -> dict[str, int]:
    """Count changes that are not cosmetic; `replace` counts what is or may be replaced."""
    changes = [change for _, change in diff.changes() if not change.cosmetic]
    return {
        **{str(action): sum(each.action is action for each in changes) for action in Action},
        "replace": sum(each.replacement is not Replacement.NEVER for each in changes),
        **{str(name): sum(name in each.flag_names for each in changes) for name in _COUNTED},
    }


def _change(change: Change) -> dict[str, Any]:
    reasons = [*change.because]
    for flag in change.flags:
        witness = f" (for example {flag.witness})" if flag.witness else ""
        reasons.append(f"{flag.name}: {flag.because}{witness}")
    return {
        "id": change.id,
        "section": change.section,
        "type": change.type,
        "action": str(change.action),
        "replacement": str(change.replacement),
        "flags": list(change.flag_names),
        "cosmetic": change.cosmetic,
        "certain": change.certain,
        "direct": change.direct,
        "because": list(dict.fromkeys(reasons)),
        "properties": [
            {"path": each.path, "before": each.before, "after": each.after}
            for each in change.properties
        ],
    }
