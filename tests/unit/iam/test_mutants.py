"""The proof is measured by what it finds: every mutant of a proven system."""

from mutants import mutants, survivors
from unit.iam.building import EAST
from unit.iam.market_mutants import more_mutants
from unit.iam.payments_mutants import other_mutants

from tap_templates.iam.proof import HandlerCode, prove


def test_no_mutant_of_a_proven_system_survives(case):
    alive, count = survivors(case.view(), case.handlers)
    print(f"{count - len(alive)} of {count} mutants found")  # noqa: T201  # the score
    assert alive == []
    assert count > 500


def test_no_mutant_of_a_pipeline_survives(market):
    market.where = dict.fromkeys(market.templates, (EAST,))  # the other region is the same again
    alive, count = survivors(market.view(), market.handlers)
    print(f"{count - len(alive)} of {count} mutants found")  # noqa: T201  # the score
    assert alive == []
    assert count > 2000


def test_no_other_change_of_what_uses_the_roles_survives(market):
    market.where = dict.fromkeys(market.templates, (EAST,))
    view, code = market.view(), HandlerCode(market.handlers)
    assert prove(view, code) == []
    changed = list(more_mutants(view))
    assert [name for name, mutant in changed if not prove(mutant, code)] == []
    assert len(changed) > 60


def test_no_mutant_of_payments_survives(payments):
    view, code = payments.view(), HandlerCode(payments.handlers)
    assert prove(view, code) == []
    # The secondary is the primary again; `??????` with a question mark at its end is no mutant.
    changed = [each for each in mutants(view) if not each[0].startswith("secondary ")]
    alive = [name for name, mutant in changed if not prove(mutant, code) and mutant != view]
    print(f"{len(changed) - len(alive)} of {len(changed)} mutants found")  # noqa: T201  # the score
    assert alive == []
    assert len(changed) > 1500


def test_no_other_change_of_what_payments_are_made_of_survives(payments):
    view, code = payments.view(), HandlerCode(payments.handlers)
    changed = list(other_mutants(view))
    assert [name for name, mutant in changed if not prove(mutant, code)] == []
    assert len(changed) > 150
