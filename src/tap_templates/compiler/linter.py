"""The linter proper: cfn-lint in process. Importing this module costs half a second.

One rules object serves all templates of a process; cfn-lint's own entry point would load the rules
again for each. Of the world outside the repository nothing decides: cfn-lint reads our
configuration file only, and the schemas of its own package only.
"""

import os
import time
from functools import cache

from tap_templates.compiler.lint import CONFIGURATION, LintError, LintJob, LintResult
from tap_templates.model.findings import Finding, Severity
from tap_templates.rules import RULES_DIR

# It would prefer newer schemas from a cache under the home folder, and looks when imported.
os.environ["HOME"] = os.environ["XDG_CACHE_HOME"] = "/nonexistent"

from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.helpers import REGIONS
from cfnlint.match import Match
from cfnlint.rules._rules import Rules
from cfnlint.runner.cli import Runner
from cfnlint.runner.template.runner import run_template_by_data


def _configuration(regions: tuple[str, ...]) -> ConfigMixIn:
    arguments = ["--config-file", str(CONFIGURATION), "--append-rules", str(RULES_DIR)]
    return ConfigMixIn([*arguments, "--regions", *regions])


@cache
def load() -> Rules:
    """Load cfn-lint's rules and ours, once in a process."""
    return Runner(_configuration(("us-east-1",))).rules


def lint(job: LintJob) -> LintResult:
    """Lint one body; every match becomes a finding, whatever cfn-lint calls its severity."""
    began = time.process_time()
    if unknown := sorted(set(job.regions) - set(REGIONS)):
        raise LintError(
            "/".join(part for part in (job.system, job.stack) if part),
            f"cannot be linted for {', '.join(unknown)}, of which cfn-lint has no schemas",
            "correct the region",
        )
    rules = load()
    try:
        text = job.body.decode()
    except UnicodeDecodeError as error:
        return LintResult((_not_utf8(job, error),), time.process_time() - began, cached=False)
    # decode_str keeps the place of every value; a plain dict would lose findings that look alike.
    template, unreadable = decode_str(text)
    if template is None:
        matches = unreadable
    else:
        matches = list(run_template_by_data(template, _configuration(job.regions), rules))
    found = sorted({_finding(job, match) for match in matches})
    return LintResult(tuple(found), time.process_time() - began, cached=False)


def _not_utf8(job: LintJob, error: UnicodeDecodeError) -> Finding:
    return Finding(
        system=job.system,
        stack=job.stack,
        logical_id="",
        path="",
        code="E0000",  # cfn-lint's for what it cannot read
        severity=Severity.ERROR,
        what=f"is not UTF-8: {error.reason} at byte {error.start}",
        remedy="save it as UTF-8",
    )


def _finding(job: LintJob, match: Match) -> Finding:
    path = [str(each) for each in getattr(match, "path", None) or []]
    logical_id = path[1] if path[:1] == ["Resources"] and len(path) > 1 else ""
    inside = path[2:] if logical_id else path
    severity = Severity.WARNING if match.rule.id.startswith("W") else Severity.ERROR
    # Our rules say what is wrong and, behind a colon, what to do; cfn-lint's say the first only.
    ours = match.rule.id[1:].startswith("9")
    what, _, remedy = match.message.partition(": ") if ours else (match.message, "", "")
    return Finding(
        system=job.system,
        stack=job.stack,
        logical_id=logical_id,
        path="".join(f"/{each}" for each in inside),
        code=match.rule.id,
        severity=severity,
        what=what,
        remedy=remedy or f"see what the rule demands: {match.rule.description}",
        source_url=match.rule.source_url,
    )
