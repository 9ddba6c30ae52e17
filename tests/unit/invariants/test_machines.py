"""What is no fault in a state machine finds nothing, and what cannot be read breaks nothing."""

import pytest
from unit.invariants.planted_in_machines import SOUND, machine

from tap_templates.compiler.invariants import check_system


def _about_machines(compiled):
    return [each for each in check_system(compiled) if each.code.startswith("TAP-ASL")]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_machine_is_not_reported(edited, name):
    assert _about_machines(edited("processing", SOUND[name])) == []


@pytest.mark.parametrize("junk", ["", "text", 7, [], {}, [{}], {"Type": "Task"}, True], ids=repr)
@pytest.mark.parametrize(
    "place",
    ["Check", "Retry", "Catch", "Choices", "Branches", "Parameters", "TimeoutSeconds", "Next"],
)
def test_junk_anywhere_is_judged_without_breaking(edited, place, junk):
    def edit(definition):
        for state in definition["States"].values():
            if place in state:
                state[place] = junk
        if place == "Check":
            definition["States"]["Check"] = junk

    _about_machines(edited("processing", machine(edit)))
