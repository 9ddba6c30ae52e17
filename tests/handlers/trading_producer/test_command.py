"""The command line: what it reads, writes, and exits with."""

import io
import json
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from trading_producer.__main__ import main, run
from trading_producer.client import Producer

HANDLERS = Path(__file__).parents[3] / "handlers"
LINE = json.dumps({"detailType": "OrderPlaced", "detail": {"a": "1"}})
GOOD = ["--endpoint-id", "abcde.veo", "--bus", "b", "--secondary-region", "us-west-2"]


class Bus:
    def __init__(self, code=None):
        self.code = code

    def put_events(self, **request):
        entry = {"ErrorCode": self.code} if self.code else {"EventId": "x"}
        return {"Entries": [entry] * len(request["Entries"])}


def published(lines, bus):
    ids = count()
    producer = Producer(
        bus,
        bus,
        endpoint_id="a.b",
        bus="b",
        sleep=lambda _: None,
        new_id=lambda: f"00000000-0000-4000-8000-{next(ids):012d}",
    )
    out, complaints = io.StringIO(), io.StringIO()
    code = run(producer, lines, out, complaints)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], complaints.getvalue()


def test_every_line_has_its_result_in_order():
    code, results, complaints = published([LINE, "\n", LINE] * 101, Bus())
    assert code == 0
    assert complaints == ""
    assert [result["id"][-3:] for result in results] == [f"{n:03d}" for n in range(202)]
    assert {result["published"] for result in results} == {"endpoint"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: is not JSON"),
        ("[" * 100_000, "line 2: is not JSON"),
        ("[]", "line 2: is no object of detailType and detail"),
        ('{"detail": {}}', "line 2: is no object of detailType and detail"),
        ('{"detailType": "T", "detail": {}, "extra": 1}', "line 2: is no object"),
        (
            '{"detailType": "T", "detail": {"eventId": "4111111111111111"}}',
            "line 2: detail.eventId",
        ),
    ],
)
def test_a_bad_line_is_told_by_number_and_the_others_are_sent(line, said):
    code, results, complaints = published([LINE, line, LINE], Bus())
    assert code == 1
    assert len(results) == 2
    assert complaints.startswith(said)
    assert "4111" not in complaints


def test_an_event_that_did_not_arrive_is_an_error():
    code, results, _ = published([LINE], Bus("InternalFailure"))
    assert code == 1
    assert results[0]["failed"] == "InternalFailure"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: --endpoint-id"),
        ([*GOOD[:-1], "mars"], "'mars' is no AWS region"),
        (["--endpoint-id", "https://x", *GOOD[2:]], "is no endpoint id"),
        ([*GOOD, "--region", "us-west-2"], "are the same"),
        ([*GOOD, "--surprise"], "unrecognized"),
    ],
)
def test_a_wrong_command_line_exits_64_and_says_why(capsys, arguments, said):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 64
    assert said in capsys.readouterr().err


def test_help_shows_an_example():
    shown = subprocess.run(
        [sys.executable, "-m", "trading_producer", "--help"],
        cwd=HANDLERS,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "--endpoint-id abcde.veo" in shown
