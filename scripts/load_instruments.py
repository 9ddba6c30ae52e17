"""Load instruments, the reference data of market-pipeline, into the table of an environment.

Usage: .venv/bin/python scripts/load_instruments.py scripts/instruments.json --region us-east-1

The file is judged as a whole before anything is written. A version that is there with the same
content is passed over, so loading twice is loading once; one that is there with another content is
refused: what was recorded with it must stay explicable, so a change is a version of its own, with a
later `validFrom`. The table replicates to the other region; load into one.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from tap_templates.model.names import LONGEST_SUFFIX, SUFFIX, Kind, Name

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "handlers"))

from market_table.attributes import Stored
from market_table.instruments import (
    Instrument,
    InvalidInstrument,
    instrument_of,
    parse_instrument,
)

TABLE = Name(Kind.TABLE, "market-events")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--region", required=True, help="Where to write; the table replicates from there.")
@click.option("--suffix", default="dev", show_default=True, help="The environment's suffix.")
@click.option("--endpoint-url", help="Of a local engine, instead of AWS.")
@click.option("--access-key", help="With --endpoint-url: the account of the engine.")
def main(
    file: Path, region: str, suffix: str, endpoint_url: str | None, access_key: str | None
) -> None:
    """Load the JSON list of instruments in FILE.

    Example: load_instruments.py scripts/instruments.json --region us-east-1 --suffix dev
    """
    if not re.fullmatch(rf"[a-z0-9-]{{1,{LONGEST_SUFFIX}}}", suffix):
        raise click.UsageError(f"--suffix must be 1 to {LONGEST_SUFFIX} of a-z, 0-9 and -")
    if access_key and not endpoint_url:
        raise click.UsageError("--access-key is for --endpoint-url; AWS takes your own credentials")
    instruments = read(file)
    local: dict[str, Any] = {}
    if access_key:
        local = {"aws_access_key_id": access_key, "aws_secret_access_key": "local"}
    table = TABLE.text().replace(SUFFIX, suffix)
    try:
        client = boto3.client("dynamodb", region_name=region, endpoint_url=endpoint_url, **local)
        found = [(instrument, put(client, table, instrument)) for instrument in instruments]
    except (BotoCoreError, ClientError) as error:
        raise click.ClickException(f"{table} in {region}: {error}") from None
    except ValueError as error:  # an endpoint or a region that is none
        raise click.ClickException(str(error)) from None
    for instrument, outcome in found:
        click.echo(
            f"{outcome:8} {instrument.symbol} {instrument.isin} from {instrument.valid_from}"
        )
    if refused := [each for each, outcome in found if outcome == "differs"]:
        raise click.ClickException(
            f"{len(refused)} version(s) are in {table} with another content and stay as they are;"
            " give the change a later validFrom"
        )


def read(file: Path) -> list[Instrument]:
    """Read and judge the file; raise ClickException with everything that is wrong with it."""
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{file}: is no JSON: {error}") from None
    if not isinstance(given, list) or not given:
        raise click.ClickException(f"{file}: is no list of instruments")
    instruments, problems = [], []
    for number, each in enumerate(given, start=1):
        try:
            instruments.append(parse_instrument(each))
        except InvalidInstrument as invalid:
            problems.append(f"{file}: instrument {number}: {invalid}")
    problems += [f"{file}: {problem}" for problem in ambiguities(instruments)]
    if problems:
        raise click.ClickException("\n".join(problems))
    return instruments


def ambiguities(instruments: Sequence[Instrument]) -> list[str]:
    """Find versions that are given twice, and symbols that would mean two things on a day."""
    versions = Counter((each.isin, each.valid_from) for each in instruments)
    meanings = Counter(
        (symbol, day)
        for symbol, _, day in {(each.symbol, each.isin, each.valid_from) for each in instruments}
    )
    return [
        *(
            f"{isin} has two versions from {day}"
            for (isin, day), n in sorted(versions.items())
            if n > 1
        ),
        *(
            f"{symbol} means two instruments from {day}"
            for (symbol, day), n in sorted(meanings.items())
            if n > 1
        ),
    ]


def put(client: Any, table: str, instrument: Instrument) -> str:
    """Write a version unless it is there; say `loaded`, `same` or `differs`."""
    try:
        client.put_item(
            TableName=table,
            Item=instrument.item(),
            ConditionExpression="attribute_not_exists(PK)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        response: dict[str, Any] = {**error.response}
        return "same" if _is_same(response.get("Item", {}), instrument) else "differs"
    return "loaded"


def _is_same(existing: Stored, instrument: Instrument) -> bool:
    try:
        return instrument_of(existing) == instrument
    except InvalidInstrument:
        return False


if __name__ == "__main__":
    main()
