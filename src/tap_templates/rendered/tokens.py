"""Tokens: what stands for a value that only AWS, the deployer or a person knows.

A token is `<what@region>`, e.g. `<alerts.Key.Arn@us-east-1>`, or `<package:name>`, and sits inside
a larger text as it is. Equal tokens stand for equal values. The region belongs to the token since
one template makes another key in each region; the package does not, since both regions run one zip.
"""

import re

_TOKEN = re.compile(r"<(?:package[a-z0-9_]*:[^<>]+|[^<>]+@[a-z0-9-]+)>")
# CloudFormation replaces it at deploy time, so that we know as little of it as of a token.
_DYNAMIC_REFERENCE = "{{resolve:"


def token(what: str, region: str) -> str:
    """Make the token of a value that differs between regions; `what` may hold tokens itself."""
    return f"<{what.replace('<', '(').replace('>', ')')}@{region}>"


def attribute_token(stack: str, logical_id: str, attribute: str, region: str) -> str:
    """Make the token of what `Fn::GetAtt` gives for an attribute that AWS generates."""
    return token(f"{stack}.{logical_id}.{attribute}", region)


def package_token(package: str, aspect: str = "") -> str:
    """Make the token of a package's key, or of another `aspect` of it (its digest)."""
    return f"<package{'_' if aspect else ''}{aspect}:{package}>"


def package_of(text: str) -> str | None:
    """Read the package out of `<package:name>`; None for any other text."""
    if text.startswith("<package:") and text.endswith(">"):
        return text.removeprefix("<package:").removesuffix(">")
    return None


def is_known(text: str) -> bool:
    """Tell whether `text` is what AWS will see, with no token or dynamic reference in it."""
    return _DYNAMIC_REFERENCE not in text and _TOKEN.search(text) is None


def split_known(text: str, delimiter: str) -> list[str]:
    """Split what is known of `text`: a token stays whole, whatever characters it is spelled with.

    For values that cannot hold the delimiter themselves, as what a list parameter is given.
    """
    parts, at = [""], 0
    for match in (*_TOKEN.finditer(text), None):
        first, *others = text[at : match.start() if match else None].split(delimiter)
        parts[-1] += first
        parts += others
        if match:
            parts[-1] += match.group()
            at = match.end()
    return parts
