"""The same model in every level of SBML that holds it gives the same course; what a level lacks, libsbml does not convert."""

import libsbml
import numpy as np
import pytest

#: Level and version, highest first; models are written in the first.
LEVELS = ((3, 2), (3, 1), (2, 5), (2, 4), (2, 3), (2, 2), (2, 1), (1, 2))
#: Model -> the levels that cannot hold it.
MODELS = {
    "reactions in a compartment that is not 1": (
        """
        compartment c = 2
        species A in c amount=3
        species B in c concentration=0.5
        parameter k = 0.7
        reaction J: A -> 2 B ; k*A*c
        reaction L: B -> A ; kk*B ; local kk=0.3""",
        set(),
    ),
    "rules": (
        """
        compartment c = 1
        parameter x = 3 variable
        parameter y variable
        rate x = -0.1*x
        assign y = 1 + x/4""",
        set(),
    ),
    "only substance units": (
        """
        compartment c = 2
        species A in c amount=3 only_substance
        parameter k = 0.7
        reaction J: A -> ; k*A""",
        {(1, 2)},
    ),
    "an event": (
        """
        compartment c = 1
        species A in c amount=3
        parameter k = 0.7
        reaction J: A -> ; k*A
        event E: time >= 2.05 ; A = 5""",
        {(1, 2)},
    ),
    "an initial assignment": (
        """
        compartment c = 1
        parameter x variable
        parameter p = 2
        initial x = p*3
        rate x = -x""",
        set(),
    ),
    "a delay": ("parameter x = 1 variable\nrate x = -delay(x, 1)", {(1, 2)}),
}


def in_level(text, level, version):
    """Return a model in another level, or nothing where it loses something."""
    document = libsbml.readSBMLFromString(text)
    converted = (level, version) == LEVELS[0] or document.setLevelAndVersion(level, version, True)
    return libsbml.writeSBMLToString(document) if converted else None


@pytest.mark.parametrize("name", MODELS)
def test_every_level_gives_the_same_course(name, sbml, run):
    shorthand, lacking = MODELS[name]
    texts = {level: in_level(sbml(shorthand, *LEVELS[0]), *level) for level in LEVELS}
    assert {level for level, text in texts.items() if text is None} == lacking
    times = np.linspace(0, 5, 11)
    highest = run(texts[LEVELS[0]], times)
    assert np.ptp(highest.to_numpy(), axis=0).max() > 0.01
    for level, text in texts.items():
        if text is not None:
            assert 'level="{}" version="{}"'.format(*level) in text
            np.testing.assert_allclose(
                run(text, times)[highest.columns], highest, rtol=1e-12, atol=1e-14, err_msg=str(level)
            )
