"""What the parts of a network share: the tag that names them, and how blocks are taken apart."""

from collections.abc import Iterator

from troposphere import AWSObject, Tags

from tap_templates.blocks.text import sub
from tap_templates.errors import ModelError
from tap_templates.model.names import SUFFIX, Kind, Name


def tag_name(word: str, purpose: str) -> str:
    """Spell a name by our rule; EC2 has only ids, so it goes into the tag `Name`, for people."""
    Name(Kind.NETWORK, purpose)  # refuses what is no purpose
    return f"{word}-{purpose}-{SUFFIX}"


def named(word: str, purpose: str) -> Tags:
    """Tag a resource with its name; the build stage adds the tags that all resources have."""
    return Tags(Name=sub(tag_name(word, purpose)))


def flat(*parts: object) -> Iterator[AWSObject]:
    """Yield the resources in nested tuples, so that `stack.add(*block)` takes any block."""
    for part in parts:
        if isinstance(part, AWSObject):
            yield part
        elif isinstance(part, tuple):
            yield from flat(*part)
        else:
            raise ModelError(
                "network", f"holds a {type(part).__name__}", "put resources into its parts only"
            )
