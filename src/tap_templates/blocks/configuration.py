"""Block: what a region is configured with, as parameters of Systems Manager.

Both regions have the same names, each with its own values: whoever reads asks its own region and
needs no other one to answer. None is a secret; a change takes effect when it is read again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from awacs import aws
from awacs import ssm as actions
from troposphere import ssm

from tap_templates.blocks.policy import allow
from tap_templates.blocks.text import Text, arn_text, sub
from tap_templates.errors import ModelError
from tap_templates.model.names import setting_path

_KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter: its key below the path, its value in this region, what it says."""

    key: str
    value: Text
    describes: str

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ModelError(
                f"setting {self.key!r}",
                "is no key of lower-case words joined by dashes",
                "write it like `api-url`",
            )
        if not self.value:
            raise ModelError(
                f"setting {self.key!r}",
                "has no value, which Systems Manager does not take",
                "say it, or leave the setting out",
            )


@dataclass(frozen=True, slots=True)
class Configuration:
    """The typed reference to the settings of one purpose, in whatever stack they are made."""

    purpose: str

    @property
    def path(self) -> str:
        """Where they are, without a slash at the end: what `GetParametersByPath` is asked for."""
        return setting_path(self.purpose)

    def name(self, key: str) -> str:
        return f"{self.path}/{key}"

    def read(self, *keys: str) -> aws.Statement:
        """Grant reading these settings, each by its name."""
        named = [sub(arn_text("ssm", f"parameter{self.name(key)}")) for key in keys]
        return allow("ReadSettings", [actions.GetParameter], named)

    def read_all(self) -> aws.Statement:
        """Grant reading all settings at once, by the path they are below."""
        path = sub(arn_text("ssm", f"parameter{self.path}"))
        return allow("ReadAllSettings", [actions.GetParametersByPath], [path])


def configuration(
    title: str, reference: Configuration, settings: Sequence[Setting]
) -> tuple[ssm.Parameter, ...]:
    """Declare the settings of this region."""
    return tuple(
        ssm.Parameter(
            f"{title}{''.join(word.title() for word in each.key.split('-'))}Setting",
            Name=sub(reference.name(each.key)),
            Type="String",
            Tier="Standard",
            Value=each.value,
            Description=each.describes,
        )
        for each in settings
    )
