"""What a check has to say: values, collected and never thrown.

Codes are `E….`/`W….` of cfn-lint, `E9xxx`/`W9xxx` of our lint rules, and `TAP-…` of checks that
see the whole system (both regions, the handlers' code) and therefore cannot be lint rules.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing found, with its place and the way out. Sorts by place."""

    system: str
    stack: str
    logical_id: str  # "" if it concerns the stack as a whole
    path: str  # JSON pointer into the rendered template, "" if there is none
    code: str
    severity: Severity
    what: str
    remedy: str
    source_url: str = ""

    @property
    def place(self) -> str:
        """Say where, as a person would look for it: `system/stack LogicalId /Properties/…`."""
        stack = "/".join(part for part in (self.system, self.stack) if part)
        return " ".join(part for part in (stack, self.logical_id, self.path) if part)
