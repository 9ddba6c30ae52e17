"""Read a policy document into statements; what cannot be read is told, never left out."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tap_templates.diff.security.permissions.statements import (
    EVERYTHING,
    GLOB_OPERATORS,
    TEMPLATE,
    Clause,
    Statement,
    Words,
    words,
)
from tap_templates.diff.security.texts import ONE, SEGMENT, STAR, Encoder, is_atom, is_open

_ELEMENTS = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource",
    "Principal", "NotPrincipal", "Condition",
}  # fmt: skip
_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}
_IAM_ARN = re.compile(r"arn:[^:]*:iam::(?P<account>[^:]*):(?P<rest>.*)", re.DOTALL)
_STS_ARN = re.compile(r"arn:[^:]*:sts::(?P<account>[^:]*):(?P<rest>.*)", re.DOTALL)
_ACCOUNT = re.compile(r"[0-9]{12}")
# A region and an account as a pattern of an ARN has them, rather than what stands in their places
# in a pattern that lets one `*` reach over several parts.
_REGION = re.compile(f"[a-z]*-[a-z0-9-]*|[{STAR}]?|[\ue000-\uf8ef]")
_OWNER = re.compile(f"[0-9{STAR}{ONE}]*|[\ue000-\uf8ef]")
_VARIABLES_SINCE: Final = "2012-10-17"


# Conditions of the template that something is under.
When = frozenset[Clause]


class UnreadableError(ValueError):
    """A statement says something that we do not read."""


@dataclass(slots=True)
class Reader:
    """Reads documents of one template; collects statements and what could not be read."""

    encoder: Encoder
    account: str  # the own account, encoded
    statements: set[Statement] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)

    def read(
        self, document: Any, *, needs_principal: bool = False, when: When = frozenset()
    ) -> None:
        """Add the statements of a document; `needs_principal` if it sits at a resource."""
        for branch, under in branches(document, when):
            if isinstance(branch, str):
                try:
                    self._read_document(json.loads(branch), under, needs_principal=needs_principal)
                except ValueError:
                    self._refuse("is no JSON", branch)
            else:
                self._read_document(branch, under, needs_principal=needs_principal)

    def _read_document(self, document: Any, when: When, *, needs_principal: bool) -> None:
        if not isinstance(document, Mapping) or "Statement" not in document:
            self._refuse("has no statements", document)
            return
        has_variables = document.get("Version") == _VARIABLES_SINCE
        for given, under in branches(document["Statement"]):
            for statement in given if isinstance(given, list) else [given]:
                self.read_statement(
                    statement,
                    when=when | under,
                    needs_principal=needs_principal,
                    has_variables=has_variables,
                )

    def read_statement(
        self,
        given: Any,
        *,
        when: When = frozenset(),
        needs_principal: bool = True,
        has_variables: bool = True,
    ) -> None:
        """Add one statement, which is there under the conditions of the template in `when`."""
        for statement, under in branches(given):
            try:
                read = self._statement(
                    statement, needs_principal=needs_principal, has_variables=has_variables
                )
                self.statements.add(replace(read, clauses=read.clauses | when | under))
            except UnreadableError as error:
                self._refuse(str(error), statement)

    def _refuse(self, why: str, what: Any) -> None:
        self.unread.add(f"{why}: {json.dumps(what, sort_keys=True, default=str)}")

    def _statement(self, given: Any, *, needs_principal: bool, has_variables: bool) -> Statement:
        if not isinstance(given, Mapping):
            raise UnreadableError("is no statement")
        if unknown := sorted(given.keys() - _ELEMENTS):
            raise UnreadableError(f"has the element {unknown[0]}")
        if given.get("Effect") not in ("Allow", "Deny"):
            raise UnreadableError("has no effect that is known")
        return Statement(
            allow=given["Effect"] == "Allow",
            actions=self._words(given, "Action", has_variables=False, folded=True),
            resources=self._words(given, "Resource", has_variables=has_variables),
            principals=self._principals(given, needs_principal=needs_principal),
            clauses=frozenset(
                self._clauses(given.get("Condition", {}), has_variables=has_variables)
            ),
        )

    def _words(
        self, given: Mapping[str, Any], element: str, *, has_variables: bool, folded: bool = False
    ) -> Words:
        negated = f"Not{element}" in given
        if negated and element in given:
            raise UnreadableError(f"has {element} and Not{element}")
        if not negated and element not in given:
            if element == "Action":
                raise UnreadableError("has no action")
            return EVERYTHING
        encode = self.encoder
        patterns: set[str] = set()
        for each in _listed(given[f"Not{element}" if negated else element]):
            text = encode.text(each)
            text = encode.pattern(text.lower() if folded else text, has_variables=has_variables)
            patterns.add(text if folded else _of_arn(text))
        if not patterns:
            raise UnreadableError(f"has an empty {element}")
        return words(patterns, negated=negated)

    def _principals(self, given: Mapping[str, Any], *, needs_principal: bool) -> Words:
        if "NotPrincipal" in given and "Principal" in given:
            raise UnreadableError("has Principal and NotPrincipal")
        if "NotPrincipal" in given:
            return words(self._named(given["NotPrincipal"], widens=False), negated=True)
        if "Principal" in given:
            return words(self._named(given["Principal"], widens=True))
        if needs_principal:
            raise UnreadableError("names no principal")
        return EVERYTHING

    def _named(self, given: Any, *, widens: bool) -> Iterator[str]:
        if given == "*":
            yield STAR
            return
        if not isinstance(given, Mapping) or not given or not given.keys() <= _KINDS:
            raise UnreadableError("names principals in a way that we do not read")
        for kind, names in given.items():
            for name in _listed(names):
                yield self._principal(kind, self.encoder.text(name), widens=widens)

    def _principal(self, kind: str, name: str, *, widens: bool) -> str:
        """Spell a principal as `Kind:name`, one of AWS as `AWS:account:name`.

        An account stands for all its principals, except where NotPrincipal names it: there it
        spares nobody else.
        """
        if name == "*":
            return STAR
        if kind != "AWS":
            return f"{kind}:{self.encoder.pattern(name, has_variables=False)}"
        if _ACCOUNT.fullmatch(name) or name == self.account:
            account, rest = name, "root"
        elif match := _IAM_ARN.fullmatch(name) or _STS_ARN.fullmatch(name):
            account, rest = match["account"], match["rest"]
        else:
            # A generated role of this stack is in this account; of anything else we know nothing.
            own = len(name) == 1 and is_atom(name) and not is_open(name)
            account, rest = (self.account if own else "", name)
        if rest == "root" and widens:
            return f"AWS:{account}:{STAR}"
        return f"AWS:{account}:{self.encoder.pattern(rest, has_variables=False)}"

    def _clauses(self, given: Any, *, has_variables: bool) -> Iterator[Clause]:
        if not isinstance(given, Mapping):
            raise UnreadableError("has a condition without operators")
        for spelled, keys in given.items():
            if not isinstance(keys, Mapping) or spelled.startswith("Fn::"):
                raise UnreadableError("has an operator without keys")
            quantifier, _, tail = spelled.lower().rpartition(":")
            operator = tail.removesuffix("ifexists")
            for key, values in keys.items():
                encoded = frozenset(
                    self._value(each, operator, has_variables=has_variables)
                    for each in _listed(values)
                )
                yield Clause(operator, key.lower(), encoded, quantifier, operator != tail, key)

    def _value(self, value: Any, operator: str, *, has_variables: bool) -> str:
        text = self.encoder.text(value)
        if operator in ("bool", "null"):
            text = text.lower()
        globs = operator in GLOB_OPERATORS
        encoded = self.encoder.pattern(text, has_variables=has_variables, has_wildcards=globs)
        return by_segments(encoded) if globs and operator.startswith("arn") else encoded


def branches(value: Any, when: When = frozenset()) -> Iterator[tuple[Any, When]]:
    """Iterate over what a value may be, each with the conditions of the template it takes."""
    match value:
        case {"Fn::If": [condition, *alternatives]} if len(alternatives) == 2:
            key = f"template condition {json.dumps(condition, sort_keys=True, default=str)}"
            for holds, each in zip(("true", "false"), alternatives, strict=True):
                under = Clause(TEMPLATE, key, frozenset({holds}))
                yield from branches(each, when | {under})
        case {"Ref": "AWS::NoValue"}:
            pass
        case _:
            yield value, when


def by_segments(pattern: str) -> str:
    """Keep wildcards of the first five parts of an ARN from reaching beyond their part."""
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return pattern
    return ":".join([*(part.replace(STAR, SEGMENT) for part in parts[:5]), parts[5]])


def _of_arn(pattern: str) -> str:
    """Split a resource's pattern by the parts of an ARN, if that is what it names."""
    parts = pattern.split(":", 5)
    is_whole = len(parts) == 6 and _REGION.fullmatch(parts[3]) and _OWNER.fullmatch(parts[4])
    return by_segments(pattern) if is_whole else pattern


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
