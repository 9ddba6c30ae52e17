"""What holds for every rule: its identity, its texts, and that it never breaks the linter."""

import subprocess
import sys

import pytest

from tap_templates.rules import RULE_MODULES, RULES_DIR, rule_classes

RULES = rule_classes()
RANGES = {
    "E90": "events",
    "E91": "dynamodb",
    "W91": "dynamodb",
    "E92": "",
    "W92": "",
    "E93": "",
    "E94": "",
    "E95": "ec2",
    "E96": "",
    "E97": "rds",
    "E98": "route53",
    "E99": "",
}


def test_ids_are_unique_and_in_their_range():
    ids = [rule.id for rule in RULES]

    assert len(ids) == len(set(ids))
    assert ids == sorted(ids)
    for rule in RULES:
        assert len(rule.id) == 5
        assert rule.id[:3] in RANGES
        assert RANGES[rule.id[:3]] in {"", *rule.tags}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_it_is_and_where_aws_says_so(rule):
    assert rule.shortdesc
    assert not rule.shortdesc.endswith(".")
    assert rule.description.endswith(".")
    assert rule.description != rule.shortdesc
    assert rule.source_url.startswith("https://docs.aws.amazon.com/")
    assert "resources" in rule.tags
    assert rule.__doc__


def test_every_file_is_registered_or_shared():
    """A file of rules that is not in RULE_MODULES would never run."""
    with_rules = {p.stem for p in RULES_DIR.glob("*.py") if "\nRULES = (" in p.read_text()}

    assert with_rules == set(RULE_MODULES)


def test_importing_the_package_does_not_import_the_linter():
    code = (
        "import sys; from tap_templates.rules import RULES_DIR; assert RULES_DIR.is_dir();"
        "assert not {'cfnlint', 'sympy'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_no_member_of_the_package():
    import tap_templates.rules

    assert {rule.__name__ for rule in RULES} < set(dir(tap_templates.rules))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = tap_templates.rules.Nothing


def test_the_rules_share_one_index_of_a_template(our_rules):
    """A rule must not cost another walk over the template."""
    from cfnlint.template.template import Template

    cfn = Template(None, {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}, ["us-east-1"])
    index_class = type(next(iter(our_rules.values()))).match.__globals__["Index"]

    for rule in our_rules.values():
        rule.match(cfn)

    assert index_class.of(cfn) is index_class.of(cfn)
    assert len([known for known in index_class._known if known is cfn]) == 1


def test_the_index_does_not_keep_a_template_alive(our_rules):
    """Hundreds of templates may be linted in one process."""
    import gc
    import weakref

    from cfnlint.template.template import Template

    cfn = Template(None, {"Resources": {}}, ["us-east-1"])
    for rule in our_rules.values():
        rule.match(cfn)
    gone = weakref.ref(cfn)
    del cfn
    gc.collect()

    assert gone() is None


def test_the_folder_can_be_given_to_the_linters_config(empty_config):
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    runner = Runner(ConfigMixIn(append_rules=[str(RULES_DIR)], config_file=empty_config))

    assert {rule.id for rule in RULES} <= set(runner.rules)
