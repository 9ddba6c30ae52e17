"""The proof is measured by what it finds: every mutant of a proven system."""

from mutants import survivors


def test_no_mutant_of_a_proven_system_survives(case):
    alive, count = survivors(case.view(), case.handlers)
    print(f"{count - len(alive)} of {count} mutants found")  # noqa: T201  # the score
    assert alive == []
    assert count > 500
