"""The naming rule X-01, which is a contract: these texts must not change."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_templates.errors import ModelError
from tap_templates.model.names import (
    ARTIFACT_BUCKET,
    LONGEST_REGION,
    LONGEST_SUFFIX,
    Kind,
    Name,
    Scope,
)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.TABLE, "table-trading-events-${EnvironmentSuffix}"),
        (Kind.QUEUE, "queue-trading-events-${EnvironmentSuffix}"),
        (Kind.CLUSTER, "cluster-trading-events-${EnvironmentSuffix}-${AWS::Region}"),
        (Kind.GLOBAL_CLUSTER, "global-cluster-trading-events-${EnvironmentSuffix}"),
        (Kind.SECRET, "secret-trading-events-${EnvironmentSuffix}"),
        (Kind.VAULT, "vault-trading-events-${EnvironmentSuffix}"),
        (Kind.ROLE, "role-trading-events-${EnvironmentSuffix}-${AWS::Region}"),
        (Kind.DASHBOARD, "dashboard-trading-events-${EnvironmentSuffix}-${AWS::Region}"),
        (
            Kind.BUCKET,
            "bucket-trading-events-${EnvironmentSuffix}-${AWS::Region}-${AWS::AccountId}",
        ),
    ],
)
def test_a_name_says_kind_purpose_suffix_and_where_it_must_be_unique(kind, expected):
    assert Name(kind, "trading-events").text() == expected


def test_a_name_of_another_region_can_be_computed():
    name = Name(Kind.ROLE, "api").text("${SecondaryRegion}")
    assert name == "role-api-${EnvironmentSuffix}-${SecondaryRegion}"


def test_the_artifact_bucket_belongs_to_the_account_and_region():
    assert ARTIFACT_BUCKET == "bucket-artifacts-${AWS::Region}-${AWS::AccountId}"


@pytest.mark.parametrize("purpose", ["", "Trading", "a_b", "a--b", "-a", "a-", "a b", "ä"])
def test_a_purpose_is_lower_case_words(purpose):
    with pytest.raises(ModelError, match="no purpose of lower-case words"):
        Name(Kind.TABLE, purpose)


@given(
    kind=st.sampled_from(Kind), words=st.lists(st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True))
)
def test_whatever_name_is_accepted_fits_the_service_in_every_region(kind, words):
    try:
        text = Name(kind, "-".join(words)).text()
    except ModelError:
        return
    longest = (
        text.replace("${EnvironmentSuffix}", "s" * LONGEST_SUFFIX)
        .replace("${AWS::Region}", "r" * LONGEST_REGION)
        .replace("${AWS::AccountId}", "1" * 12)
    )
    assert len(longest) <= kind.longest
    assert re.fullmatch(r"[a-z0-9-]+", longest)
    assert (kind.scope is Scope.REGION) == ("${AWS::Region}" not in text)


def test_a_purpose_that_can_get_too_long_is_refused_with_the_excess():
    fits = "p" * (64 - len("role") - 2 - LONGEST_SUFFIX - 1 - LONGEST_REGION)
    Name(Kind.ROLE, fits)
    with pytest.raises(ModelError, match="can become 65 characters long") as caught:
        Name(Kind.ROLE, fits + "p")
    assert caught.value.remedy == "shorten the purpose by 1"
