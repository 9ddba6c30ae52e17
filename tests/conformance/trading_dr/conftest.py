"""trading-dr as it is committed: manifest, templates, and both regions resolved."""

import pytest
from conformance.committed import manifest_of, templates_of, view_of
from conformance.trading_dr.pair import Pair

from tap_templates.compiler.invariants import CompiledSystem
from templates.trading_dr import TRADING_DR


@pytest.fixture(scope="session")
def manifest(root):
    return manifest_of(root, "trading-dr")


@pytest.fixture(scope="session")
def committed(root, manifest):
    return templates_of(root, manifest)


@pytest.fixture(scope="session")
def view(manifest, committed):
    return view_of(manifest, committed)


@pytest.fixture(scope="session")
def pair(view):
    return Pair(view)


@pytest.fixture(scope="session")
def compiled(rendered, view):
    """The system as the checks see it."""
    return CompiledSystem(TRADING_DR, tuple(rendered["trading-dr"].values()), view)
