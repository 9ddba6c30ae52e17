"""A minute of the prober: what it reads and writes, what it starts, what it survives."""

from dataclasses import dataclass, field

import psycopg
import pytest
from handlers.orders_in_memory import Client, Heard, Table, refused

from aurora_access.standing import Standing
from order_prober.consumers import Consumers
from order_prober.core import Memory, Settings
from order_prober.machines import Machines
from order_prober.memory import Notebook, item_of, memory_of
from order_prober.service import Prober, Surroundings
from orders.failures import AwsRefused, TemporaryFailure, UnreadableItem
from orders.reports import Report, read_report, report_of, write_report
from orders.role import read_role

HOME, AWAY = "us-east-1", "us-east-2"
TABLE = "table"


class Clock:
    """Time that passes in sleep alone, but for what a round takes."""

    def __init__(self, round_takes=0.0):
        self.seconds = 1_000_000.0
        self.round_takes = round_takes

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


class Lambda:
    """One mapping."""

    def __init__(self, state="Disabled"):
        self.state, self.changes, self.error = state, [], None

    def get_event_source_mapping(self, UUID):  # noqa: N803 - AWS's name
        assert UUID == "uuid"
        if self.error:
            raise self.error
        return {"State": self.state}

    def update_event_source_mapping(self, UUID, Enabled):  # noqa: N803 - AWS's names
        self.changes.append(Enabled)
        self.state = "Enabled" if Enabled else "Disabled"
        return {"State": "Enabling" if Enabled else "Disabling"}


class StepFunctions:
    """Remembers names."""

    def __init__(self):
        self.started, self.error = [], None

    def start_execution(self, **request):
        assert request["input"] == "{}"
        if self.error:
            raise self.error
        if (started := (request["stateMachineArn"], request["name"])) in self.started:
            raise refused("StartExecution", "ExecutionAlreadyExists")
        self.started.append(started)
        return {}


@dataclass
class Region:
    """A prober with all around it."""

    table: Table = field(default_factory=lambda: Table("id"))
    clock: Clock = field(default_factory=Clock)
    mapping: Lambda = field(default_factory=Lambda)
    machines: StepFunctions = field(default_factory=StepFunctions)
    heard: Heard = field(default_factory=Heard)
    own_api: int | None = 200
    other_api: bool = True
    standing: object = Standing.COPY
    region: str = AWAY
    rounds: int = 5
    automatic: bool = False

    def __post_init__(self):
        self.client = Client(self.table, self.region)
        self.other = HOME if self.region == AWAY else AWAY

    def ask(self):
        if isinstance(self.standing, Exception):
            raise self.standing
        return self.standing

    def look(self):
        self.clock.seconds += self.clock.round_takes
        return self.own_api

    def prober(self):
        settings = Settings(
            region=self.region,
            other=self.other,
            home=HOME,
            rounds=self.rounds,
            automatic_failback=self.automatic,
        )
        around = Surroundings(
            role=lambda: read_role(self.client, TABLE, home=HOME),
            other_report=lambda: read_report(self.client, TABLE, self.other),
            write_report=lambda report: write_report(self.client, TABLE, self.region, report),
            set_consumers=Consumers(self.mapping, "uuid").set,
            own_api=self.look,
            other_api=lambda: self.other_api,
            standing=self.ask,
        )
        return Prober(
            settings,
            around,
            notebook=Notebook(self.client, TABLE, self.region),
            machines=Machines(self.machines, failover="over", failback="back"),
            watch=self.heard,
            now=self.clock.now,
            monotonic=self.clock.now,
            sleep=self.clock.sleep,
        )

    def other_says(self, age=0, **changes):
        said = {"api": True, "database": True, "consumers": "Enabled"} | changes
        write_report(
            self.client, TABLE, self.other, Report(at=int(self.clock.seconds) - age, **said)
        )

    def report(self):
        return read_report(self.client, TABLE, self.region)

    def role(self, **changes):
        said = {"epoch": 2, "active": AWAY, "phase": "serving", "run": "failover-2"} | changes
        self.table.put(
            {
                "id": {"S": "role"},
                **{
                    key: {"N": str(each)} if isinstance(each, int) else {"S": each}
                    for key, each in said.items()
                },
            }
        )


@pytest.fixture
def region():
    return Region()


def test_a_quiet_minute_is_five_rounds_and_as_many_reports(region):
    region.other_says()
    assert region.prober()() == {"rounds": 5, "last": "standing by"}
    assert region.clock.seconds == 1_000_040
    assert region.report() == Report(at=1_000_040, api=True, database=True, consumers="Disabled")
    assert (region.machines.started, region.mapping.changes) == ([], [])
    assert region.heard.lines == [("watched", {"findings": ["standing by"]})]


def test_a_region_that_is_gone_is_given_up_after_three_rounds_once(region):
    region.other_says(age=100)
    region.other_api = False
    assert region.prober()()["last"] == "FailOver"
    assert region.machines.started == [("over", "failover-2")]
    assert read_role(region.client, TABLE, home=HOME).epoch == 1  # that is the machine's to write
    region.prober()()
    assert region.machines.started == [("over", "failover-2")]


def test_two_rounds_are_remembered_by_the_next_invocation(region):
    region.other_says(age=200)
    region.other_api = False
    region.rounds = 2
    region.prober()()
    assert region.machines.started == []
    assert Notebook(region.client, TABLE, AWAY).read() == Memory(failures=2)
    region.prober()()
    assert region.machines.started == [("over", "failover-2")]


def test_who_cannot_write_the_table_does_nothing(region):
    region.other_says(age=200)
    region.other_api = False
    region.client.faults = [
        ("put_item", "before", refused("PutItem", "InternalServerError", 500)) for _ in range(99)
    ]
    assert region.prober()()["last"] == "isolated"
    assert region.machines.started == []


def test_who_cannot_read_the_role_does_nothing_and_leaves_its_consumers(region):
    region.other_says(age=200)
    region.other_api = False
    region.mapping.state = "Enabled"
    region.client.faults = [
        ("get_item", "before", refused("GetItem", "InternalServerError", 500)) for _ in range(99)
    ]
    assert region.prober()()["last"] == "isolated"
    assert (region.machines.started, region.mapping.changes) == ([], [])


def test_who_does_not_reach_its_own_api_by_the_same_way_abstains(region):
    region.other_says(age=200)
    region.other_api, region.own_api = False, None
    assert region.prober()()["last"] == "blind"
    assert region.machines.started == []
    assert region.report().api is False


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_an_api_of_its_own_that_is_overrun_hinders_no_failover(region, status):
    """All clients have just come here: whoever answers them, the way out is there."""
    region.other_says(age=200)
    region.other_api, region.own_api = False, status
    assert region.prober()()["last"] == "FailOver"
    assert region.machines.started == [("over", "failover-2")]
    assert region.report().api is False


def test_no_role_is_taken_for_a_database_that_does_not_answer(region):
    region.other_says(age=200)
    region.other_api, region.standing = False, psycopg.OperationalError()
    assert region.prober()()["last"] == "no database to turn to"
    assert region.machines.started == []
    region.standing = Standing.COPY
    region.rounds = 1
    region.prober()()
    assert region.machines.started == [("over", "failover-2")]


def test_a_run_that_ended_without_the_role_is_followed_by_another(region):
    """Its name is taken: without a second one, nobody would ever take over by itself."""
    region.other_says(age=200)
    region.other_api = False
    region.machines.started = [("over", "failover-2")]  # of an outage last week, say
    for _ in range(6):
        region.prober()()
    assert region.machines.started == [("over", "failover-2"), ("over", "failover-2-2")]
    assert ("machine started", {"run": "failover-2-2", "findings": ("unreachable",)}) in (
        region.heard.lines
    )


@pytest.mark.parametrize(
    ("role", "state", "changes"),
    [
        ({"active": AWAY}, "Disabled", [True]),
        ({"active": AWAY}, "Enabled", []),
        ({"active": AWAY}, "Enabling", []),
        ({"active": AWAY, "phase": "failing-over"}, "Disabled", []),
        ({"active": AWAY, "phase": "failing-back"}, "Enabled", []),
        ({"active": HOME}, "Enabled", [False]),
        ({"active": HOME}, "Updating", []),
        ({"active": HOME, "phase": "failing-back"}, "Enabled", [False]),
    ],
)
def test_its_consumers_are_as_the_role_says(region, role, state, changes):
    region.role(**role)
    region.mapping.state = state
    region.prober()()
    assert region.mapping.changes == changes


@pytest.mark.parametrize(
    ("active", "standing", "database"),
    [
        (AWAY, Standing.WRITER, True),
        (AWAY, Standing.COPY, False),
        (HOME, Standing.COPY, True),
        (HOME, Standing.WRITER, True),
        (HOME, psycopg.OperationalError("secret"), False),
        (AWAY, psycopg.OperationalError("secret"), False),
    ],
)
def test_it_reports_whether_its_database_does_what_the_role_asks(
    region, active, standing, database
):
    region.role(active=active)
    region.standing = standing
    region.prober()()
    assert region.report().database is database
    assert "secret" not in str(region.heard.__dict__)


def test_lambda_that_does_not_answer_keeps_no_report_back(region):
    region.mapping.error = refused("GetEventSourceMapping", "ServiceException", 500)
    region.other_says()
    region.prober()()
    assert region.report().consumers == "Unknown"


def test_a_machine_that_cannot_be_started_is_tried_in_the_next_round(region):
    region.other_says(age=200)
    region.other_api = False
    region.machines.error = refused("StartExecution", "ThrottlingException")
    assert region.prober()()["last"] == "FailOver"
    region.machines.error = None
    region.prober()()
    assert region.machines.started == [("over", "failover-2")]


def test_home_that_is_well_for_long_is_told_of_or_returned_to(region):
    for automatic, started in ((False, []), (True, [("back", "failback-3")])):
        region.automatic = automatic
        region.role()
        region.standing = Standing.WRITER
        Notebook(region.client, TABLE, AWAY).write(
            Memory(healthy_since=int(region.clock.seconds) - 1801)
        )
        region.other_says()
        region.prober()()
        assert region.machines.started == started


def test_a_round_that_comes_too_late_is_left_out(region):
    region.clock.round_takes = 16.0
    region.other_says()
    assert region.prober()()["rounds"] == 3


@pytest.mark.parametrize(
    "memory", [Memory(), Memory(failures=2, database_failures=3), Memory(healthy_since=5)]
)
def test_what_is_remembered_is_read_again(memory):
    assert memory_of(item_of(memory)) == memory


@pytest.mark.parametrize(
    "item", [{"failures": {"S": "1"}}, {"failures": {"N": "-1"}}, {"healthySince": {}}]
)
def test_a_memory_that_is_none_of_ours_is_refused(item):
    with pytest.raises(UnreadableItem):
        memory_of(item)


@pytest.mark.parametrize(
    "changes",
    [
        {"at": {"S": "1"}},
        {"at": {"N": "x"}},
        {"api": {"S": "yes"}},
        {"database": {}},
        {"consumers": {"N": "1"}},
    ],
)
def test_a_report_that_is_none_of_ours_is_refused(changes):
    item = {
        "at": {"N": "1"},
        "api": {"BOOL": True},
        "database": {"BOOL": True},
        "consumers": {"S": "Enabled"},
    }
    assert report_of(item).at == 1
    with pytest.raises(UnreadableItem):
        report_of(item | changes)


def test_what_aws_refuses_has_a_name():
    machines = StepFunctions()
    starter = Machines(machines, failover="over", failback="back")
    for code, expected in (("AccessDeniedException", AwsRefused), ("Throttling", TemporaryFailure)):
        machines.error = refused("StartExecution", code)
        with pytest.raises(expected):
            starter.fail_over(2)
        with pytest.raises(expected):
            starter.fail_back(2)
    machines.error = None
    assert (starter.fail_back(3), starter.fail_back(3)) == (True, False)
