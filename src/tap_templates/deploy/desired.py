"""What should be deployed: the manifest, the templates and the packages as one checked value.

Touches nothing. The local target uploads other zips than those the manifest was made with (twins
for this machine), so keys and digests come from the packages that are given, never from the
manifest: a literal that equals a package's digest in the manifest means that package's digest.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tap_templates.deploy import naming
from tap_templates.deploy.errors import DeployError
from tap_templates.deploy.values import Known, Output, Values
from tap_templates.model.names import package_key

SCHEMA = "tap.manifest/1"
SUFFIX_PARAMETER = "EnvironmentSuffix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to, and as whom CloudFormation acts there."""

    account: str
    suffix: str
    administration_role_arn: str
    execution_role_name: str
    settings: Mapping[str, str] = field(default_factory=dict)  # parameters, over the manifest's


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """A zip that is there to be uploaded."""

    path: Path
    sha256: str

    @property
    def code_sha256(self) -> str:
        """The digest as Lambda reports it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a stack set carries, and what a rollback goes back to. Outputs stay references."""

    template_sha256: str
    parameters: Values
    capabilities: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        texts = {k: v.text for k, v in self.parameters.items() if isinstance(v, Known)}
        outputs = {
            k: {"stack": v.stack, "region": v.region, "name": v.name}
            for k, v in self.parameters.items()
            if isinstance(v, Output)
        }
        return {
            "schema": "tap.release/1",
            "template": self.template_sha256,
            "capabilities": sorted(self.capabilities),
            "parameters": texts,
            "outputs": outputs,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Release":
        return cls(
            template_sha256=data["template"],
            parameters={
                **{key: Known(text) for key, text in data["parameters"].items()},
                **{key: Output(**value) for key, value in data["outputs"].items()},
            },
            capabilities=tuple(data["capabilities"]),
        )

    @property
    def sha256(self) -> str:
        return naming.digest(self.to_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredStack:
    name: str
    stack_set: str
    template: str
    template_sha256: str  # of the bytes: the name it has in the manifest and in the bucket
    regions: tuple[str, ...]
    capabilities: tuple[str, ...]
    parameters: Values  # one for each parameter the template declares; known or an output
    packages: tuple[str, ...] = ()

    @property
    def content_sha256(self) -> str:
        return naming.content_sha256(self.template)

    @property
    def release(self) -> Release:
        return Release(
            template_sha256=self.template_sha256,
            parameters=self.parameters,
            capabilities=self.capabilities,
        )

    @property
    def literals(self) -> dict[str, str]:
        """Parameters that are the same whatever is deployed: the stack set carries them."""
        return {k: v.text for k, v in self.parameters.items() if isinstance(v, Known)}

    @property
    def outputs(self) -> dict[str, Output]:
        """Parameters that other stacks answer: overrides of each instance."""
        return {k: v for k, v in self.parameters.items() if isinstance(v, Output)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    system: str
    target: Target
    primary: str
    secondary: str
    stacks: tuple[DesiredStack, ...]  # in rollout order
    packages: Mapping[str, PackageFile]
    undoes: str = ""  # the name of the build that a rollback undoes

    @property
    def home(self) -> str:
        """Where the stack sets live: an outage of the primary must not lock us out of them."""
        return self.secondary

    @property
    def regions(self) -> tuple[str, ...]:
        """All regions that are ever called: primary first."""
        return (self.primary, self.secondary)

    def stack(self, name: str) -> DesiredStack:
        return next(stack for stack in self.stacks if stack.name == name)

    def bucket(self, region: str) -> str:
        return naming.artifact_bucket(region, self.target.account)

    @property
    def fingerprint(self) -> str:
        """Digest of all that is desired; equal builds to equal targets have equal ones."""
        return naming.digest(
            {
                "system": self.system,
                "account": self.target.account,
                "suffix": self.target.suffix,
                "roles": [self.target.administration_role_arn, self.target.execution_role_name],
                "regions": self.regions,
                "stacks": [[s.name, list(s.regions), s.release.to_json()] for s in self.stacks],
                "packages": {name: each.sha256 for name, each in self.packages.items()},
            }
        )


def desired_state(
    manifest: Mapping[str, Any],
    templates: Mapping[str, bytes],
    packages: Mapping[str, PackageFile],
    target: Target,
) -> Desired:
    """Put the compiled system together; `templates` by stack name, `packages` by package name.

    Raises DeployError if the parts do not belong together.
    """
    if manifest.get("schema") != SCHEMA:
        raise DeployError(
            "manifest.json", f"has schema {manifest.get('schema')!r}", f"this reads {SCHEMA}"
        )
    system, regions = manifest["system"], manifest["regions"]
    for name in sorted(set(manifest["packages"]) - set(packages)):
        raise DeployError(f"{system} package {name}", "was not built", "run `make templates` first")
    stacks = tuple(
        _stack(entry, manifest, templates[entry["name"]], packages, target)
        for entry in manifest["stacks"]
    )
    declared = {name for stack in stacks for name in stack.parameters}
    for name in sorted(set(target.settings) - declared):
        raise DeployError(
            f"{system} parameter {name}", "is set, but no stack declares it", "check the spelling"
        )
    return Desired(
        system=system,
        target=target,
        primary=regions["primary"],
        secondary=regions["secondary"],
        stacks=stacks,
        packages={name: packages[name] for name in manifest["packages"]},
    )


def _stack(
    entry: Mapping[str, Any],
    manifest: Mapping[str, Any],
    template: bytes,
    packages: Mapping[str, PackageFile],
    target: Target,
) -> DesiredStack:
    place = f"{manifest['system']}/{entry['name']}"
    found = hashlib.sha256(template).hexdigest()
    if found != entry["sha256"]:
        raise DeployError(
            place,
            f"template has digest {found[:12]}, the manifest says {entry['sha256'][:12]}",
            "run `make templates`: the two were not written together",
        )
    pair = (manifest["regions"]["primary"], manifest["regions"]["secondary"])
    for region in entry["regions"]:
        if region not in pair:
            raise DeployError(place, f"wants {region}, which is not of the pair", "mend the system")
    declared = json.loads(template).get("Parameters", {})
    used = _used_packages(entry["parameters"], manifest["packages"])
    return DesiredStack(
        name=entry["name"],
        stack_set=naming.stack_set_name(manifest["system"], entry["name"], target.suffix),
        template=template.decode(),
        template_sha256=entry["sha256"],
        regions=tuple(region for region in pair if region in entry["regions"]),
        capabilities=tuple(entry["capabilities"]),
        parameters=_parameters(place, declared, entry["parameters"], (manifest, packages, target)),
        packages=tuple(sorted(used)),
    )


def _used_packages(
    parameters: Mapping[str, Any], packages: Mapping[str, Mapping[str, str]]
) -> set[str]:
    named = {v["package"] for v in parameters.values() if isinstance(v, dict) and "package" in v}
    digests = {_code_sha256(each["sha256"]): name for name, each in packages.items()}
    return named | {digests[v] for v in parameters.values() if isinstance(v, str) and v in digests}


def _code_sha256(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def _parameters(
    place: str,
    declared: Mapping[str, Any],
    given: Mapping[str, Any],
    source: tuple[Mapping[str, Any], Mapping[str, PackageFile], Target],
) -> Values:
    """Answer every declared parameter: settings over the manifest over the template's default."""
    manifest, packages, target = source
    own = {SUFFIX_PARAMETER: target.suffix, **target.settings}
    values: dict[str, Known | Output] = {}
    for name in sorted(declared):
        if name in own and not isinstance(given.get(name), dict):
            values[name] = Known(own[name])
        elif name in given:
            values[name] = _value(given[name], manifest["packages"], packages)
        elif "Default" in declared[name]:
            values[name] = Known(_as_text(declared[name]["Default"]))
        else:
            raise DeployError(f"{place} parameter {name}", "is given no value", "mend the system")
    return values


def _value(
    given: Any,
    built_with: Mapping[str, Mapping[str, str]],
    packages: Mapping[str, PackageFile],
) -> Known | Output:
    match given:
        case {"output": {"stack": stack, "region": region, "name": name}}:
            return Output(stack, region, name)
        case {"package": package, "value": "sha256"}:
            return Known(packages[package].code_sha256)
        case {"package": package}:
            return Known(package_key(package, packages[package].sha256))
        case _:
            by_digest = {_code_sha256(each["sha256"]): name for name, each in built_with.items()}
            name = by_digest.get(str(given))
            return Known(_as_text(given) if name is None else packages[name].code_sha256)


def _as_text(value: Any) -> str:
    """Spell a literal as CloudFormation does: every parameter is text to it."""
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(_as_text(each) for each in value)
        case _:
            return str(value)
