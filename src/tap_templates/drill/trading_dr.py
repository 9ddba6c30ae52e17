"""The drill of trading-dr: lose the primary region under load, and see every order again.

Act one (`trading_failover`) stalls replication, kills the region and its database, and waits: for
the name to move, for the prober of the other region to start its machine, for the machine to
promote the database and to apply what was lost. Act two (`trading_return`) gives the orders back.
After each, the books are held against what clients were told.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from tap_templates.deploy.cloud import Wire
from tap_templates.drill.databases import Databases, Names
from tap_templates.drill.following import Log, wait_until
from tap_templates.drill.place import DrillError, Place
from tap_templates.drill.report import Act, Report
from tap_templates.drill.signing import Key
from tap_templates.drill.trading_control import leave_out_replay
from tap_templates.drill.trading_failover import fail_over
from tap_templates.drill.trading_return import fail_back
from tap_templates.drill.trading_stage import (
    DRILL,
    Budget,
    Options,
    Stage,
    resolver,
    warm_up,
    watched,
)
from tap_templates.drill.traffic import Traffic, poster
from tap_templates.local.driver import Driver, open_door, register
from tap_templates.model.names import Kind

SYSTEM = "trading-dr"
# What waits on AWS for a reason that does not exist here.
SHORTENED: Mapping[str, str] = {
    "ProbeRoundSeconds": "1",
    "RecordTtl": "2",
    "ReportStaleSeconds": "10",
}
SIMULATED = (
    "times are of this machine, not of AWS",
    "AWS is the local engine: Route 53 asks ten times as often, machines wait a tenth of the time",
    "nothing is throttled, and no role is enforced",
    "the drill plays EventBridge Scheduler: probers and sweep run again as soon as they have ended",
    "Aurora is two PostgreSQL servers with asynchronous streaming, which the drill promotes",
    "a write to a global table is in all regions at once",
)
_NAMES = Names(database="orders", master="orders_master")
_CLUSTER = "orders"
_CLIENT = "drill-client"  # the IAM user that sends orders
_HOME_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a drill is given besides its place."""

    roll_out: Callable[[], None]
    take_down: Callable[[], tuple[str, ...]]  # gives what is left afterwards
    replayer: Callable[[], bytes]  # the package of order-replayer that was rolled out
    budget: Budget
    log: Log
    keep: Callable[[Report], None] = lambda _: None  # called before the curtain falls


def drill(place: Place, options: Options, means: Means) -> Report:
    """Play the drill on an engine that has nothing on it yet; leave nothing on it.

    Raises DrillError if it cannot be played; what it shows is in the report.
    """
    from tap_templates.local.tls import Door, certificate  # noqa: PLC0415 - of the development environment

    log, wire = means.log, place.wires()
    with ExitStack() as stack:
        files = certificate(place.scratch)
        databases = stack.enter_context(
            Databases(_NAMES, files, writer=place.primary, copy=place.secondary)
        )
        log.tell(DRILL, "two PostgreSQL servers run, the second copies the first")
        traffic = Traffic(resolve=lambda: resolver(place), post=poster(_client(wire, place)))
        stage = Stage(
            place=place,
            options=options,
            budget=means.budget,
            log=log,
            databases=databases,
            traffic=stack.enter_context(traffic),
            wire=wire,
        )
        driver = stack.enter_context(Driver(stage.move))
        for region in (place.primary, place.secondary):
            cluster = place.name(Kind.CLUSTER, _CLUSTER, region)
            port = databases.port(region)
            register(place.engine, cluster=cluster, region=region, port=port, driver=driver)
        https = stack.enter_context(Door(place.engine.port, files, is_asked=False))
        open_door(place.engine, https.port, files.chain)
        means.roll_out()
        log.tell(DRILL, f"{SYSTEM} is rolled out")
        if not options.replays:
            leave_out_replay(place, wire, means.replayer())
        acts = _play(stage)
        report = Report(
            system=SYSTEM,
            acts=acts,
            is_control=not options.replays,
            shortened=SHORTENED,
            simulated=SIMULATED,
        )
        means.keep(report)
        _send_home(stage)
        left = means.take_down()
        log.tell(DRILL, "all is destroyed")
    return replace(report, left=left)


def _play(stage: Stage) -> tuple[Act, ...]:
    with watched(stage):
        warm_up(stage)
        first = fail_over(stage)
        if not stage.options.returns or first.problems:
            return (first,)
        return (first, fail_back(stage))


def _client(wire: Wire, place: Place) -> Key:
    """Make the IAM user that signs: orders have an owner, who is somebody."""
    where = place.secondary
    policy = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    wire.call(where, "iam", "create_user", UserName=_CLIENT)
    wire.call(
        where,
        "iam",
        "put_user_policy",
        UserName=_CLIENT,
        PolicyName="orders",
        PolicyDocument=document,
    )
    made = wire.call(where, "iam", "create_access_key", UserName=_CLIENT)["AccessKey"]
    return Key(made["AccessKeyId"], made["SecretAccessKey"])


def _send_home(stage: Stage) -> None:
    """Give the clusters their roles back, without their data: who writes cannot be destroyed."""
    place, stage.is_over = stage.place, True
    place.control("heal", region=place.primary)
    name = place.name(Kind.GLOBAL_CLUSTER, _CLUSTER)

    def members() -> dict[str, bool]:
        (found,) = stage.wire.call(place.secondary, "rds", "describe_global_clusters")[
            "GlobalClusters"
        ]
        is_moving = found["Status"] != "available"
        return {
            each["DBClusterArn"]: each["IsWriter"] and not is_moving
            for each in found["GlobalClusterMembers"]
        }

    home = next(arn for arn in members() if f":{place.primary}:" in arn)
    if not members()[home]:
        stage.wire.call(
            place.secondary,
            "rds",
            "switchover_global_cluster",
            GlobalClusterIdentifier=name,
            TargetDbClusterIdentifier=home,
        )
    stuck = DrillError("drill", "the clusters do not get their roles back", "stop the engine")
    wait_until(lambda: members()[home], stuck, seconds=_HOME_SECONDS)
