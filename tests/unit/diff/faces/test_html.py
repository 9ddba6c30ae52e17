"""The page: alone, closed to everything else, and with structures where there are any."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from tap_templates.diff.api import compare_templates
from tap_templates.diff.faces import html
from tap_templates.diff.faces.grouping import tell
from tap_templates.diff.faces.html_bodies import bodies
from tap_templates.diff.faces.html_tags import Html, join, tag
from tap_templates.diff.model import Flag, FlagName, PropertyChange, Template


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and the texts outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.code: dict[str, str] = {"script": "", "style": ""}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.code:
            self.code[self.open[-1]] += data
        else:
            self.text += data


def machine(**states):
    return {"StartAt": next(iter(states)), "States": states}


def compared(kind, before, after, **sections):
    """Give the page of one resource's change."""
    sides = [
        {"a.json": Template(path="a.json", body={"Resources": resources, **sections})}
        for resources in (
            {"R": {"Type": kind, "Properties": properties}} if properties is not None else {}
            for properties in (before, after)
        )
    ]
    diff = compare_templates(*sides)
    return html.render(tell(diff), bodies(diff, *sides))


def test_the_page_asks_for_nothing_from_anywhere(change, diff_of):
    text = html.render(tell(diff_of(a=[change(flags=["data_loss"])])))
    page = Page(text)
    assert not page.open
    for name, attributes in page.elements:
        assert name not in {"link", "img", "iframe", "object", "embed", "base", "a"}
        assert not {"src", "href", "style", "action"} & set(attributes)
        assert not any(each.startswith("on") for each in attributes)
    assert "url(" not in page.code["style"]
    assert "@import" not in page.code["style"]
    assert not re.search(r"fetch|XMLHttp|import\(|innerHTML|eval|localStorage", page.code["script"])


def test_the_policy_lets_only_its_own_script_and_style_run(diff_of):
    page = Page(html.render(tell(diff_of())))
    policy = next(
        attributes["content"]
        for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, text in page.code.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_the_verdict_is_the_heading_and_danger_is_open(change, diff_of):
    text = html.render(tell(diff_of(a=[change("Db", flags=["data_loss"]), change("Q")])))
    assert '<h1 class="danger">Data loss: Db in a.json. 1 of 2 changes dangerous</h1>' in text
    cards = [each for name, each in Page(text).elements if name == "details"]
    assert [("open" in card, card["data-flags"]) for card in cards] == [
        (True, "data_loss"),
        (False, ""),
    ]


def test_each_flag_and_stack_there_is_can_be_asked_for(change, diff_of):
    page = Page(html.render(tell(diff_of(a=[change(flags=["exposure"])], b_c=[change("Q")]))))
    values = {each.get("value") for name, each in page.elements if name in {"input", "option"}}
    assert {"exposure", "a.json", "b/c.json", ""} <= values
    assert "data_loss" not in values


def test_cosmetic_differences_are_folded(change, diff_of):
    text = html.render(tell(diff_of(a=[change("Same", cosmetic=True), change("Q")])))
    before, fold, folded = text.partition('<details class="fold">')
    assert fold
    assert "<b>Same</b>" in folded
    assert "<b>Same</b>" not in before


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", '" onmouseover="x', "</pre><img src=x>", "&lt;b&gt;", "\x00\x1b"],
)
def test_a_template_cannot_inject_markup(text, change, diff_of):
    bad = change(
        text,
        type=text,
        flags=[Flag(FlagName.EXPOSURE, text, f"{text} witness")],
        because=(text,),
        properties=(PropertyChange(text, text, {text: text}),),
    )
    clean = change("Q", flags=["exposure"], because=("b",))
    diff = diff_of(**{text: [bad]})
    pages = [Page(html.render(tell(each))) for each in (diff, diff_of(a=[clean]))]
    kinds = [[name for name, _ in page.elements] for page in pages]
    assert set(kinds[0]) <= {*kinds[1], "code"}
    assert kinds[0].count("script") == 1
    assert all(not key.startswith("on") for _, each in pages[0].elements for key in each)


def test_only_what_was_made_as_markup_is_markup():
    assert tag("p", "<b>", tag("i", "&")) == "<p>&lt;b&gt;<i>&amp;</i></p>"
    assert join("<", Html("<hr>")) == "&lt;<hr>"
    assert tag("p", data_x='"', hidden=True, title=None) == '<p data-x="&quot;" hidden></p>'


def test_a_state_machine_is_shown_as_states_with_what_changed_of_them():
    work = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "Done"}
    before = machine(Work=work, Old={"Type": "Fail"}, Done={"Type": "Succeed"})
    retry = [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 4}]
    after = machine(
        Work={**work, "Retry": retry, "Next": "New"},
        New={"Type": "Pass", "Next": "Done"},
        Done={"Type": "Succeed"},
    )
    text = compared(
        "AWS::StepFunctions::StateMachine", {"Definition": before}, {"Definition": after}
    )
    states = text.partition('<table class="states">')[2].partition("</table>")[0]
    rows = re.findall(r'<tr class="(\w+)"><th scope="row"><b>(\w+)</b>', states)
    assert rows == [("changed", "Work"), ("added", "New"), ("same", "Done"), ("removed", "Old")]
    assert "<ins>retries 4 times on States.Timeout</ins>" in states
    assert "<del>→ Done</del>" in states
    assert "<ins>→ New</ins>" in states


def test_a_definition_that_is_a_string_is_shown_as_states_too():
    definition = '{"StartAt":"A","States":{"A":{"Type":"%s"}}}'
    text = compared(
        "AWS::StepFunctions::StateMachine",
        {"DefinitionString": definition % "Succeed"},
        {"DefinitionString": definition % "Fail"},
    )
    assert '<tr class="changed"><th scope="row"><b>A</b>' in text


def test_an_event_pattern_is_shown_as_fields():
    text = compared(
        "AWS::Events::Rule",
        {"EventPattern": {"source": ["a"], "detail": {"type": ["trade"]}}},
        {"EventPattern": {"source": ["a"], "detail": {"type": ["trade", {"prefix": "q"}]}}},
    )
    pattern = text.partition('<table class="pattern">')[2].partition("</table>")[0]
    assert "<code>detail.type</code>" in pattern
    assert "<code><ins>{&quot;prefix&quot;: &quot;q&quot;}</ins></code>" in pattern
    assert "<del>" not in pattern


def test_a_change_elsewhere_shows_no_structure():
    definition = machine(A={"Type": "Succeed"})
    text = compared(
        "AWS::StepFunctions::StateMachine",
        {"Definition": definition, "StateMachineType": "STANDARD"},
        {"Definition": definition, "StateMachineType": "EXPRESS"},
    )
    assert '<table class="states">' not in text


def test_what_is_added_is_shown_whole_and_secrets_are_masked():
    text = compared(
        "AWS::Lambda::Function",
        None,
        {
            "Timeout": 7,
            "Environment": {"Variables": {"DB_PASSWORD": "hunter2", "PLAIN": "shown"}},
        },
    )
    assert "/Properties/Timeout" in text
    assert "shown" in text
    assert "hunter2" not in text


def test_secrets_in_a_definition_are_masked():
    def definition(secret):
        given = {"ApiPassword": secret, "Seconds": len(secret)}
        state = {"Type": "Pass", "Parameters": given, "End": True}
        return {"Definition": machine(A=state)}

    text = compared("AWS::StepFunctions::StateMachine", definition("hunter2"), definition("x9"))
    assert '<table class="states">' in text
    assert "hunter2" not in text
