"""The composition root of a rollout: what is compiled, the packages, the account, the target."""

import json
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap_templates.compiler import packages
from tap_templates.compiler.packages import Platform
from tap_templates.deploy.bootstrap import PlainStack, plain_stacks
from tap_templates.deploy.cloud import Wire, local_sessions, own_sessions
from tap_templates.deploy.connection import connect
from tap_templates.deploy.desired import Desired, PackageFile, Target, desired_state
from tap_templates.deploy.following import Pace
from tap_templates.deploy.retrying import RetryingCloud
from tap_templates.errors import UsageError
from tap_templates.local import engine
from tap_templates.model.names import LONGEST_SUFFIX, STACKSET_ADMINISTRATION, STACKSET_EXECUTION
from tap_templates.model.system import System
from tap_templates.pairs import Pair, compiled_folder

BOOTSTRAP = "bootstrap"
_SUFFIX = rf"[a-z0-9]{{1,{LONGEST_SUFFIX}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Everything a verb needs for one system on one target."""

    desired: Desired
    cloud: RetryingCloud
    wire: Wire
    pace: Pace
    bootstrap: tuple[PlainStack, ...]
    templates: tuple[dict[str, Any], ...]
    is_local: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line says of the target."""

    target: str  # aws or local
    suffix: str
    account: str | None
    profile: str | None
    settings: tuple[str, ...] = ()  # NAME=VALUE, over what the manifest gives
    pair: Pair | None = None
    engine: str = "default"  # the local engine, if that is the target


def rollout(root: Path, system: System, choice: Choice) -> Rollout:
    """Put a rollout of `system` together from what is in `build/templates/`."""
    if not re.fullmatch(_SUFFIX, choice.suffix):
        raise UsageError(
            f"environment {choice.suffix!r}",
            "cannot end a name",
            f"take 1 to {LONGEST_SUFFIX} lower-case letters and digits",
        )
    compiled = compiled_folder(root, choice.pair)
    manifest, templates = _compiled(compiled, system.name)
    home = manifest["regions"]["secondary"]
    regions = (manifest["regions"]["primary"], home)
    is_local = choice.target == "local"
    endpoint_url = None
    sessions = own_sessions(choice.profile, home)
    account = choice.account
    if is_local:
        running = engine.ensure_started(root, name=choice.engine)
        endpoint_url, account = running.endpoint_url, choice.account or running.account
        sessions = local_sessions(running.account, home)
    once = plain_stacks(*_compiled(compiled, BOOTSTRAP))
    # It serves the systems of all pairs, so some of it is in regions that this one has not.
    beyond = tuple(sorted({stack.region for stack in once} - {*regions}))
    wire = Wire(sessions=sessions, regions=(*regions, *beyond), endpoint_url=endpoint_url)
    if account is None:
        account = str(wire.call(home, "sts", "get_caller_identity")["Account"])
    desired = desired_state(
        manifest,
        templates,
        _packages(root, system, is_local=is_local),
        Target(
            account=account,
            suffix=choice.suffix,
            administration_role_arn=f"arn:aws:iam::{account}:role/{STACKSET_ADMINISTRATION.text()}",
            execution_role_name=STACKSET_EXECUTION.text(),
            settings=_settings(choice.settings, templates),
        ),
    )
    pace = Pace(sleep=time.sleep, clock=time.monotonic, poll_seconds=0.2 if is_local else 5.0)
    return Rollout(
        desired=desired,
        cloud=connect(
            sessions,
            desired,
            sleep=time.sleep,
            random=random.random,  # noqa: S311 - it spreads retries, and keeps no secret
            also=beyond,
            endpoint_url=endpoint_url,
        ),
        wire=wire,
        pace=pace,
        bootstrap=once,
        templates=tuple(json.loads(body) for body in templates.values()),
        is_local=is_local,
    )


def workloads(systems: Sequence[System]) -> tuple[System, ...]:
    """Pick what is rolled out with stack sets; the bootstrap is not."""
    return tuple(system for system in systems if not system.once_per_account)


def _settings(given: Sequence[str], templates: Mapping[str, bytes]) -> dict[str, str]:
    """Read NAME=VALUE; a parameter that another system declares is that system's."""
    declared = {
        name for body in templates.values() for name in json.loads(body).get("Parameters", {})
    }
    found = {}
    for each in given:
        name, is_pair, value = each.partition("=")
        if not is_pair or not re.fullmatch(r"[A-Za-z0-9]+", name):
            raise UsageError(f"setting {each!r}", "is no NAME=VALUE", "write --set AlarmEmail=a@b")
        if name in declared:
            found[name] = value
    return found


def check_settings(root: Path, systems: Sequence[System], choice: Choice) -> None:
    """Refuse a setting that no chosen system declares: it would do nothing."""
    names = {each.partition("=")[0] for each in choice.settings}
    for system in systems if names else ():
        templates = _compiled(compiled_folder(root, choice.pair), system.name)[1].values()
        names -= {name for body in templates for name in json.loads(body).get("Parameters", {})}
    for name in sorted(names):
        raise UsageError(f"setting {name!r}", "is no parameter of any stack", "check the spelling")


def _compiled(compiled: Path, system: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    folder = compiled / system
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        names = {entry["name"]: entry["template"] for entry in manifest["stacks"]}
        return manifest, {name: (folder / file).read_bytes() for name, file in names.items()}
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"build/{compiled.name}/{system}",
            f"cannot be read: {error}",
            "run `make templates` first, with the same regions",
        ) from error


def _packages(root: Path, system: System, *, is_local: bool) -> dict[str, PackageFile]:
    """Build what is not built yet: the zips for Lambda, or their twins for this machine."""
    platform, folder = (
        (Platform.HOST, root / "build" / "twins")
        if is_local
        else (Platform.LAMBDA, root / "build" / "packages")
    )
    with packages.start(
        system.packages,
        handlers=root / "handlers",
        into=folder,
        cache=root / ".cache" / "tap",
        platform=platform,
    ) as pending:
        built = pending.finish()
    return {name: PackageFile(path=each.path, sha256=each.sha256) for name, each in built.items()}
