"""The really compiled system, once a session, and edits of it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tap_templates.compiler.invariants import CompiledSystem
from tap_templates.compiler.manifest import stack_parameters
from tap_templates.compiler.render import RenderedStack, to_json
from tap_templates.model.system import System
from tap_templates.rendered.view import StackSource, resolve_system
from templates import SYSTEMS

Edit = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Specimen:
    """One compiled system, and what the manifest gives its stacks."""

    system: System
    stacks: Mapping[str, RenderedStack]
    parameters: Mapping[str, Mapping[str, Any]]
    overrides: Mapping[str, str] = field(default_factory=dict)

    def compiled(self) -> CompiledSystem:
        sources = [
            StackSource(stack.name, stack.template, stack.regions, self.parameters[stack.name])
            for stack in self.stacks.values()
        ]
        view = resolve_system(self.system.name, sources, overrides=self.overrides)
        return CompiledSystem(self.system, tuple(self.stacks.values()), view)

    def edited(self, stack: str, edit: Edit) -> CompiledSystem:
        """Resolve again with one stack's template edited in place by `edit`."""
        template = copy.deepcopy(self.stacks[stack].template)
        edit(template)
        rendered = replace(self.stacks[stack], template=template, body=to_json(template))
        return replace(self, stacks={**self.stacks, stack: rendered}).compiled()


@pytest.fixture(scope="session")
def specimens(rendered: Mapping[str, Mapping[str, RenderedStack]]) -> Mapping[str, Specimen]:
    found = {}
    for system in SYSTEMS:
        stacks = rendered[system.name]
        parameters = {name: stack_parameters(stack, stacks) for name, stack in stacks.items()}
        found[system.name] = Specimen(system, stacks, parameters)
    return found


@pytest.fixture(scope="session")
def trading(specimens: Mapping[str, Specimen]) -> Specimen:
    return specimens["trading-events"]


@pytest.fixture(scope="session")
def edited(trading: Specimen) -> Callable[[str, Edit], CompiledSystem]:
    return trading.edited
