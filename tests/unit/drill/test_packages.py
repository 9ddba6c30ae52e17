"""A drill needs what a user of `tap` need not have, and says so before it starts anything."""

import pytest

from tap_templates.drill.place import DrillError
from tap_templates.wiring_drill import check_packages


def test_what_is_missing_is_named_with_the_way_to_get_it():
    with pytest.raises(DrillError, match="needs no_such_package,") as refused:
        check_packages(("json", "no_such_package"))
    assert "make drill" in refused.value.remedy


def test_here_nothing_is_missing():
    check_packages()
