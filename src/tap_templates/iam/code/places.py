"""What is known of each name so far: it only grows."""

from tap_templates.iam.code.values import NOTHING, UNKNOWN, Values

_MOST_VALUES = 64  # at one place; more are unknown, so that inference ends
RETURN = "()"  # stands for what a function returns or yields


class Places:
    """Values by scope id and name."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], Values] = {}
        self.has_grown = False

    def get(self, scope: str, name: str) -> Values:
        return self._values.get((scope, name), NOTHING)

    def add(self, scope: str, name: str, values: Values) -> None:
        known = self.get(scope, name)
        grown = known | values
        if len(grown) > _MOST_VALUES:
            grown = known | UNKNOWN
        if grown != known:
            self._values[scope, name] = grown
            self.has_grown = True

    def doubt_all(self) -> None:
        """Add to every place that it may be anything."""
        for place, values in self._values.items():
            self._values[place] = values | UNKNOWN
