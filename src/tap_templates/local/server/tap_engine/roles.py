"""What a role may do, where something here asks: the rest of IAM is not enforced."""

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam


def may(role_arn: str, service: str, action: str, resource: str) -> bool:
    """Say whether a service may take a role, and the role then do `action` on `resource`.

    Conditions of the trust, and conditions on what only AWS knows, are not looked at.
    """
    name = role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(get_account_id(), None, name)
    if role is None or service not in str(role["AssumeRolePolicyDocument"]):
        return False
    asked = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
    policies = iam_evaluator._gather_role_policies(name, get_account_id())
    return bool(iam_evaluator.evaluate(asked, policies).decision == "Allow")
