"""Types that are in the support table as not simulated: they are accepted, and nothing is made.

`Ref` gives a text that says so; an attribute does not exist, so a template that needs one fails.
"""

from tap_engine.providers.provider import Attributes, Made, Properties, Provider
from tap_engine.support import SUPPORT


def _create(logical_id: str, _: Properties, stack: str) -> Made:
    return f"not-simulated-{stack}-{logical_id}", _attributes()


def _update(physical_id: str, _: Properties, __: Properties, ___: str, ____: str) -> Made:
    return physical_id, _attributes()


def _delete(_: str, __: Properties) -> None:
    """Nothing is there."""


def _attributes() -> Attributes:
    return {}


PROVIDERS = tuple(
    Provider(type=name, create=_create, update=_update, delete=_delete)
    for name, entry in sorted(SUPPORT.items())
    if not entry["live"]
)
