"""A name with a latch, as it is rendered, and what the block refuses."""

from typing import Any

import pytest
from troposphere import Ref
from unit.blocks import latched_pair

from tap_templates.blocks.dns_failover import Answers, Watch
from tap_templates.blocks.dns_latch import latched_name
from tap_templates.compiler.lint import Linter, LintJob
from tap_templates.errors import ModelError


def config(title: str) -> dict[str, Any]:
    resource = latched_pair.rendered()["dns"].template["Resources"][title]
    found: dict[str, Any] = resource["Properties"]["HealthCheckConfig"]
    return found


def test_the_primary_is_healthy_if_its_endpoint_is_and_the_latch_is_not_set():
    template = latched_pair.rendered()["dns"].template
    records = template["Resources"]
    followed = records["BooksPrimaryRecord"]["Properties"]["HealthCheckId"]
    assert followed == {"Ref": "BooksHealthCheck"}
    assert "HealthCheckId" not in records["BooksSecondaryRecord"]["Properties"]
    assert config("BooksHealthCheck") == {
        "Type": "CALCULATED",
        "ChildHealthChecks": [{"Ref": "BooksEndpointCheck"}, {"Ref": "BooksLatchCheck"}],
        "HealthThreshold": 2,
    }


def test_the_latch_is_a_text_that_the_secondary_serves_asked_the_other_way_round():
    endpoint, latch = config("BooksEndpointCheck"), config("BooksLatchCheck")
    assert (endpoint["Type"], "Inverted" in endpoint) == ("HTTPS", False)
    assert (latch["Type"], latch["Inverted"]) == ("HTTPS_STR_MATCH", True)
    assert latch["SearchString"] == '"latched"'
    hosts = [each["FullyQualifiedDomainName"]["Fn::Sub"] for each in (endpoint, latch)]
    assert hosts[0].startswith("${PrimaryApiId}.execute-api.${PrimaryRegion}.")
    assert hosts[1].startswith("${SecondaryApiId}.execute-api.${SecondaryRegion}.")
    assert endpoint["RequestInterval"] == latch["RequestInterval"] == 10


def test_no_value_of_its_parameters_takes_longer_than_a_minute():
    declared = latched_pair.rendered()["dns"].template["Parameters"]
    assert declared["UnhealthyChecks"]["MaxValue"] == 2
    assert declared["RecordTtl"]["MaxValue"] == 10


def test_a_latch_that_any_answer_sets_is_refused():
    with pytest.raises(ModelError, match="latch of Books: is set by whatever"):
        latched_name(
            "Books", "api", Answers(primary="a", secondary="b"), Watch(host="a", path="/"),
            latch=Watch(host="b", path="/"), zone=Ref("Zone"),
        )  # fmt: skip


def test_the_linter_takes_it_in_both_regions():
    stack = latched_pair.rendered()["dns"]
    jobs = [LintJob("books", stack.name, ("us-east-1", "us-west-2"), stack.body)]
    results = Linter(None).lint(jobs, lambda _: None)
    assert [finding for result in results.values() for finding in result.findings] == []
