"""Block part: the version of a function that its alias serves."""

import hashlib
import json

from troposphere import Ref, awslambda, encode_to_dict

from tap_templates.blocks.text import Text, references, sub
from tap_templates.errors import ModelError

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
_FROZEN = {
    "Architectures",
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
}
# What Lambda says of neither changes without a change of the template, which the digest covers:
# names that are made of the environment's.
_NAMED = {"LoggingConfig", "Role"}
_NOT_FROZEN = {"Code", "FunctionName", "ReservedConcurrentExecutions", "Tags"}


def published_version(
    title: str, function: awslambda.Function, code_sha256: Text
) -> awslambda.Version:
    """Publish a version for each code and each configuration.

    A version never changes, so CloudFormation replaces it when a create-only property does: the
    digest of the code, which Lambda verifies, and the description, which carries a digest of what
    a version freezes and the values of the parameters in it. Without the latter the alias would
    keep serving the old environment; with more, Lambda would refuse a version in which nothing
    that it knows has changed.
    """
    rendered = encode_to_dict(function)["Properties"]
    if unknown := sorted(set(rendered) - _FROZEN - _NOT_FROZEN):
        raise ModelError(
            f"function {title}",
            f"has properties of which it is not known whether a version freezes them: {unknown}",
            "add each to _FROZEN or _NOT_FROZEN in blocks/function.py",
        )
    frozen = {name: rendered[name] for name in sorted(set(rendered) & _FROZEN)}
    digest = hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()[:16]
    free = {name: value for name, value in frozen.items() if name not in _NAMED}
    chosen = sorted({name for name in references(free) if not name.startswith("AWS::")})
    return awslambda.Version(
        f"{title}Version",
        FunctionName=Ref(function),
        CodeSha256=code_sha256,
        Description=sub(" ".join([digest, *(f"${{{each}}}" for each in chosen)])),
    )
