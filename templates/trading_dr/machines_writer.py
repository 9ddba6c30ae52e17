"""The writer of the global database: ordered elsewhere, and looked for until it is there."""

from collections.abc import Mapping
from datetime import timedelta

from tap_templates.blocks.state_calls import SdkCall
from tap_templates.blocks.state_choices import at_least
from tap_templates.blocks.state_errors import ALL, Catch, Retry
from tap_templates.blocks.states import Choice, State, Task, Wait, When
from tap_templates.blocks.text import Text
from templates.trading_dr.machines_parts import (
    AGAIN,
    TELL,
    Surroundings,
    count,
    is_moving,
    is_writer,
)

LOOKS = "looks"
_TIMEOUT = timedelta(seconds=30)
_MOST_LOOKS = 60
_BETWEEN_LOOKS = timedelta(seconds=10)
_LOOKS_A_REFUSAL = 20  # counts for so many: what is refused three times is given up
# What RDS answers when the order is carried out already, or the cluster is not ready for it: the
# next look decides. Step Functions names errors as the SDK for Java does, which says Exception
# where the API says Fault and writes Db; a name that is not met is caught with all the others.
# https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
_WRONG_STATE = ("Rds.InvalidDbClusterStateException", "Rds.InvalidGlobalClusterStateException")
_NOT_AGAIN = Retry(
    errors=_WRONG_STATE, interval=timedelta(seconds=1), most_attempts=0, jitter=False
)


def look_at_writer(given: Surroundings, then: str) -> Task:
    """Ask RDS of this region for the global database."""
    return Task(
        call=SdkCall(
            service="rds",
            operation="describeGlobalClusters",
            given={"GlobalClusterIdentifier": given.global_cluster},
            allowed={"rds:DescribeGlobalClusters": [given.global_cluster_arn]},
        ),
        timeout=_TIMEOUT,
        result={"global.$": "$.GlobalClusters[0]"},
        keep_at="$.database",
        retry=(AGAIN,),
        catch=TELL,
        then=then,
    )


def move_writer(
    given: Surroundings,
    operation: str,
    *,
    order: str,
    to: str,
    then: str,
    stuck: Mapping[str, str],
) -> dict[str, State]:
    """Look, order if nobody has, wait, look again, for about ten minutes.

    `order` names the state that orders; `to` is `cluster` or `otherCluster`. `stuck` says where to
    go when it takes too long: `moving` if the writer is on its way, `still` if it is not.
    """
    target, target_path = _target(given, to)
    more: dict[str, object] = {"AllowDataLoss": True} if operation.startswith("failover") else {}
    action = f"rds:{operation[0].upper()}{operation[1:]}"
    resources = [given.global_cluster_arn, given.cluster, given.other_cluster]
    overdue = at_least(f"$.{LOOKS}.n", _MOST_LOOKS)
    return {
        "Look": look_at_writer(given, "WhoWrites"),
        "WhoWrites": Choice(
            recovers="an order that was refused may have been given before: the writer says",
            when=(When(is_writer(target_path), then), When(overdue, "IsOnItsWay")),
            otherwise="IsOrdered",
        ),
        "IsOnItsWay": Choice(when=(When(is_moving(), stuck["moving"]),), otherwise=stuck["still"]),
        "IsOrdered": Choice(when=(When(is_moving(), "AwaitWriter"),), otherwise=order),
        order: Task(
            call=SdkCall(
                service="rds",
                operation=operation,
                given={
                    "GlobalClusterIdentifier": given.global_cluster,
                    "TargetDbClusterIdentifier": target,
                    **more,
                },
                allowed={action: resources},
            ),
            timeout=_TIMEOUT,
            result={"status.$": "$.GlobalCluster.Status"},
            keep_at="$.ordered",
            retry=(_NOT_AGAIN, AGAIN),
            catch=(
                Catch(errors=_WRONG_STATE, then="AwaitWriter", keep_at="$.refused"),
                Catch(errors=(ALL,), then="CountRefusal", keep_at="$.refused"),
            ),
            then="AwaitWriter",
        ),
        "CountRefusal": count(
            LOOKS, "AwaitWriter", by=_LOOKS_A_REFUSAL, comment="An order that was refused"
        ),
        "AwaitWriter": Wait(duration=_BETWEEN_LOOKS, then="CountLook"),
        "CountLook": count(LOOKS, "Look"),
    }


def _target(given: Surroundings, to: str) -> tuple[Text, str]:
    found = {"cluster": given.cluster, "otherCluster": given.other_cluster}
    return found[to], f"$.system.{to}"
