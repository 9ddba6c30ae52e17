"""Systems that are made for tests alone, as the compiler renders them."""

from collections.abc import Mapping

from tap_templates.compiler.build import build_stack
from tap_templates.compiler.manifest import stack_parameters
from tap_templates.compiler.render import RenderedStack, render_stack
from tap_templates.model.system import System


def rendered_of(system: System) -> dict[str, RenderedStack]:
    return {each.name: render_stack(build_stack(system, each)) for each in system.stacks}


def parameters_of(stacks: Mapping[str, RenderedStack]) -> dict[str, dict[str, object]]:
    """What the manifest gives each stack."""
    return {name: stack_parameters(stack, stacks) for name, stack in stacks.items()}
