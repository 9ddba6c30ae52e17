"""The machines that make a region the active one and give the orders back, and what they call.

In both regions, and run in the one that is to serve. Nothing they do needs the other region, or a
control plane that lives in one: a check of the compiler reads that from the roles on the path.
"""

from troposphere import GetAtt, Ref

from tap_templates.blocks.alarm import alarm
from tap_templates.blocks.function import request_function
from tap_templates.blocks.function_role import FunctionNetwork
from tap_templates.blocks.key import ServiceKey, service_key, use_by_log_groups
from tap_templates.blocks.stack import StackTemplate
from tap_templates.blocks.state_machine import state_machine, timed_out
from tap_templates.blocks.text import arn_text, sub
from tap_templates.model.names import OWN_REGION, PRIMARY_REGION, SECONDARY_REGION
from templates.trading_dr.machines import Surroundings, failback_definition, failover_definition
from templates.trading_dr.machines_parts import RECOVERY_TIMEOUT
from templates.trading_dr.shared import (
    ALARM_KEY,
    ALARMS,
    API_URL,
    CLUSTER,
    CONSUMER,
    DATABASE_LOGIN,
    FAILBACK_MACHINE,
    FAILOVER,
    FAILOVER_MACHINE,
    RECOVERY,
    RECOVERY_PACKAGE,
    code,
    database_settings,
    in_network,
    log_in,
    role_environment,
)


def primary() -> StackTemplate:
    """The machines of the primary region."""
    return _build(PRIMARY_REGION, SECONDARY_REGION)


def secondary() -> StackTemplate:
    """The machines of the secondary region."""
    return _build(SECONDARY_REGION, PRIMARY_REGION)


def _build(here: str, other: str) -> StackTemplate:
    stack = StackTemplate("trading-dr: the machines of failover and failback")
    for parameter in (*DATABASE_LOGIN, ALARM_KEY, API_URL, CONSUMER):
        stack.parameter(parameter)
    log_key = service_key(
        "Log",
        "order-recovery-log",
        "Encrypts the logs of the machines and what they call",
        use_by_log_groups(
            FAILBACK_MACHINE.log_group, FAILOVER_MACHINE.log_group, RECOVERY.log_group
        ),
    )
    stack.add(*log_key)
    _recovery(stack, in_network(stack), log_key, other)
    _machines(stack, log_key, _surroundings(here, other))
    return stack


def _recovery(
    stack: StackTemplate, network: FunctionNetwork, log_key: ServiceKey, other: str
) -> None:
    settings = database_settings(
        RECOVERY,
        "Proves what a failover has done, before the next step",
        network=network,
        environment={
            "API_URL": API_URL.ref,
            **role_environment(),
            "OTHER_REGION": sub(other),
        },
        timeout=RECOVERY_TIMEOUT,
        concurrency=5,
    )
    made = request_function(
        "Recovery",
        RECOVERY,
        code(stack, "Recovery", RECOVERY_PACKAGE),
        settings,
        FAILOVER.get_items(),
        log_in(),
        log_key=log_key,
    )
    failing = alarm(
        "RecoveryErrors",
        "order-recovery-errors",
        RECOVERY.metric("Errors"),
        above=50,
        tell=ALARMS,
        means="The steps of a failover are refused again and again: follow the run.",
    )
    stack.add(*made, failing)
    stack.output("RecoveryRoleArn", "What steps are proved with", GetAtt(made.role, "Arn"))


def _surroundings(here: str, other: str) -> Surroundings:
    return Surroundings(
        home=sub(PRIMARY_REGION),
        global_cluster=sub(CLUSTER.global_name),
        global_cluster_arn=sub(arn_text("rds", f"global-cluster:{CLUSTER.global_name}", region="")),
        cluster=sub(arn_text("rds", f"cluster:{CLUSTER.name_in(here)}", region=here)),
        other_cluster=sub(arn_text("rds", f"cluster:{CLUSTER.name_in(other)}", region=other)),
        consumer=CONSUMER.ref,
        consumer_arn=sub(
            arn_text("lambda", f"event-source-mapping:${{{CONSUMER.name}}}", region=OWN_REGION)
        ),
        topic_key=ALARM_KEY.ref,
    )


def _machines(stack: StackTemplate, log_key: ServiceKey, given: Surroundings) -> None:
    for title, reference, definition, means in (
        (
            "Failover",
            FAILOVER_MACHINE,
            failover_definition(given),
            "A failover did not get through: see docs/trading-dr/orchestrator.md.",
        ),
        (
            "Failback",
            FAILBACK_MACHINE,
            failback_definition(given),
            "A failback did not get through: see docs/trading-dr/failback.md.",
        ),
    ):
        made = state_machine(
            title, reference, definition, log_key=log_key, tell=ALARMS, means=means
        )
        late = timed_out(
            title, reference, tell=ALARMS, means=f"{means} It was cut off after hours."
        )
        stack.add(*made, late)
        stack.output(f"{title}MachineArn", f"The machine of {title.lower()}", Ref(made.machine))
