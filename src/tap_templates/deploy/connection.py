"""Put the cloud together that a rollout uses: boto3, with retries. Makes no call."""

from collections.abc import Callable

from tap_templates.deploy.boto_cloud import BotoCloud
from tap_templates.deploy.cloud import Sessions, Wire
from tap_templates.deploy.desired import Desired
from tap_templates.deploy.retrying import Backoff, RetryingCloud


def connect(
    sessions: Sessions,
    desired: Desired,
    *,
    sleep: Callable[[float], None],
    random: Callable[[], float],
    also: tuple[str, ...] = (),
    endpoint_url: str | None = None,
) -> RetryingCloud:
    """Reach the target's account in the pair's regions, or what answers at `endpoint_url`.

    `also` are regions beyond the pair, in which the account has what it needs once.
    The session is made with the first call. Raises CredentialsError there if there are none.
    """
    wire = Wire(sessions=sessions, regions=(*desired.regions, *also), endpoint_url=endpoint_url)
    cloud = BotoCloud(wire=wire, account=desired.target.account, home=desired.home)
    return RetryingCloud(cloud=cloud, again=Backoff(sleep=sleep, random=random))
