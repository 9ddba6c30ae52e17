"""Command line: JSON lines in, one JSON result a line out.

Exit codes: 0 all published, 1 some not, 64 usage.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NoReturn, TextIO

from botocore.exceptions import BotoCoreError

from trading_producer.client import Producer, connect
from trading_producer.core import Event, InvalidEventError, Published, Result

USAGE = 64
_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]")
_ENDPOINT_ID = re.compile(r"[A-Za-z0-9-]+\.[A-Za-z0-9-]+")  # botocore, PutEvents.EndpointId
_BUS = re.compile(r"[.\-_A-Za-z0-9]{1,256}")
_READ_AHEAD = 100  # lines parsed before they are sent; several PutEvents calls

_EXAMPLE = """\
Each line of the input is an object: {"detailType": "OrderPlaced", "detail": {...}}.
A detail without eventId is given one; put your own in, so that running the same file again
publishes nothing twice.

example:
  python -m trading_producer --endpoint-id abcde.veo --bus bus-trading-events-dev \\
      --secondary-region us-west-2 < events.jsonl
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}")
        return text

    return check


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = _Parser(
        prog="python -m trading_producer",
        description="Publish trading events through the global endpoint, past it if it fails.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    region = _matching(_REGION, "AWS region")
    made.add_argument(
        "--endpoint-id",
        required=True,
        type=_matching(_ENDPOINT_ID, "endpoint id (like abcde.veo)"),
        help="EndpointId output of the endpoint stack",
    )
    made.add_argument(
        "--bus", required=True, type=_matching(_BUS, "bus name"), help="name of both event buses"
    )
    made.add_argument(
        "--secondary-region", required=True, type=region, help="where to send past the endpoint"
    )
    made.add_argument(
        "--region", default="us-east-1", type=region, help="primary region (default: %(default)s)"
    )
    return made


def run(producer: Producer, lines: Iterable[str], out: TextIO, complaints: TextIO) -> int:
    """Publish every line; write a result for each, in order; give the exit code."""
    failed = False
    numbered = enumerate(lines, start=1)
    while chunk := list(islice(numbered, _READ_AHEAD)):
        events = [made for made in _read(producer, chunk, complaints) if made is not None]
        failed |= len(events) < sum(bool(line.strip()) for _, line in chunk)
        for result in producer.publish(events):
            failed |= not isinstance(result, Published)
            out.write(json.dumps(_shown(result)) + "\n")
    return int(failed)


def _read(
    producer: Producer, chunk: list[tuple[int, str]], complaints: TextIO
) -> Iterator[Event | None]:
    for number, line in chunk:
        if not line.strip():
            continue
        try:
            yield producer.event(*_record(json.loads(line)))
        except InvalidEventError as error:
            complaints.write(f"line {number}: {error}\n")
            yield None
        except (ValueError, RecursionError):
            complaints.write(f"line {number}: is not JSON\n")
            yield None


def _record(value: object) -> tuple[object, object]:
    if not isinstance(value, dict) or value.keys() != {"detailType", "detail"}:
        raise InvalidEventError("is no object of detailType and detail")
    return value["detailType"], value["detail"]


def _shown(result: Result) -> dict[str, str]:
    if isinstance(result, Published):
        return {"id": result.id, "published": result.route.value}
    return {"id": result.id, "failed": result.reason}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line on standard input and output."""
    options = parser().parse_args(arguments)
    if options.region == options.secondary_region:
        parser().error("--region and --secondary-region are the same")
    try:
        producer = connect(
            endpoint_id=options.endpoint_id,
            bus=options.bus,
            secondary_region=options.secondary_region,
            region=options.region,
        )
    except BotoCoreError as error:
        sys.stderr.write(f"trading_producer: {error}\n")
        return 1
    return run(producer, sys.stdin, sys.stdout, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
