"""What may go wrong and be put right by the user. Any other exception is a bug in this code.

An error says where, what, and what to do next. The command line shows it without a traceback and
exits with its `exit_code` (interfaces: 1 error, 3 refused by policy, 64 usage).
"""


class TapError(Exception):
    """Base of all errors the command line reports without a traceback."""

    exit_code = 1

    def __init__(self, where: str, what: str, remedy: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what
        self.remedy = remedy


class UsageError(TapError):
    """The command line names something that does not exist."""

    exit_code = 64


class ModelError(TapError):
    """A system, stack, block or policy contradicts itself."""


class BuildError(TapError):
    """A stack module failed, or its template cannot be rendered."""


class PackageError(TapError):
    """A handler cannot be packaged."""


class OutputError(TapError):
    """What was made cannot be written."""
