"""The analyser of permissions: flags what allows more than before, or may, and what allows less."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tap_templates.diff.model import Context, Flag, FlagName, Resource, StackView
from tap_templates.diff.security.naming import account_of, encoder
from tap_templates.diff.security.permissions.assembly import about, assemble
from tap_templates.diff.security.permissions.containment import Comparison, Verdict, compare
from tap_templates.diff.security.permissions.holders import (
    IDENTITIES,
    Kind,
    Subject,
    subjects,
)
from tap_templates.diff.security.permissions.statements import EVERYTHING, Policies, Statement
from tap_templates.diff.security.texts import STAR, Atoms, Encoder, TooManyAtomsError

_NAMED = {
    Kind.IDENTITY: ("resource",),
    Kind.TRUST: ("principal",),
    Kind.USE: ("resource", "principal"),
}
# What is denied is compared beside this: somebody elsewhere may be allowed it.
_ANYTHING: Final = Statement(allow=True, actions=EVERYTHING)
# Of these nobody may do but what their own policies allow.
_CLOSED: Final = frozenset({"AWS::EC2::VPCEndpoint", "AWS::KMS::Key", "AWS::KMS::ReplicaKey"})


class PermissionJudge:
    """Compares what all subjects of a resource are allowed, by all policies of the template.

    A subject may have several resources that changed: it is compared once, as long as the context
    is the same object.
    """

    def __init__(self) -> None:
        self._context: Context | None = None
        self._known: dict[tuple[Subject, Subject], Comparison] = {}

    def __call__(
        self, before: Resource | None, after: Resource | None, context: Context
    ) -> Iterator[Flag]:
        """Flag what is newly allowed, or may be, or is no longer."""
        if context is not self._context:
            self._context, self._known = context, {}
        for old, new in _pairs(before, after, context):
            case = _Case(before, after, context)
            try:
                if not case.takes_part(old, new):
                    continue
                if (old, new) not in self._known:
                    self._known[old, new] = case.compare(old, new)
                found = self._known[old, new]
            except TooManyAtomsError:
                found = Comparison(Verdict.UNKNOWN, reason="the policies hold too many references")
            yield from _flags(new, found)


judge_permissions = PermissionJudge()


def _pairs(
    before: Resource | None, after: Resource | None, context: Context
) -> list[tuple[Subject, Subject]]:
    """Pair the subjects on both sides, one that is named anew with its former self."""
    found: dict[Subject, Subject] = {}
    is_renamed = before is not None and after is not None and before.logical_id != after.logical_id
    if after is not None and context.after is not None:
        for subject in subjects(after, context.after):
            old = subject
            if is_renamed and before is not None and subject.name == after.logical_id:
                old = Subject(subject.kind, before.logical_id)
            found[subject] = old
    if before is not None and context.before is not None:
        known = set(found.values())
        for subject in subjects(before, context.before):
            if subject not in known:
                found.setdefault(subject, subject)
    return [(old, new) for new, old in sorted(found.items())]


class _Case:
    """One resource's change."""

    def __init__(self, before: Resource | None, after: Resource | None, context: Context) -> None:
        self._before, self._after, self._context = before, after, context
        self._atoms = Atoms()

        self._encoders = (self._encoder(context.before), self._encoder(context.after))

    def takes_part(self, old: Subject, new: Subject) -> bool:
        """Tell whether what this resource says about a subject has changed at all."""
        context, encoders = self._context, self._encoders
        return self._own(old, self._before, context.before, encoders[0]) != self._own(
            new, self._after, context.after, encoders[1]
        )

    def compare(self, old: Subject, new: Subject) -> Comparison:
        """Compare a subject as a whole."""
        context, encoders = self._context, self._encoders
        policies = (
            assemble(old, context.before, encoders[0]),
            assemble(new, context.after, encoders[1]),
        )
        was, stays = _is_in(old, context.before), _is_in(new, context.after)
        if stays and not was:
            policies = (policies[0], _outside(policies[1], new, account_of(encoders[1])))
        if was and not stays and new.kind is Kind.USE:
            return Comparison(Verdict.EQUAL)  # it is gone, and with it what was said of it
        domains = {about(old, context.before, encoders[0]), about(new, context.after, encoders[1])}
        domain = domains.pop() if len(domains) == 1 else ()
        if not all(_is_within(each, domain) for side in policies for each in side.statements):
            domain = ()
        named = _NAMED[new.kind]
        if all(each.resources.is_everything for side in policies for each in side.statements):
            named = tuple(each for each in named if new.kind is Kind.IDENTITY or each != "resource")
        region = context.region or "us-east-1"
        found = compare(*policies, atoms=self._atoms, resources=domain, named=named, region=region)
        if (
            found.verdict not in (Verdict.EQUAL, Verdict.NARROWER)
            or policies[0].denials == policies[1].denials
            or was != stays
            or not _is_allowed_elsewhere(new, context.after)
        ):
            return found
        denied = compare(
            *(replace(each, statements=each.denials | {_ANYTHING}) for each in policies),
            atoms=self._atoms,
            resources=domain,
            named=named,
            region=region,
        )
        if denied.verdict is Verdict.BROADER:
            return replace(denied, reason="no longer denied is")
        return found if denied.verdict is Verdict.EQUAL else denied

    def _encoder(self, view: StackView | None) -> Encoder:
        return encoder(view, self._atoms) if view is not None else Encoder(self._atoms)

    @staticmethod
    def _own(
        subject: Subject, resource: Resource | None, view: StackView | None, encode: Encoder
    ) -> Policies:
        return Policies() if resource is None else assemble(subject, view, encode, resource)


def _is_in(subject: Subject, view: StackView | None) -> bool:
    return view is not None and view.resource(subject.name) is not None


def _is_allowed_elsewhere(subject: Subject, view: StackView | None) -> bool:
    """Tell whether policies that are not of this subject, or not here, may allow it something."""
    own = view.resource(subject.name) if view is not None else None
    if subject.kind is Kind.USE:
        return own is None or own.type not in _CLOSED
    return subject.kind is Kind.IDENTITY and (own is None or own.type not in IDENTITIES)


def _outside(policies: Policies, subject: Subject, account: str) -> Policies:
    """Leave out what a new resource lets AWS services, and its own account, do with itself."""
    if subject.kind is Kind.IDENTITY:
        return policies
    inside = ("Service:", f"AWS:{account}:") if subject.kind is Kind.USE else ("Service:",)
    kept = (
        each
        for each in policies.statements
        if not each.allow
        or each.principals.negated
        or any(not pattern.text.startswith(inside) for pattern in each.principals.patterns)
    )
    return replace(policies, statements=frozenset(kept))


def _is_within(statement: Statement, domain: tuple[str, ...]) -> bool:
    """Tell whether all resources that a statement names are written as the domain has them."""
    return all(
        pattern.text == STAR or any(pattern.text.startswith(each) for each in domain)
        for pattern in statement.resources.patterns
    )


def _flags(subject: Subject, found: Comparison) -> Iterator[Flag]:
    who = f"{subject.name} {subject.kind}"
    witness = str(found.witness or "")
    match found.verdict:
        case Verdict.BROADER:
            because = f"{who} more than before: {found.reason or 'newly allowed is'} {witness}"
            yield Flag(FlagName.IAM_BROADENING, because, witness)
        case Verdict.UNKNOWN:
            because = f"whether {who} more than before cannot be decided: {found.reason}"
            yield Flag(FlagName.IAM_BROADENING, because, certain=False)
        case Verdict.NARROWER:
            said = f": no longer allowed is {witness}" if witness else ""
            yield Flag(FlagName.IAM_NARROWING, f"{who} less than before{said}", witness)
