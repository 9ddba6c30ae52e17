"""A handler as Lambda gets it: one reproducible zip, the same in both regions.

The handler `trading-processor` lives in `handlers/trading_processor/`; the zip holds that folder
as a package beside its locked dependencies, so no module of ours can shadow one of theirs.
"""

import re
from dataclasses import dataclass

from tap_templates.errors import ModelError

_FOLDER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What to package of a handler and how Lambda runs it."""

    name: str
    aws_services: tuple[str, ...] = ()  # whose botocore data the zip keeps; others cannot be called
    shared: tuple[str, ...] = ()  # folders under handlers/ that every zip has a copy of
    # Supported to 30 Jun 2029: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
    runtime: str = "python3.14"
    architecture: str = "arm64"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ModelError(
                f"package {self.name!r}",
                "is no name of lower-case words joined by dashes",
                "rename it; its folder under handlers/ has underscores for the dashes",
            )

        for shared in self.shared:
            if not _FOLDER.fullmatch(shared):
                raise ModelError(
                    f"package {self.name!r}",
                    f"shares {shared!r}, which is no folder of handlers/",
                    "name the folder, like `market_events`",
                )

    @property
    def folder(self) -> str:
        return self.name.replace("-", "_")

    @property
    def handler(self) -> str:
        return f"{self.folder}.app.handler"
