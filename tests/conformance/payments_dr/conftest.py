"""payments-dr as it is committed: manifest, templates, and both regions resolved."""

import pytest
from conformance.committed import manifest_of, property_finder, templates_of, view_of


@pytest.fixture(scope="session")
def manifest(root):
    return manifest_of(root, "payments-dr")


@pytest.fixture(scope="session")
def committed(root, manifest):
    return templates_of(root, manifest)


@pytest.fixture(scope="session")
def view(manifest, committed):
    return view_of(manifest, committed)


@pytest.fixture
def resource(view):
    return property_finder(view)
