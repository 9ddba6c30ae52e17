"""The script that loads reference data, against a table engine."""

import importlib.util
import json

import boto3
import pytest
from click.testing import CliRunner
from handlers.market_samples import ENVIRONMENT, REGION, create_table, instrument
from moto import mock_aws

from market_table import patterns
from market_table.instruments import instrument_of, parse_instrument


@pytest.fixture(scope="module")
def script(root):
    path = root / "scripts" / "load_instruments.py"
    spec = importlib.util.spec_from_file_location("load_instruments", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def table(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        create_table(client)
        yield client


@pytest.fixture
def load(script, table, tmp_path):
    def run(instruments, *options):
        file = tmp_path / "instruments.json"
        file.write_text(instruments if isinstance(instruments, str) else json.dumps(instruments))
        asked = [str(file), "--region", REGION, "--suffix", "test", *options]
        return CliRunner().invoke(script.main, asked)

    return run


def items(table):
    return table.scan(TableName="table-market-events-test")["Items"]


def test_the_sample_is_loaded_and_found_by_symbol(load, table, root):
    text = (root / "scripts" / "instruments.json").read_text()
    done = load(text)
    assert done.exit_code == 0, done.output
    assert done.output.count("loaded ") == 5
    for each in json.loads(text):
        question = patterns.instrument_as_of(each["symbol"], "2026-11-20").arguments()
        [found] = table.query(TableName="table-market-events-test", **question)["Items"]
        assert instrument_of(found) == parse_instrument(each)


def test_loading_twice_is_loading_once(load, table):
    load([instrument()])
    before = items(table)
    done = load([instrument(tickSize="0.10")])
    assert (done.exit_code, done.output.split()[0]) == (0, "same")
    assert items(table) == before


def test_a_version_is_never_changed_and_a_new_one_is_added(load, table):
    load([instrument()])
    before = items(table)
    done = load([instrument(tickSize="0.5"), instrument(validFrom="2026-12-01", tickSize="0.5")])
    assert done.exit_code == 1
    assert "1 version(s) are in table-market-events-test with another content" in done.output
    assert [line.split()[0] for line in done.output.splitlines()[:2]] == ["differs", "loaded"]
    assert before[0] in items(table)
    assert len(items(table)) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "is no JSON"),
        ("{}", "is no list of instruments"),
        ("[]", "is no list of instruments"),
        ([instrument(), instrument(isin="X")], "instrument 2: isin must be an ISIN"),
        ([instrument(), instrument()], "NL0010273215 has two versions from 2026-01-01"),
        (
            [instrument(), instrument(isin="NL0000334118")],
            "ASML means two instruments from 2026-01-01",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_as_a_whole(load, table, given, said):
    done = load(given)
    assert done.exit_code == 1
    assert said in done.output
    assert items(table) == []


def test_everything_wrong_is_said_at_once(load):
    done = load([instrument(isin="X"), instrument(tickSize="0"), instrument(), instrument()])
    assert done.output.count("instruments.json: ") == 3


@pytest.mark.parametrize("suffix", ["", "PROD", "a" * 13, "${x}"])
def test_a_suffix_that_is_none_is_a_usage_error(load, suffix):
    assert load([instrument()], "--suffix", suffix).exit_code == 2


def test_an_access_key_is_for_engines_alone(load):
    assert load([instrument()], "--access-key", "000000000000").exit_code == 2


@pytest.mark.parametrize("endpoint", ["nonsense", "http://127.0.0.1:1"])
def test_what_cannot_be_reached_is_said_without_a_traceback(load, monkeypatch, endpoint):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    done = load([instrument()], "--endpoint-url", endpoint)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert done.output.startswith("Error: ")


def test_a_table_that_is_not_there_is_named(load):
    done = load([instrument()], "--suffix", "other")
    assert done.exit_code == 1
    assert "table-market-events-other in us-east-1" in done.output
