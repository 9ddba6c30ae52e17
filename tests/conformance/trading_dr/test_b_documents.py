"""B-16 of trading-dr: its pages are there, and say nothing that the system does not have."""

import re

import pytest
from conformance.trading_dr.pair import OTHER, PRIMARY, SECONDARY

from tap_templates.compiler.invariants import ACROSS, INVARIANTS

PAGES = {
    "docs/trading-dr.md": [  # architecture, deployment, readiness
        "make templates",
        "make deploy SYSTEM=trading-dr REGION=all",
        "REGION=us-east-2",
        "REGION=us-east-1",
        "make destroy SYSTEM=trading-dr",
        "order-readiness",
        "## Honest limits",
    ],
    "docs/trading-dr/failover.md": [
        "aws stepfunctions start-execution",
        "aws stepfunctions list-executions",
        "machine-orders-failover-dev",
    ],
    "docs/trading-dr/failback.md": [
        "aws stepfunctions start-execution",
        "machine-orders-failback-dev",
    ],
    "docs/trading-dr/game-day.md": ["make drill SYSTEM=trading-dr"],
    "docs/trading-dr/orchestrator.md": [
        "aws dynamodb update-item",
        "aws rds failover-global-cluster",
        "aws lambda update-event-source-mapping",
    ],
}
HANDLERS = ("api", "applier", "audit", "prober", "readiness", "recovery", "replayer", "schema")
OF_AWS = {"CrtSigV4AsymAuth", "FunctionError"}  # of botocore; of an answer of Lambda's
KINDS = "alarm|bucket|bus|cluster|function|global-cluster|machine|queue|role|table|topic"
each_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture
def told(root, page):
    return (root / page).read_text()


@each_page
def test_b16_the_page_is_there_and_says_what_to_do(told, page):
    assert [each for each in PAGES[page] if each not in told] == []


@each_page
def test_b16_every_command_of_make_is_one_of_ours(root, told):
    targets = set(re.findall(r"^([a-z-]+):.*## ", (root / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)(?: [A-Z]+=|`)", told)) <= targets


@each_page
def test_b16_every_name_a_page_says_is_one_of_the_system(pair, told):
    known = {each.resource.name for each in pair.view.resources() if each.resource.name}
    names = re.findall(
        rf"(?<![\w/-])((?:{KINDS})-[a-z0-9-]+?-(?:dev|<suffix>)(?:-us-[a-z]+-[0-9])?)(?![\w-])",
        told,
    )
    unknown = {each for each in names if each.replace("<suffix>", "dev") not in known}
    assert unknown == set()
    for begins in re.findall(rf"`((?:{KINDS})-[a-z-]+-)…`", told):
        assert [each for each in known if each.startswith(begins)], begins


@each_page
def test_b16_every_alarm_function_and_rule_of_ours_is_there(pair, told):
    """Those that are called by their purpose alone, as in `orders-lag`."""
    kinds = ("alarm", "function", "queue", "schedule", "table")
    known = {
        each.resource.name.removeprefix(f"{kind}-").removesuffix("-dev")
        for each in pair.view.resources()
        for kind in kinds
        if (each.resource.name or "").startswith(f"{kind}-")
    }
    said = set(re.findall(r"`(orders?-[a-z-]+)`", told))
    assert said - known == set()


@each_page
def test_b16_every_stack_and_output_a_page_says_is_one_of_the_system(manifest, pair, told):
    stacks = {each["name"] for each in manifest["stacks"]}
    outputs = pair.outputs(PRIMARY) | pair.outputs(SECONDARY)
    for output, stack in re.findall(r"Output ([A-Z]\w+)(?: of ([a-z-]+))?>", told):
        assert output in outputs
        assert not stack or stack in outputs[output]
    for each in re.findall(r"`((?:watch|compute|database|recovery|storage)-[a-z…]+)`", told):
        assert {name for name in stacks if name.startswith(each.rstrip("…"))}, each


@each_page
def test_b16_every_check_a_page_says_exists(told):
    codes = {each.code for each in (*INVARIANTS, *ACROSS)}
    for said in re.findall(r"TAP-[A-Z]+-(?:[0-9]+|…)", told):
        assert [each for each in codes if each.startswith(said.rstrip("…"))], said


@pytest.fixture
def said_in_code(root):
    """Read what the handlers of orders call their errors and count."""
    folders = ("orders", *(f"order_{each}" for each in HANDLERS))
    code = "".join(
        path.read_text() for each in folders for path in (root / "handlers" / each).rglob("*.py")
    )
    return {
        "errors": set(re.findall(r"^class (\w+)\(\w+\):", code, re.MULTILINE)),
        "metrics": set(re.findall(r'count\(\s*"(\w+)"', code)),
    }


@each_page
def test_b16_every_state_error_and_parameter_a_page_says_exists(
    pair, committed, told, said_in_code
):
    """Words in code marks that begin with a capital letter and go on small."""
    states = [
        state
        for region in OTHER
        for purpose in ("failover", "failback")
        for state in pair.machine(region, purpose).states()
    ]
    known = {each.name for each in states}
    known |= {str(each.given.get("Error", each.body.get("Error"))) for each in states}
    known |= {name for each in committed.values() for name in each["Parameters"]}
    known |= {*pair.outputs(PRIMARY), *pair.outputs(SECONDARY)}
    known |= said_in_code["errors"] | said_in_code["metrics"] | OF_AWS
    for said in re.findall(r"`([A-Z][a-z]\w*)(?:=\w+)?`", told):
        assert said in known
    for begins in re.findall(r"`([A-Z][a-z]\w*)…`", told):
        assert [each for each in known if each.startswith(begins)], begins
    for metric in re.findall(r"metric `(\w+)`", told):
        assert metric in said_in_code["metrics"]


def test_b16_the_table_of_stacks_is_the_one_that_is_rolled_out(root, manifest):
    told = (root / "docs/trading-dr.md").read_text()
    table = told.partition("| stack |")[2].partition("\n\n")[0]
    said = {
        name
        for row in table.splitlines()[2:]
        for name in re.findall(r"`([a-z-]+…?)`", row.split("|")[1])
    }
    stacks = {each["name"] for each in manifest["stacks"]}
    whole = {each for each in said if not each.endswith("…")}
    halves = {
        f"{each.rstrip('…')}{role}" for each in said - whole for role in ("primary", "secondary")
    }
    assert whole | halves == stacks
