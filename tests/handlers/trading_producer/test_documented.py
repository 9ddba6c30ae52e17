"""What the documentation tells a person to type is what the templates make.

EventBridge answers a put to a bus that does not exist with success: a wrong name in an example
would lose every event of whoever copies it.
"""

import re

import pytest

from tap_templates.model.names import SUFFIX, Kind, Name

BUS = Name(Kind.BUS, "trading-events").text().replace(SUFFIX, "dev")


@pytest.mark.parametrize(
    "path", ["handlers/trading_producer/README.md", "handlers/trading_producer/__main__.py"]
)
def test_the_bus_in_an_example_is_the_bus_that_is_made(root, path):
    text = (root / path).read_text()
    named = re.findall(r"--bus (\S+)|bus=\"([^\"]+)\"", text)
    assert named
    assert {first or second for first, second in named} == {BUS}
    assert BUS == "bus-trading-events-dev"
