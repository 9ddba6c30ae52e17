"""Functions that reach what they call, by whatever way, are not reported."""

import pytest
from unit.invariants.planted_in_networks import REACHES

from tap_templates.compiler.invariants import check_system


@pytest.mark.parametrize("name", REACHES)
def test_a_function_that_gets_there_is_not_reported(specimens, name):
    compiled = specimens["market-pipeline"].edited("network", REACHES[name])
    assert [each for each in check_system(compiled) if each.code.startswith("TAP-NET")] == []
