"""The form in which settings and policies tell what is open."""

from collections.abc import Mapping
from typing import NamedTuple


class Exposure(NamedTuple):
    """One thing that is open; `certain` unless it hangs on something unknown."""

    because: str
    witness: str
    certain: bool = True


# By a key that stays the same as long as it is the same opening.
Exposures = Mapping[str, Exposure]
