"""Lint rules of ours for multi-region templates: a folder for `cfn-lint --append-rules`.

Works three ways, on anybody's templates and with nothing of ours installed but this folder:

- `cfn-lint --append-rules path/to/tap_templates/rules` (cfn-lint loads `plugin.py`, see there);
- `cfn-lint --append-rules tap_templates.rules`, where the package is installed;
- from Python: `cfnlint.config.ConfigMixIn(append_rules=[str(RULES_DIR)])`.

Importing this package does not import the linter, which takes 0.4 s: who only needs the folder
(for a cache key) does not pay for it. The rules import nothing of `tap_templates` outside this
folder and nothing but cfn-lint and the standard library; that is what lets the folder travel.

Ids: E90xx EventBridge, E91xx and W91xx DynamoDB global tables, E92xx and W92xx alarms and
dead-letter queues, E93xx who may act for whom, E94xx functions, E95xx networks,
E96xx ways in, REST APIs, state machines, and parameters in texts of JSON, E97xx Aurora, E98xx DNS
and health checks, E99xx backups and replication.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, Final

RULES_DIR: Final[Path] = Path(__file__).resolve().parent

# Explicit, so that a file lying about is not a rule. The leading underscore keeps cfn-lint, which
# loads every other file of the folder on its own, from loading these outside their package.
RULE_MODULES: Final[tuple[str, ...]] = (
    "_endpoints",
    "_targets",
    "_event_patterns",
    "_tables",
    "_dead_letters",
    "_alarms",
    "_trust",
    "_destinations",
    "_functions",
    "_security_groups",
    "_networks",
    "_apis",
    "_rest_apis",
    "_machines",
    "_json_strings",
    "_aurora",
    "_dns",
    "_backups",
)


def rule_classes() -> tuple[type[Any], ...]:
    """Import the linter and return every rule class, ordered by id."""
    modules = [import_module(f"{__name__}.{name}") for name in RULE_MODULES]
    return tuple(sorted((rule for module in modules for rule in module.RULES), key=lambda r: r.id))


def __getattr__(name: str) -> Any:
    """Offer the rule classes as members, which is how cfn-lint finds them in a module."""
    if name[:1].isupper():
        for rule in rule_classes():
            if rule.__name__ == name:
                return rule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *(rule.__name__ for rule in rule_classes())]
