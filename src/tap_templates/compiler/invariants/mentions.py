"""Every ARN that the resolved properties of a system mention, wherever it stands in a text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tap_templates.rendered.view import Located, SystemView, texts

# Overlapping on purpose: an integration URI of API Gateway holds the ARN of a function.
_ARN = re.compile(r"(?=(arn:[a-z-]+:[a-z0-9-]+:[^:\s\"]*:[^:\s\"]*:[^\s\"',\\]+))")
_AFTER_FUNCTION = "/invocations"


@dataclass(frozen=True, slots=True)
class Mention:
    """An ARN and where it is said."""

    source: Located
    path: str  # JSON pointer below the resource
    arn: str
    target: Located | None  # None: no resource of the system has just this ARN

    @property
    def region(self) -> str:
        """Name the region in the ARN; "" for services that have none."""
        return self.arn.split(":", 5)[3]

    @property
    def account(self) -> str:
        return self.arn.split(":", 5)[4]


def mentions(view: SystemView) -> Iterator[Mention]:
    """Find all mentions, in the order of the view."""
    for located in view.resources():
        for path, text in texts(located.resource.properties, "/Properties"):
            if "arn:" not in text:
                continue
            for match in _ARN.finditer(text):
                arn = match.group(1).removesuffix(_AFTER_FUNCTION)
                yield Mention(located, path, arn, view.find(arn))
