"""Fixtures of all tests: hypothesis profiles, and the systems compiled once."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import settings

import templates
from tap_templates.compiler.build import build_stack
from tap_templates.compiler.render import RenderedStack, render_stack

ROOT = Path(__file__).parent.parent

# Being terminated is like Ctrl-C: fixtures are ended, and the engines they started with them.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# Few examples where a person waits, many where a machine does; the same ones every time there.
settings.register_profile("local", max_examples=30, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tap():
    """Run the `tap` command in a process of its own."""

    def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("tap")), *arguments]
        return subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture(scope="session")
def rendered() -> Mapping[str, Mapping[str, RenderedStack]]:
    """All systems as they compile now: system name to stack name to rendered stack."""
    return {
        system.name: {
            stack.name: render_stack(build_stack(system, stack)) for stack in system.stacks
        }
        for system in templates.SYSTEMS
    }
