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


CODE_KEY = StackParameter(
    name="CodeKey",
    group="Code",
    label="Package key",
    description="Key of the handler's package in this region's artifact bucket; "
    "the deployer fills it in.",
    pattern=r"[a-z0-9][a-z0-9./-]{0,255}[.]zip",
    constraint="the key of a zip",
)
CODE_SHA256 = StackParameter(
    name="CodeSha256",
    group="Code",
    label="Package digest",
    description="SHA-256 of the package in base64; Lambda publishes no version of any other code.",
    pattern=r"[A-Za-z0-9+/]{43}=",
    constraint="the base64 form of a SHA-256",
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
