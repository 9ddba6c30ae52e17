"""What our rules have in common: a check on the shared index of a template."""

from collections.abc import Iterator
from dataclasses import dataclass

from cfnlint.rules._rule import CloudFormationLintRule, RuleMatch
from cfnlint.template.template import Template

from ._index import Index
from ._values import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong and what to do about it, at a path of the template."""

    path: Path
    message: str


class TapRule(CloudFormationLintRule):
    """A rule that says where, what and what to do next.

    Has no id of its own, so that cfn-lint does not take it for a rule.
    """

    def check(self, index: Index) -> Iterator[Fault]:
        """Yield the faults of a template; never raise, whatever the template holds."""
        raise NotImplementedError

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Answer cfn-lint."""
        # The same fault may be met in several branches of Fn::If: say it once.
        faults = dict.fromkeys(self.check(Index.of(cfn)))
        return [RuleMatch(list(fault.path), fault.message) for fault in faults]
