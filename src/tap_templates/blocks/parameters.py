"""Parameters that stacks share, and those the build stage adds where a template refers to them."""

from tap_templates.blocks.stack import StackParameter
from tap_templates.model.names import LONGEST_SUFFIX

_REGION_PATTERN = r"[a-z]{2}(-[a-z]+)+-[0-9]"
_TAG_PATTERN = r"[A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,63}"
_WORDS = "letters, digits, spaces and _.:/=+@-, up to 64"


def _region(name: str, role: str) -> StackParameter:
    return StackParameter(
        name=name,
        group="Regions",
        label=f"{role} region",
        description=f"The {role} region of the pair; the manifest gives it, the same everywhere.",
        pattern=_REGION_PATTERN,
        constraint="a region code such as eu-west-1",
    )


def standard_parameters(application: str) -> tuple[StackParameter, ...]:
    """List what any template may refer to without declaring it; values come from the system.

    Regions have no default: a template is bound to none, the manifest says which they are.
    """
    return (
        StackParameter(
            name="EnvironmentSuffix",
            group="Environment",
            label="Environment suffix",
            description="Ends every name, so that environments can share an account.",
            default="dev",
            # No dash: `queue-x-lost` of `dev` would be `queue-x` of `lost-dev`.
            pattern=rf"[a-z0-9]{{1,{LONGEST_SUFFIX}}}",
            longest=LONGEST_SUFFIX,
            constraint=f"1 to {LONGEST_SUFFIX} lower-case letters and digits",
        ),
        _region("PrimaryRegion", "primary"),
        _region("SecondaryRegion", "secondary"),
        _region("WitnessRegion", "witness"),
        StackParameter(
            name="Environment",
            group="Tags",
            label="Environment tag",
            description="Value of the tag Environment on every resource.",
            default="Production",
            pattern=_TAG_PATTERN,
            constraint=_WORDS,
        ),
        StackParameter(
            name="Application",
            group="Tags",
            label="Application tag",
            description="Value of the tag Application on every resource.",
            default=application,
            pattern=_TAG_PATTERN,
            constraint=_WORDS,
        ),
        StackParameter(
            name="DrTier",
            group="Tags",
            label="DR-Tier tag",
            description="Value of the tag DR-Tier on every resource.",
            default="Critical",
            pattern=_TAG_PATTERN,
            constraint=_WORDS,
        ),
    )


def code_key(name: str = "CodeKey") -> StackParameter:
    """Ask where a function's package lies."""
    return StackParameter(
        name=name,
        group="Code",
        label=_labelled(name, "CodeKey", "Package key"),
        description="Key of the handler's package in this region's artifact bucket; "
        "the deployer fills it in.",
        pattern=r"[a-z0-9][a-z0-9./-]{0,255}[.]zip",
        constraint="the key of a zip",
    )


def code_sha256(name: str = "CodeSha256") -> StackParameter:
    """Ask what a function's package is."""
    return StackParameter(
        name=name,
        group="Code",
        label=_labelled(name, "CodeSha256", "Package digest"),
        description="SHA-256 of the package in base64; "
        "Lambda publishes no version of any other code.",
        pattern=r"[A-Za-z0-9+/]{43}=",
        constraint="the base64 form of a SHA-256",
    )


def _labelled(name: str, ending: str, label: str) -> str:
    whose = name.removesuffix(ending)
    return f"{whose}: {label.lower()}" if whose else label


CODE_KEY = code_key()
CODE_SHA256 = code_sha256()


def generated_id(name: str, prefix: str, label: str) -> StackParameter:
    """Ask for the id of an EC2 resource, which AWS generates: an output of another stack."""
    return StackParameter(
        name=name,
        group="Network",
        label=label,
        description=f"Output {name} of the network stack of this region; the deployer fills it in.",
        pattern=rf"{prefix}-[0-9a-f]{{8,17}}",
        constraint=f"an id such as {prefix}-0123456789abcdef0",
    )


def optional_email_parameter(name: str = "AlarmEmail") -> StackParameter:
    """Ask for the address that alarms are sent to; empty is nobody."""
    return StackParameter(
        name=name,
        group="Alarms",
        label="Alarm e-mail",
        description="Address that confirms a subscription once and then gets every alarm; "
        "empty for none.",
        default="",
        pattern=r"([^@\s]{1,64}@[^@\s]{1,190})?",
        constraint="an e-mail address, or empty",
    )


def email_parameter(name: str = "AlarmEmail") -> StackParameter:
    """Ask for the address that alarms are sent to."""
    return StackParameter(
        name=name,
        group="Alarms",
        label="Alarm e-mail",
        description="Address that confirms a subscription once and then gets every alarm.",
        pattern=r"[^@\s]{1,64}@[^@\s]{1,190}",
        constraint="an e-mail address",
    )


def rate_parameter(group: str, default: int, *, health_checks: int = 0) -> StackParameter:
    """Ask how many requests a second an API lets through on average.

    `health_checks` may come beside what clients ask for, and none of them is to be refused.
    """
    least = max(1, health_checks)
    counted = "; health checks count" if health_checks else ""
    return StackParameter(
        name="RequestRate",
        group=group,
        label="Requests a second",
        description=f"What the API lets through on average before it answers 429{counted}.",
        type="Number",
        default=default,
        at_least=least,
        at_most=10000,
        constraint=f"{least} to 10000 requests a second",
    )


def burst_parameter(group: str, default: int, *, health_checks: int = 0) -> StackParameter:
    """Ask how many requests an API lets through at once; `health_checks` may be among them."""
    least = max(1, health_checks)
    return StackParameter(
        name="RequestBurst",
        group=group,
        label="Requests at once",
        description="What the API lets through at once before it answers 429.",
        type="Number",
        default=default,
        at_least=least,
        at_most=5000,
        constraint=f"{least} to 5000 requests",
    )
