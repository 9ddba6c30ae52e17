"""From faults to findings: one finding for what is true in both regions, in a stable order."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault
from tap_templates.model.findings import Finding, Severity

_OWN = "${AWS::Region}"
_OTHER = "${the other region}"
_ACCOUNT = "${AWS::AccountId}"


def findings(
    compiled: CompiledSystem, code: str, source_url: str, faults: Iterable[Fault]
) -> Iterator[Finding]:
    """Turn the faults of one invariant into findings."""
    account = compiled.view.account
    merged: dict[Fault, dict[str, Fault]] = {}
    for fault in faults:
        merged.setdefault(_anywhere(compiled, fault), {})[fault.region] = fault
    for common, by_region in merged.items():
        everywhere = len(by_region) > 1
        fault = common if everywhere else next(iter(by_region.values()))
        where = ""
        if everywhere:
            where = ", in both regions"
        elif fault.region:
            where = f", in {fault.region}"
        yield Finding(
            system=compiled.system.name,
            stack=fault.stack,
            logical_id=fault.logical_id,
            path=fault.path,
            code=code,
            severity=Severity.ERROR,
            what=(fault.what + where).replace(account, _ACCOUNT),
            remedy=fault.remedy.replace(account, _ACCOUNT),
            source_url=source_url,
        )


def _anywhere(compiled: CompiledSystem, fault: Fault) -> Fault:
    """Say the same without naming the region, to tell whether it is true in the other one too."""
    if not fault.region:
        return fault
    regions = compiled.system.regions
    other = regions.secondary if fault.region == regions.primary else regions.primary

    def neutral(text: str) -> str:
        return text.replace(fault.region, _OWN).replace(other, _OTHER)

    return replace(fault, region="", what=neutral(fault.what), remedy=neutral(fault.remedy))
