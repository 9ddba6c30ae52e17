"""A system that contradicts itself is refused on construction, with the place and the way out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tap_templates.blocks.stack import StackTemplate
from tap_templates.errors import ModelError
from tap_templates.model.package import Package
from tap_templates.model.system import (
    Objectives,
    OutputHere,
    OutputOf,
    PackageKey,
    Regions,
    Stack,
    System,
    Where,
)


def stack(name, **changes):
    return replace(Stack(name=name, build=lambda: StackTemplate(name), where=Where.BOTH), **changes)


def system(*stacks, **changes):
    return System(
        name="ledger",
        application="Ledger",
        regions=Regions(primary="eu-west-1", secondary="eu-central-1"),
        objectives=Objectives(rto=timedelta(minutes=15), rpo=timedelta(minutes=1)),
        stacks=stacks,
        **changes,
    )


def refused(*stacks, **changes):
    with pytest.raises(ModelError) as caught:
        system(*stacks, **changes)
    return str(caught.value), caught.value.remedy


def test_a_consistent_system_is_accepted():
    made = system(
        stack("network", where=Where.SECONDARY),
        stack(
            "links",
            depends_on=("network",),
            parameters={"VpcId": OutputOf("network", "VpcId", Where.SECONDARY)},
        ),
    )
    assert made.stack("links") is made.stacks[1]
    assert made.stack("nowhere") is None


def test_a_dependency_on_no_stack_is_refused():
    what, remedy = refused(stack("bus", depends_on=("tabel",)), stack("table"))
    assert what == "ledger/bus: depends on stack 'tabel', which does not exist"
    assert remedy == "the stacks are bus, table"


def test_a_cycle_is_told_whole():
    what, remedy = refused(
        stack("a", depends_on=("c",)), stack("b", depends_on=("a",)), stack("c", depends_on=("b",))
    )
    assert what == "ledger/a: depends on itself: a → c → b → a"
    assert "take one of these dependencies out" in remedy


def test_a_stack_rolled_out_before_its_dependency_is_refused():
    what, remedy = refused(stack("bus", depends_on=("table",)), stack("table"))
    assert what == "ledger/bus: is rolled out before 'table', on which it depends"
    assert remedy == "list 'table' before 'bus'"


def test_an_output_of_a_stack_it_does_not_depend_on_is_refused():
    what, remedy = refused(
        stack("network"),
        stack("links", parameters={"VpcId": OutputOf("network", "VpcId", Where.PRIMARY)}),
    )
    assert "on which it does not depend" in what
    assert remedy == "add 'network' to depends_on of 'links'"


def test_an_output_may_come_from_a_stack_further_up():
    system(
        stack("network"),
        stack("database", depends_on=("network",)),
        stack(
            "links",
            depends_on=("database",),
            parameters={"VpcId": OutputOf("network", "VpcId", Where.PRIMARY)},
        ),
    )


def test_an_output_from_a_region_without_the_stack_is_refused():
    what, remedy = refused(
        stack("endpoint", where=Where.PRIMARY),
        stack(
            "board",
            depends_on=("endpoint",),
            parameters={"CheckId": OutputOf("endpoint", "CheckId", Where.SECONDARY)},
        ),
    )
    assert "in the secondary region, but that stack is only in the primary one" in what
    assert "take it from the primary region" in remedy


def test_an_output_of_ones_own_region_needs_the_stack_in_all_of_ones_regions():
    taken = {"VpcId": OutputHere("network", "VpcId")}
    user = stack("app", depends_on=("network",), parameters=taken)
    assert system(stack("network"), user)
    what, remedy = refused(stack("network", where=Where.PRIMARY), user)
    assert "takes output 'VpcId' of 'network' in both regions" in what
    assert "only in the primary one" in what
    assert remedy == "take it from the primary region, or deploy 'network' in both"
    elsewhere = stack("app", where=Where.SECONDARY, depends_on=("network",), parameters=taken)
    assert system(stack("network", where=Where.SECONDARY), elsewhere)


@pytest.mark.parametrize("name", ["market-events", "../x", "", "Market"])
def test_a_shared_folder_is_a_folder_of_handlers(name):
    with pytest.raises(ModelError, match="which is no folder of handlers/"):
        Package(name="booker", shared=(name,))


def test_an_output_of_both_regions_is_refused():
    with pytest.raises(ModelError, match="taken from both regions") as caught:
        OutputOf("network", "VpcId", Where.BOTH)
    assert "Where.PRIMARY or Where.SECONDARY" in caught.value.remedy


def test_an_undeclared_package_is_refused():
    what, remedy = refused(
        stack("work", parameters={"CodeKey": PackageKey("booker")}),
        packages=(Package(name="baker"),),
    )
    assert what == "ledger/work: runs package 'booker', which the system does not declare"
    assert remedy == "add it to packages; they are baker"


@pytest.mark.parametrize("kind", ["stack", "package"])
def test_two_things_of_one_name_are_refused(kind):
    stacks = (stack("bus"), stack("bus")) if kind == "stack" else (stack("bus"),)
    packages = (Package(name="p"), Package(name="p")) if kind == "package" else ()
    what, remedy = refused(*stacks, packages=packages)
    assert f"has two {kind}s called" in what
    assert remedy == "rename one of them"


@pytest.mark.parametrize(
    ("primary", "secondary", "witness"),
    [("r1", "r1", None), ("r1", "r2", "r2"), ("r1", "r2", "r1")],
)
def test_regions_must_be_distinct(primary, secondary, witness):
    with pytest.raises(ModelError, match="are not distinct"):
        Regions(primary=primary, secondary=secondary, witness=witness)


def test_regions_are_listed_primary_first():
    regions = Regions(primary="r1", secondary="r2", witness="r3")
    assert [regions.of(where) for where in Where] == [("r1",), ("r2",), ("r1", "r2"), ("r3",)]


def test_without_a_witness_nothing_is_in_one():
    with pytest.raises(ModelError, match="have no witness"):
        Regions(primary="r1", secondary="r2").of(Where.WITNESS)


@pytest.mark.parametrize("name", ["", "Booker", "a_b", "-a", "a--b", "../a", "a b"])
def test_a_package_name_is_lower_case_words(name):
    with pytest.raises(ModelError, match="no name of lower-case words"):
        Package(name=name)


def test_a_package_knows_its_folder_and_handler():
    package = Package(name="order-api")
    assert (package.folder, package.handler) == ("order_api", "order_api.app.handler")
