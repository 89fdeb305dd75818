"""What cannot be imported is refused by name, all of it at once."""

import pytest

from betapod.base.errors import ExchangeError
from betapod.exchange import read_sbml


def test_everything_unsupported_is_named_at_once(sbml):
    text = sbml(
        """
        parameter x variable
        parameter r variable
        algebraic x^3 + x - time
        compartment c = 1
        species S in c amount=1
        species T in c amount=1
        reaction J: S -> ; S ; fast
        reaction K: T -> ; T
        assign r = rateOf(S)""",
        3,
        1,
    )
    start = text.rindex("<kineticLaw>")
    text = text[:start] + text[text.index("</kineticLaw>", start) + len("</kineticLaw>") :]
    with pytest.raises(ExchangeError) as caught:
        read_sbml(text)
    problems = caught.value.problems
    assert caught.value.kinds == ("unsupported",) * 3
    for word in (
        "algebraic rule",
        "reaction K, which has no kinetic law",
        "rate of S, which the fast reaction J changes",
    ):
        assert any(word in problem.message for problem in problems), (word, [p.message for p in problems])
    assert sum(problem.location.line > 0 for problem in problems) >= 2


def test_a_required_package_is_named(sbml):
    text = sbml("parameter x = 1").replace(
        'version="2">',
        'version="2" xmlns:foo="http://www.sbml.org/sbml/level3/version1/foo/version1" foo:required="true">',
        1,
    )
    with pytest.raises(ExchangeError) as caught:
        read_sbml(text)
    assert caught.value.kinds == ("unsupported",) and "'foo'" in str(caught.value)


def test_flux_balance_is_refused(sbml):
    text = sbml("parameter x = 1", 3, 1).replace(
        'version="1">',
        'version="1" xmlns:fbc="http://www.sbml.org/sbml/level3/version1/fbc/version2" fbc:required="false">',
        1,
    )
    with pytest.raises(ExchangeError, match="flux balance"):
        read_sbml(text.replace('<model id="m"', '<model id="m" fbc:strict="false"'))


def test_errors_of_libsbml_carry_their_place(sbml):
    text = sbml("parameter x variable\nassign x = y + 1\nparameter y = 1").replace("<ci> y </ci>", "<ci> why </ci>")
    with pytest.raises(ExchangeError) as caught:
        read_sbml(text)
    problem = caught.value.problems[0]
    assert problem.kind == "invalid-sbml" and "why" in problem.message
    assert "why" in text.splitlines()[problem.location.line - 1] or problem.location.line > 0


@pytest.mark.parametrize(
    "text", ["<sbml", "<html></html>", "<sbml xmlns='http://www.sbml.org/sbml/level2' level='2' version='1'/>"]
)
def test_what_is_no_model_is_refused(text):
    with pytest.raises(ExchangeError) as caught:
        read_sbml(text)
    assert set(caught.value.kinds) == {"invalid-sbml"}


def test_a_missing_file(tmp_path):
    with pytest.raises(ExchangeError) as caught:
        read_sbml(tmp_path / "nothing.xml")
    assert caught.value.kinds == ("no-file",)


def test_a_rate_without_a_number_is_refused(sbml):
    with pytest.raises(ExchangeError) as caught:
        read_sbml(sbml("parameter k\nparameter x = 1 variable\nrate x = k*x"))
    assert caught.value.kinds == ("no-value",) and "'k'" in str(caught.value)


def test_a_trigger_that_holds_for_an_instant_is_refused(sbml):
    with pytest.raises(ExchangeError, match="equality"):
        read_sbml(sbml("parameter x = 1 variable\nrate x = x\nevent E: x == 2 ; x = 1"))


@pytest.mark.parametrize("trigger", ["time^2 == 50", "rem(time, 24) == 0", "x > 0 && sin(time) == 0"])
def test_a_trigger_that_holds_for_an_instant_of_time_is_refused(sbml, trigger):
    with pytest.raises(ExchangeError, match="equality"):
        read_sbml(sbml(f"parameter x = 1 variable\nrate x = x\nevent E: {trigger} ; x = 1"))


def test_a_trigger_that_counts_whole_steps_of_time_is_read(sbml):
    assert read_sbml(sbml("parameter x = 1 variable\nrate x = x\nevent E: floor(time/24) == 3 ; x = 1")).events


def test_rules_in_a_circle_are_refused(sbml):
    with pytest.raises(ExchangeError):
        read_sbml(sbml("parameter x variable\nparameter y variable\nassign x = y\nassign y = x"))


def test_a_reaction_without_a_kinetic_law_is_refused(sbml):
    text = sbml("compartment c = 1\nspecies S in c amount=1\nreaction J: S -> ; 7")
    start, end = text.index("<kineticLaw>"), text.index("</kineticLaw>") + len("</kineticLaw>")
    with pytest.raises(ExchangeError, match="reaction J, which has no kinetic law"):
        read_sbml(text[:start] + text[end:])
