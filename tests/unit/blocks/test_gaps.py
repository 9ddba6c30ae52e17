"""What the pinned troposphere lacks, and still lacks: fails when upstream fills a gap."""

import inspect
import tomllib

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from troposphere import AWSProperty, awslambda

from tap_templates.blocks import gaps

GAPS = {  # our class: (troposphere's, the property it lacks)
    gaps.FunctionLoggingConfig: (awslambda.LoggingConfig, "LogFormat"),
    gaps.MappingScalingConfig: (awslambda.ScalingConfig, "MaximumConcurrency"),
}


def test_every_subclass_is_listed_here():
    ours = {
        each
        for each in vars(gaps).values()
        if inspect.isclass(each) and issubclass(each, AWSProperty)
    }
    assert ours == set(GAPS)


@pytest.mark.parametrize(("ours", "upstream", "lacking"), [(k, *v) for k, v in GAPS.items()])
def test_the_gap_still_exists_or_our_subclass_can_go(ours, upstream, lacking):
    assert lacking not in upstream.props, f"troposphere has {lacking} again: delete {ours.__name__}"
    assert lacking in ours.props


@pytest.mark.parametrize(
    ("ours", "kind", "name"),
    [
        (gaps.FunctionLoggingConfig, "AWS::Lambda::Function", "LoggingConfig"),
        (gaps.MappingScalingConfig, "AWS::Lambda::EventSourceMapping", "ScalingConfig"),
    ],
)
def test_the_filled_gap_is_what_the_schema_says(ours, kind, name):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    assert set(ours.props) == set(schema["definitions"][name]["properties"])


def test_troposphere_is_pinned_exactly(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert "troposphere==4.11.1" in project["dependencies"]
