"""Names and tags: a stability contract.

A physical name is `{kind}-{purpose}-{environment suffix}`, for every system. Where regions share
the namespace (IAM roles, dashboards) the region follows the suffix; where all of AWS shares it
(buckets) the account follows the region. A name is computed, never looked up: both sides of a
reference arrive at the same text, so no stack waits for another region to answer.

What belongs to the account and not to an environment (the bootstrap) has no suffix.

Renaming a purpose, or changing this rule, replaces resources: it is a breaking change, goes to
CHANGELOG.md, and needs a migration. The suffix is the template parameter `EnvironmentSuffix`.
"""

import re
from dataclasses import dataclass
from enum import Enum

from tap_templates.errors import ModelError

SUFFIX = "${EnvironmentSuffix}"
OWN_REGION = "${AWS::Region}"
ACCOUNT = "${AWS::AccountId}"
PRIMARY_REGION = "${PrimaryRegion}"
SECONDARY_REGION = "${SecondaryRegion}"
WITNESS_REGION = "${WitnessRegion}"

LONGEST_SUFFIX = 12
LONGEST_REGION = 14  # ap-southeast-1; no commercial region is longer
LENGTH_OF_ACCOUNT = 12

TAG_KEYS = ("Application", "DR-Tier", "Environment", "ManagedBy", "Region")
MANAGED_BY = "tap-templates"

_PURPOSE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Scope(Enum):
    """How far a name must be unique."""

    REGION = "region"
    ACCOUNT = "account"  # the regions of an account share the namespace
    WORLD = "world"  # all accounts share it


class Kind(Enum):
    """What can be named: the first word of the name, its scope and its longest length."""

    ALARM = ("alarm", Scope.REGION, 255)
    API = ("api", Scope.REGION, 128)
    ARCHIVE = ("archive", Scope.REGION, 48)
    BACKUP_PLAN = ("backup-plan", Scope.REGION, 50)  # a label: AWS knows plans by an id
    BUCKET = ("bucket", Scope.WORLD, 63)
    BUS = ("bus", Scope.REGION, 256)
    CLUSTER = ("cluster", Scope.ACCOUNT, 63)  # members of a global database share the namespace
    CLUSTER_PARAMETERS = ("cluster-parameters", Scope.REGION, 255)
    DASHBOARD = ("dashboard", Scope.ACCOUNT, 255)  # its ARN has no region
    ENDPOINT = ("endpoint", Scope.REGION, 64)
    FUNCTION = ("function", Scope.REGION, 64)
    GLOBAL_CLUSTER = ("global-cluster", Scope.REGION, 63)  # the same in both regions, made in one
    INSTANCE = ("instance", Scope.REGION, 63)
    KEY = ("key", Scope.REGION, 250)  # the alias is `alias/` and this
    POLICY = ("policy", Scope.ACCOUNT, 128)
    QUEUE = ("queue", Scope.REGION, 80)
    ROLE = ("role", Scope.ACCOUNT, 64)
    RULE = ("rule", Scope.REGION, 64)
    SECRET = ("secret", Scope.REGION, 512)  # replicas are called like the secret
    STATE_MACHINE = ("machine", Scope.REGION, 80)
    NETWORK = ("vpc", Scope.REGION, 256)  # a Name tag: the resource has no name
    SCHEDULE = ("schedule", Scope.REGION, 64)
    SCHEDULE_GROUP = ("schedules", Scope.REGION, 64)
    SUBNET_GROUP = ("subnet-group", Scope.REGION, 255)
    TABLE = ("table", Scope.REGION, 255)
    TOPIC = ("topic", Scope.REGION, 256)
    VAULT = ("vault", Scope.REGION, 50)

    def __init__(self, word: str, scope: Scope, longest: int) -> None:
        self.word = word
        self.scope = scope
        self.longest = longest


@dataclass(frozen=True, slots=True)
class Name:
    """A physical name before its suffix is known."""

    kind: Kind
    purpose: str
    once_per_account: bool = False  # made once, for all environments

    def __post_init__(self) -> None:
        if not _PURPOSE.fullmatch(self.purpose):
            raise ModelError(
                f"{self.kind.word} {self.purpose!r}",
                "is no purpose of lower-case words joined by dashes",
                "write it like `trading-transactions`",
            )
        longest = len(self.kind.word) + len(self.purpose) + 2 + LONGEST_SUFFIX
        if self.kind.scope is not Scope.REGION:
            longest += 1 + LONGEST_REGION
        if self.kind.scope is Scope.WORLD:
            longest += 1 + LENGTH_OF_ACCOUNT
        if longest > self.kind.longest:
            raise ModelError(
                f"{self.kind.word} {self.purpose!r}",
                f"can become {longest} characters long, AWS allows {self.kind.longest}",
                f"shorten the purpose by {longest - self.kind.longest}",
            )

    def text(self, region: str = OWN_REGION) -> str:
        """Spell the name for `Fn::Sub`; `region` matters only where the namespace spans regions."""
        parts = [self.kind.word, self.purpose]
        if not self.once_per_account:
            parts.append(SUFFIX)
        if self.kind.scope is Scope.WORLD or not (
            self.once_per_account or self.kind.scope is Scope.REGION
        ):
            parts.append(region)
        if self.kind.scope is Scope.WORLD:
            parts.append(ACCOUNT)
        return "-".join(parts)


def setting_path(purpose: str) -> str:
    """Spell where the settings of a purpose are in Systems Manager, whose names are paths.

    The purpose comes first and the suffix closes the path that a reader may be allowed.
    """
    if not _PURPOSE.fullmatch(purpose):
        raise ModelError(
            f"settings {purpose!r}",
            "is no purpose of lower-case words joined by dashes",
            "write it like `trading-transactions`",
        )
    return f"/{purpose}/{SUFFIX}"


ARTIFACTS = "artifacts"
ARTIFACT_BUCKET = Name(Kind.BUCKET, ARTIFACTS, once_per_account=True).text()
"""Where the deployer puts packages. Lambda takes code only from a bucket of its own region."""

STACKSET_ADMINISTRATION = Name(Kind.ROLE, "stackset-administration", once_per_account=True)
STACKSET_EXECUTION = Name(Kind.ROLE, "stackset-execution", once_per_account=True)
"""The roles that the bootstrap makes and a rollout names."""


def package_key(package: str, sha256: str) -> str:
    """Spell where a package lies in an artifact bucket: by the beginning of its digest."""
    return f"packages/{package}-{sha256[:16]}.zip"
