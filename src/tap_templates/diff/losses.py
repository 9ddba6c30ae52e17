"""Say where a change loses data, by what the resource stores and by its policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html
"""

from dataclasses import replace
from typing import Any, Final

from tap_templates.diff import documented
from tap_templates.diff.draft import Draft
from tap_templates.diff.model import Action, Flag, FlagName, Replacement, Resource
from tap_templates.diff.schemas import schema_of
from tap_templates.diff.view import default_policies, is_stateful

_KEEPS: Final = frozenset({"Retain", "RetainExceptOnCreate"})
_POLICIES: Final = ("DeletionPolicy", "UpdateReplacePolicy")


def flag_losses(draft: Draft) -> None:
    """Add a flag, or why there is none, to the change of a resource."""
    if draft.section != "Resources" or draft.cosmetic:
        return
    if draft.action is Action.REMOVE and draft.before:
        # The stack still has the old template's policy when it deletes what is gone from the new.
        _judge(draft, draft.before, "DeletionPolicy", "removing it")
    elif draft.replacement is not Replacement.NEVER and draft.after and draft.before:
        # The old one is lost, by the new template's policy.
        lost = replace(draft.after, type=draft.before.type)
        _judge(draft, lost, "UpdateReplacePolicy", "replacing it")
    if draft.action is Action.MODIFY:
        _judge_condition(draft)
        _judge_policies(draft)


def policy_of(resource: Resource, name: str) -> Any:
    """Give a policy as it works: what is not said, and what the type cannot do, is the default."""
    default = default_policies(resource.type, resource.properties)[name]
    found = resource.attributes.get(name, default)
    if found == "Snapshot" and resource.type not in documented.TAKES_SNAPSHOT:
        return "Delete"
    return found


def _judge(draft: Draft, resource: Resource, policy: str, doing: str) -> None:
    found = policy_of(resource, policy)
    if not is_stateful(resource.type):
        if schema_of(resource.type) is None:
            draft.explain(f"whether a {resource.type} stores data is not known")
        return
    if isinstance(found, str) and found in _KEEPS:
        draft.explain(f"{doing} keeps the old one, outside the stack ({policy} is {found})")
    elif found == "Snapshot":
        draft.explain(f"{doing} deletes the old one after a last snapshot ({policy} is Snapshot)")
    else:
        said = f"{policy} is {found}" if isinstance(found, str) else f"{policy} is not known here"
        reason = f"{doing} deletes the old one and what it stores ({said})"
        if resource.type in documented.MUST_BE_EMPTY:
            reason += "; it fails as long as anything is in it"
        is_certain = draft.certain and draft.replacement is not Replacement.MAY
        draft.flags.append(Flag(FlagName.DATA_LOSS, reason, certain=is_certain))


def _judge_condition(draft: Draft) -> None:
    """Flag what may cease to exist, since nobody here knows its condition."""
    if draft.before is None or not any(
        each.path[:1] == ("Condition",) for each in draft.differences
    ):
        return
    if is_stateful(draft.before.type) and policy_of(draft.before, "DeletionPolicy") == "Delete":
        reason = "it may be removed with what it stores, should its condition be false"
        draft.flags.append(Flag(FlagName.DATA_LOSS, reason, certain=False))


def _judge_policies(draft: Draft) -> None:
    """Flag a policy that kept data and does not any more."""
    old, new = draft.before, draft.after
    if old is None or new is None or not is_stateful(new.type):
        return
    for name in _POLICIES:
        was, now = policy_of(old, name), policy_of(new, name)
        if was != now and (now == "Delete" or not isinstance(now, str)):
            occasion = "deleted" if name == "DeletionPolicy" else "replaced"
            reason = f"from now on, what it stores is lost when it is {occasion} ({name} was {was})"
            draft.flags.append(Flag(FlagName.DATA_LOSS, reason))
