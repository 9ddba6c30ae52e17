"""Whether the condition of a statement holds for what a service does, and for nothing else."""

from collections.abc import Iterator, Sequence

from tap_templates.iam.codes import Code
from tap_templates.iam.effective import Admission
from tap_templates.iam.needs import Clause, Condition, Problem
from tap_templates.iam.patterns import covers, is_pattern
from tap_templates.iam.service_use import SOURCE_ACCOUNT, URL_TYPE, VIA_URL, ServiceUse

# All are true only if the key is there: an `…IfExists` or a `Null` is not among them.
_ON_ARNS = ("ArnEquals", "ArnLike", "StringEquals")
_ON_TEXTS = ("StringEquals",)
_OPERATORS = {SOURCE_ACCOUNT: _ON_TEXTS, URL_TYPE: _ON_TEXTS, VIA_URL: ("Bool",)}
_TAKES_PATTERNS = ("ArnEquals", "ArnLike")  # both do: the two are the same to IAM
_BETWEEN_WORDS = "-_./:"
_NAME_IT = "name the source; alarms may share a pattern with one `*` between words"


def admitted(given: Condition, use: ServiceUse) -> bool:
    """Tell whether all clauses are known to hold for `use`."""
    return all(
        clause.operator in _operators(clause)
        and clause.key.lower() in use.sends
        and any(_matches(clause, value, use) for value in clause.values)
        for clause in given
    )


def check_condition(
    admission: Admission, action: str, uses: Sequence[ServiceUse]
) -> Iterator[Problem]:
    """Judge the condition under which a service is admitted to what `uses` need."""
    who = f"admits {admission.principal} with {action}"
    given = {clause.key.lower() for clause in admission.condition}
    for key in sorted({key for use in uses for key in use.demands} - given):
        values = sorted({use.sends[key] for use in uses if key in use.demands})
        so = "on behalf of others" if admission.kind == "Service" else "in any way"
        what = f"{who} without a condition on {key}, and so {so}"
        remedy = f"add {_shown(key)} {key} = {', '.join(values)}"
        yield _problem(Code.SERVICE_NO_CONDITION, admission, what, remedy)
    for clause in admission.condition:
        senders = [use for use in uses if clause.key.lower() in use.sends]
        if not senders or clause.operator not in _operators(clause):
            what = f"{who} if {clause}, which is not known to hold"
            sent = sorted({key for use in uses for key in use.sends})
            remedy = f"test {', '.join(sent) or 'nothing'}, and with {_shown(clause.key)}"
            yield _problem(Code.SERVICE_CONDITION_DIFFERS, admission, what, remedy)
            continue
        for value in clause.values:
            matched = [use for use in senders if _matches(clause, value, use)]
            if not matched:
                what = f"{who} for {clause.key} {value}, which is nothing that is told to use it"
                wanted = sorted({use.sends[clause.key.lower()] for use in senders})
                remedy = f"say {wanted[0]}"
                yield _problem(Code.SERVICE_CONDITION_DIFFERS, admission, what, remedy)
            elif is_pattern(value) and not _is_as_named(value, matched):
                what = f"{who} for {clause.key} {value}, which is more than is told to use it"
                known = sorted({each for use in matched for each in use.patterns})
                remedy = f"say {known[0]}" if known else _NAME_IT
                yield _problem(Code.SERVICE_BROADER, admission, what, remedy)


def _operators(clause: Clause) -> tuple[str, ...]:
    return _OPERATORS.get(clause.key.lower(), _ON_ARNS)


def _shown(key: str) -> str:
    return _OPERATORS.get(key.lower(), _ON_ARNS)[0]


def _matches(clause: Clause, value: str, use: ServiceUse) -> bool:
    sent = use.sends.get(clause.key.lower())
    if sent is None:
        return False
    if clause.operator in _TAKES_PATTERNS:
        # IAM compares ARNs part by part: a `*` does not reach over a colon of the first five.
        mine, theirs = value.split(":", 5), sent.split(":", 5)
        return len(mine) == len(theirs) and all(map(covers, mine, theirs))
    return value == sent


def _is_as_named(value: str, matched: Sequence[ServiceUse]) -> bool:
    return all(value in use.patterns for use in matched) or _is_tight(value, matched)


def _is_tight(value: str, matched: Sequence[ServiceUse]) -> bool:
    """Tell whether a pattern is one kind of resource of one account and region, by whole words."""
    parts = value.split(":", 5)
    kind, _, name = parts[-1].partition(":")
    head, _, tail = name.partition("*")
    return (
        all(use.by_pattern for use in matched)
        and not any(map(is_pattern, (*parts[:5], kind, head, tail)))
        and head[-1:] in tuple(_BETWEEN_WORDS)
        and tail[:1] in tuple(_BETWEEN_WORDS)
        and bool(head.strip(_BETWEEN_WORDS) and tail.strip(_BETWEEN_WORDS))
    )


def _problem(code: Code, admission: Admission, what: str, remedy: str) -> Problem:
    return Problem(code, admission.located, admission.path, what, remedy)
