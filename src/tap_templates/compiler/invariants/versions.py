"""Versions: what serves events is a published version that follows its code and configuration."""

from collections.abc import Iterator

from tap_templates.compiler.invariants.hops import LATEST
from tap_templates.compiler.invariants.invariant import CompiledSystem, Fault, Invariant, fault_at
from tap_templates.compiler.invariants.values import inside
from tap_templates.rendered.view import Located

_VERSIONS = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html"
_SNAPSTART = "https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"
_ALIASES = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html"

# What names a function without ever calling it.
_NO_CALLERS = frozenset(
    {
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::KMS::Key",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
    }
)
_CONFIG = "AWS::Lambda::EventInvokeConfig"
_BY_NAME = ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Url")
_NAMED = "/Properties/FunctionName"
_PREFIX = "function:"


def _calls(compiled: CompiledSystem) -> Iterator[tuple[Located, str, str, str]]:
    """Find who calls a function of the system: caller, path, function ARN, qualifier."""
    for mention in compiled.mentions:
        source, parts = mention.source, mention.arn.split(":")
        if parts[2] != "lambda" or source.resource.type in _NO_CALLERS:
            continue
        if source.resource.type == _CONFIG and mention.path == _NAMED:
            continue  # it configures the function; its destinations do call
        qualifier = parts[7] if len(parts) > 7 else LATEST
        yield source, mention.path, ":".join(parts[:7]), qualifier
    for source in compiled.view.resources(*_BY_NAME):
        name, account = str(source.resource.properties.get("FunctionName")), compiled.view.account
        if not name.startswith("arn:"):
            bare, _, qualifier = name.partition(":")
            # A function's URL says the alias apart from the name.
            qualifier = qualifier or str(source.resource.properties.get("Qualifier", LATEST))
            head = f"arn:{compiled.view.partition}:lambda:{source.stack.region}:{account}"
            yield source, _NAMED, f"{head}:{_PREFIX}{bare}", qualifier


def _unpublished(compiled: CompiledSystem) -> Iterator[Fault]:
    for source, path, arn, qualifier in _calls(compiled):
        function = compiled.view.find(arn)
        if qualifier != LATEST or function is None:
            continue
        snapshot = inside(function.resource.properties, "SnapStart", "ApplyOn")
        if snapshot not in (None, "None"):
            called = function.resource.logical_id
            yield fault_at(
                source,
                f"calls {called} itself, while SnapStart is for published versions only: it "
                "starts cold, and runs whatever was uploaded last",
                f"call {called} through an alias of a version",
                path,
            )


def _latest_alias(compiled: CompiledSystem) -> Iterator[Fault]:
    callers: dict[str, list[str]] = {}
    for source, _, arn, qualifier in _calls(compiled):
        callers.setdefault(f"{arn}:{qualifier}", []).append(source.resource.logical_id)
    for alias in compiled.view.resources("AWS::Lambda::Alias"):
        users = callers.get(str(alias.resource.arn))
        if alias.resource.properties.get("FunctionVersion") == LATEST and users:
            yield fault_at(
                alias,
                f"points at {LATEST} and is called by {', '.join(sorted(set(users)))}: a change of "
                "the function is live before it is complete, and no version is there to go back to",
                "point the alias at the Version attribute of an AWS::Lambda::Version",
                "/Properties/FunctionVersion",
            )


def _frozen(compiled: CompiledSystem) -> Iterator[Fault]:
    for version in compiled.view.resources("AWS::Lambda::Version"):
        for key, follows in (("CodeSha256", "code"), ("Description", "configuration")):
            if not version.resource.properties.get(key):
                yield fault_at(
                    version,
                    f"has no {key}: CloudFormation replaces a version only when a property of it "
                    f"changes, so that it would not follow the {follows} of its function",
                    "set CodeSha256 to the digest of the package and Description to one of the "
                    "configuration, as blocks/function.py does",
                )


VERSIONS = (
    Invariant(
        code="TAP-VER-01",
        promise="A function with SnapStart is called through an alias or a version.",
        source_url=_SNAPSTART,
        check=_unpublished,
    ),
    Invariant(
        code="TAP-VER-02",
        promise="What is called by events is a published version.",
        source_url=_ALIASES,
        check=_latest_alias,
    ),
    Invariant(
        code="TAP-VER-03",
        promise="A version follows the code and the configuration of its function.",
        source_url=_VERSIONS,
        check=_frozen,
    ),
)
