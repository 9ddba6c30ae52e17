"""What a resource policy denies counts by itself: others may be allowed it elsewhere."""

import pytest

from tap_templates.diff.model import FlagName
from tap_templates.diff.security.permissions.analyser import judge_permissions

BROADER, NARROWER = FlagName.IAM_BROADENING, FlagName.IAM_NARROWING
THINGS = "arn:aws:s3:::audit/*"
INSECURE = {"Bool": {"aws:SecureTransport": "false"}}
READ = {"Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": "s3:GetObject",
        "Resource": THINGS}  # fmt: skip


def _deny(action, **rest):
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": THINGS, **rest}


def _bucket_policy(*statements):
    properties = {"Bucket": "audit", "PolicyDocument": {"Statement": list(statements)}}
    return {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}


def _names(flags):
    return [each.name for each in flags]


LESS_DENIED = [
    (_bucket_policy(_deny("s3:*", Condition=INSECURE)), {}),
    (_bucket_policy(_deny("s3:DeleteObject"), READ), _bucket_policy(READ)),
    (_bucket_policy(_deny("s3:*")), _bucket_policy(_deny("s3:GetObject"))),
    (_bucket_policy(_deny("s3:*")), _bucket_policy(_deny("s3:*", Condition=INSECURE))),
]


@pytest.mark.parametrize(("before", "after"), LESS_DENIED)
def test_what_is_no_longer_denied_broadens(judge, before, after):
    (flag,) = judge(judge_permissions, before, after)
    assert (flag.name, flag.certain) == (BROADER, True)
    assert "no longer denied is s3:" in flag.because


@pytest.mark.parametrize(("after", "before"), LESS_DENIED)
def test_what_is_newly_denied_never_broadens(judge, before, after):
    assert _names(judge(judge_permissions, before, after)) == [NARROWER]


def test_denials_in_other_words_are_silent(judge):
    before = _bucket_policy(_deny(["s3:DeleteObject", "s3:PutObject"]))
    after = _bucket_policy(_deny("s3:PutObject"), _deny("s3:DeleteObject"))
    assert judge(judge_permissions, before, after) == []


def test_a_denial_of_what_only_a_key_s_own_policy_could_allow_is_none(judge):
    def key(*statements):
        use = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt",
               "Resource": "*"}  # fmt: skip
        policy = {"Statement": [use, *statements]}
        return {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}}

    denied = {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}
    assert judge(judge_permissions, key(denied), key()) == []
    assert _names(judge(judge_permissions, key({**denied, "Action": "kms:*"}), key())) == [BROADER]


def _managed(*roles):
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    properties = {"PolicyDocument": document, "Roles": list(roles)}
    return {"Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}}


def test_a_managed_policy_that_one_more_role_elsewhere_takes_broadens(judge):
    (flag,) = judge(judge_permissions, _managed("one"), _managed("one", "two"))
    assert (flag.name, flag.certain) == (BROADER, True)
    assert "two may do more" in flag.because
    assert judge(judge_permissions, _managed("one", "two"), _managed("two", "one")) == []


def test_a_user_that_enters_a_group_may_do_more(judge):
    def user(*groups):
        return {"User": {"Type": "AWS::IAM::User", "Properties": {"Groups": list(groups)}}}

    assert _names(judge(judge_permissions, user("a"), user("a", "admins"))) == [BROADER]
    assert _names(judge(judge_permissions, user("a", "admins"), user("a"))) == [NARROWER]
    assert judge(judge_permissions, user("a", "b"), user("b", "a")) == []
