"""`tap local`: the engine that a rollout can go to without an AWS account."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tap_templates.local.engine import Engine

_NAME = click.option(
    "--name", default="default", show_default=True, help="Several can run at once."
)
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group(epilog="Example: tap local start")
def local() -> None:
    """Start, stop and look at the local engine, which stands in for AWS on this machine."""


@local.command(epilog="Example: tap local start --port 4566")
@_NAME
@click.option("--port", type=click.IntRange(1, 65535), help="Default: a free one.")
@_FORMAT
@click.pass_obj
def start(find: Callable[[], Path], name: str, port: int | None, form: str) -> int:
    """Start an engine on 127.0.0.1; the first start makes its environment."""
    from tap_templates.local import engine

    def say(text: str) -> None:
        click.echo(text, err=True)

    return _show(engine.start(find(), name=name, port=port, say=say), name, form)


@local.command(epilog="Example: tap local stop")
@_NAME
@click.pass_obj
def stop(find: Callable[[], Path], name: str) -> int:
    """Stop an engine; all it holds is gone."""
    from tap_templates.local import engine

    stopped = engine.stop(find(), name=name)
    click.echo(f"local engine {name!r} {'stopped' if stopped else 'was not running'}")
    return 0


@local.command(epilog="Example: tap local status --format json")
@_NAME
@_FORMAT
@click.pass_obj
def status(find: Callable[[], Path], name: str, form: str) -> int:
    """Say where an engine listens; exit code 1 if it does not run."""
    from tap_templates.local import engine

    return _show(engine.status(find(), name=name), name, form)


def _show(found: "Engine | None", name: str, form: str) -> int:
    if form == "json":
        document = {
            "schema": "tap.local/1",
            "name": name,
            "running": found is not None,
            "endpoint_url": found.endpoint_url if found else None,
            "account": found.account if found else None,
        }
        click.echo(json.dumps(document, indent=2))
    elif found:
        click.echo(f"local engine {name!r} at {found.endpoint_url}, account {found.account}")
        click.echo("  any credentials do: the access key is the account, the secret is anything")
    else:
        click.echo(f"local engine {name!r} is not running")
    return 0 if found else 1
