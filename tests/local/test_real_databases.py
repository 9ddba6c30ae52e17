"""A driver with databases behind the clusters: who is told of them, and who waits for them."""

import json
import threading
from uuid import uuid4

import pytest
from local.conftest import PRIMARY, ROOT, SECONDARY, Clients, eventually, make_roles
from local.stack_sets import StackSet, refusal

from tap_templates.errors import TapError
from tap_templates.local import engine as engines
from tap_templates.local.driver import Driver, Move, open_door, register
from tap_templates.local.engine import EngineError
from tap_templates.local.tls import Door, certificate

NAME = "tests-real-databases"
UNIQUE = uuid4().hex[:8]
GLOBAL, CLUSTER = f"global-{UNIQUE}", f"cluster-{UNIQUE}"
CODE = """
import json, os, urllib.request

def handler(event, context):
    said = {key: value for key, value in os.environ.items() if "DB_" in key}
    if "ResponseURL" not in event:
        return said
    kept = ("StackId", "RequestId", "LogicalResourceId")
    answer = {key: event[key] for key in kept}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": "schema", "Data": {"Said": "it ran"}}
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], data=body, method="PUT"))
"""


class Asked:
    """Stands for the servers of a driver: moves nothing until it is let go on."""

    def __init__(self):
        self.moves = []
        self.may = threading.Event()
        self.refuses = False

    def __call__(self, move):
        self.moves.append(move)
        assert self.may.wait(20)
        if self.refuses:
            raise TapError("a test", "does not want to", "let it")


@pytest.fixture(scope="module")
def clients():
    engines.stop(ROOT, name=NAME)
    made = Clients(engines.start(ROOT, name=NAME))
    make_roles(made("iam"), made.engine.account)
    yield made
    made.close()
    engines.stop(ROOT, name=NAME)


@pytest.fixture(scope="module")
def hosts(clients):
    """A global database of two clusters; their endpoints."""
    made = {}
    for region in (PRIMARY, SECONDARY):
        rds = clients("rds", region)
        own = {"MasterUsername": "one", "MasterUserPassword": "any-of-them"}
        joined = own if region == PRIMARY else {"GlobalClusterIdentifier": GLOBAL}
        made[region] = rds.create_db_cluster(
            DBClusterIdentifier=CLUSTER, Engine="aurora-postgresql", **joined
        )["DBCluster"]
        if region == PRIMARY:
            rds.create_global_cluster(
                GlobalClusterIdentifier=GLOBAL,
                SourceDBClusterIdentifier=made[region]["DBClusterArn"],
            )
    return made


@pytest.fixture(scope="module")
def asked(clients, hosts):
    """A driver that has a server behind both clusters."""
    asked = Asked()
    with Driver(asked) as driver:
        for number, region in enumerate((PRIMARY, SECONDARY)):
            register(
                clients.engine, cluster=CLUSTER, region=region, port=7001 + number, driver=driver
            )
        yield asked


@pytest.fixture(scope="module")
def door(clients, tmp_path_factory):
    files = certificate(tmp_path_factory.mktemp("door"))
    with Door(clients.engine.port, files, is_asked=False) as opened:
        open_door(clients.engine, opened.port, files.chain)
        yield opened


@pytest.fixture(autouse=True)
def anew(asked):
    asked.moves.clear()
    asked.may.clear()
    asked.refuses = False
    yield
    asked.may.set()


def function(**variables):
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": f"beside-{UNIQUE}",
            "Code": {"ZipFile": CODE},
            "Handler": "index.handler",
            "Runtime": "python3.14",
            "Role": "arn:aws:iam::123456789012:role/any",
            "Environment": {"Variables": variables},
        },
    }


def migrated(**variables):
    """A function, and a migration that it would run."""
    token = {"Fn::GetAtt": ["Function", "Arn"]}
    step = {"ServiceToken": token, "ServiceTimeout": "20"}
    return json.dumps(
        {
            "Resources": {
                "Function": function(**variables),
                "Step": {"Type": "Custom::SchemaMigration", "Properties": step},
            }
        }
    )


def step_of(made):
    listed = made.clients("cloudformation").list_stack_resources(
        StackName=made.instance()["StackId"]
    )["StackResourceSummaries"]
    (found,) = [each for each in listed if each["LogicalResourceId"] == "Step"]
    return found["PhysicalResourceId"]


def whole(clients):
    rds = clients("rds", SECONDARY)
    return rds.describe_global_clusters(GlobalClusterIdentifier=GLOBAL)["GlobalClusters"][0]


def writer(clients):
    members = whole(clients)["GlobalClusterMembers"]
    (found,) = [each["DBClusterArn"] for each in members if each["IsWriter"]]
    return found.split(":")[3]


def fail_over(clients, hosts, region):
    clients("rds", region).failover_global_cluster(
        GlobalClusterIdentifier=GLOBAL,
        TargetDbClusterIdentifier=hosts[region]["DBClusterArn"],
        AllowDataLoss=True,
    )


def test_a_function_is_placed_beside_the_server_and_nothing_else_of_it_changes(clients, hosts):
    given = {
        "DB_HOST": hosts[PRIMARY]["Endpoint"],
        "DB_PORT": "5432",
        "DB_SSL": "require",
        "DB_AUTH": "iam",
        "OTHER_DB_HOST": hosts[SECONDARY]["Endpoint"],
        "NO_DB_HOST": "elsewhere.example.com",
    }
    made = StackSet(clients, TemplateBody=json.dumps({"Resources": {"F": function(**given)}}))
    made.create(PRIMARY)
    client = clients("lambda")
    answer = client.invoke(FunctionName=f"beside-{UNIQUE}")["Payload"]
    assert json.load(answer) == given | {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": "7001",
        "OTHER_DB_HOST": "127.0.0.1",
        "OTHER_DB_PORT": "7002",
    }
    kept = client.get_function_configuration(FunctionName=f"beside-{UNIQUE}")["Environment"]
    assert kept["Variables"] == given
    assert made.delete(PRIMARY)["Status"] == "SUCCEEDED"


def test_an_api_of_this_engine_is_asked_here(clients):
    """On AWS's address nobody would answer, or somebody else."""
    api = clients("apigatewayv2", SECONDARY).create_api(Name="a", ProtocolType="HTTP")["ApiId"]
    asked = f"https://{api}.execute-api.{SECONDARY}.amazonaws.com/live"
    other = f"https://another.execute-api.{SECONDARY}.amazonaws.com/live"
    given = {"DB_API_URL": asked, "DB_OTHER_API_URL": other}
    made = StackSet(clients, TemplateBody=json.dumps({"Resources": {"F": function(**given)}}))
    made.create(PRIMARY)
    answer = clients("lambda").invoke(FunctionName=f"beside-{UNIQUE}")["Payload"]
    assert json.load(answer) == {
        "DB_API_URL": f"{clients.engine.endpoint_url}/_aws/execute-api/{api}/live",
        "DB_OTHER_API_URL": other,
    }
    assert made.delete(PRIMARY)["Status"] == "SUCCEEDED"


def test_its_migrations_run_and_answer_over_https(clients, hosts, door):
    """The function trusts the certificate of the door, and the answer arrives."""
    before = door.secured
    template = migrated(DB_HOST=hosts[PRIMARY]["Endpoint"])
    made = StackSet(clients, TemplateBody=template).create(PRIMARY)
    assert step_of(made) == "schema"
    assert door.secured == before + 1
    assert made.delete(PRIMARY)["Status"] == "SUCCEEDED"


def test_those_of_a_cluster_without_a_server_do_not(clients):
    made = StackSet(clients, TemplateBody=migrated(DB_HOST="another")).create(PRIMARY)
    assert step_of(made).startswith("not-simulated-")
    assert made.delete(PRIMARY)["Status"] == "SUCCEEDED"


def test_the_writer_moves_when_the_driver_says_so(clients, hosts, asked):
    before = writer(clients)
    there = SECONDARY if before == PRIMARY else PRIMARY
    fail_over(clients, hosts, there)
    eventually(lambda: asked.moves)
    found = whole(clients)
    assert found["Status"] == "failing-over"
    assert found["FailoverState"]["Status"] == "failing-over"
    assert found["FailoverState"]["IsDataLossAllowed"]
    assert found["FailoverState"]["ToDbClusterArn"] == hosts[there]["DBClusterArn"]
    assert writer(clients) == before
    again = {
        "GlobalClusterIdentifier": GLOBAL,
        "TargetDbClusterIdentifier": hosts[there]["DBClusterArn"],
    }
    again_refused = refusal(clients("rds", there).switchover_global_cluster, **again)
    assert again_refused == "InvalidGlobalClusterStateFault"
    asked.may.set()
    eventually(lambda: whole(clients)["Status"] == "available")
    assert writer(clients) == there
    assert "FailoverState" not in whole(clients)
    assert asked.moves == [
        Move(global_cluster=GLOBAL, from_region=before, to_region=there, is_data_loss_allowed=True)
    ]


def test_it_stays_where_it_is_if_the_driver_cannot(clients, hosts, asked):
    asked.refuses = True
    before = writer(clients)
    there = SECONDARY if before == PRIMARY else PRIMARY
    clients("rds", there).switchover_global_cluster(
        GlobalClusterIdentifier=GLOBAL,
        TargetDbClusterIdentifier=hosts[there]["DBClusterArn"],
    )
    eventually(lambda: asked.moves)
    assert whole(clients)["Status"] == "switching-over"
    asked.may.set()
    eventually(lambda: whole(clients)["Status"] == "available")
    assert writer(clients) == before


@pytest.mark.parametrize(
    "wrong",
    [{"host": "192.0.2.1"}, {"driver": "http://192.0.2.1/"}, {"port": "none"}],
)
def test_what_is_not_on_this_machine_is_refused(clients, wrong):
    query = {"cluster": "c", "region": PRIMARY, "host": "127.0.0.1", "port": "1"} | wrong
    with pytest.raises(EngineError, match="database cannot read"):
        engines.control(clients.engine, "database", **query)
