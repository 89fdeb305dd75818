"""Files of complications: what they say is read, what is wrong is located, all at once."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.hazards.complications.complication import complications, read_complications, unused_rows
from betapod.hazards.complications.terms import TERM_UNITS, TERMS
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse

GOOD = """
ulcer:
  label: foot ulcer
  state: foot_ulcer
  needs: [neuropathy]
  repeats: true
  days: ulcer_days
  rate: ulcer_rate
  terms: {hba1c: ulcer_hba1c}
  states: {amputation: ulcer_amputation}
"""


def test_an_event_is_read() -> None:
    (item,) = read_complications(GOOD, "feet")
    assert (item.label, item.needs, item.repeats, item.fatal) == ("foot ulcer", ("neuropathy",), True, False)
    assert item.rows() == ("ulcer_rate", "ulcer_days", "ulcer_hba1c", "ulcer_amputation")


def test_everything_that_is_wrong_is_said_with_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        read_complications(
            "a:\n  label: x\n  rat: y\nb: 3\nc:\n  label: z\n  rate: r\n  needs: nothing\n", "eyes", "eyes.yaml"
        )
    kinds = [(p.kind, p.location.line) for p in caught.value.problems]
    assert kinds == [("unknown-key", 3), ("missing-key", 1), ("wrong-type", 4), ("wrong-type", 8)]
    assert "rate" in caught.value.problems[0].hint


def test_what_the_package_carries_is_whole() -> None:
    assert unused_rows() == ()
    for item in complications().values():
        assert item.label[0] == item.label[0].lower() or item.label.split()[0].isupper(), item.name


def test_terms_are_nought_in_the_reference_person() -> None:
    reference = RiskProfile(age=60, female=0, egfr=90, uacr=10, hba1c=7)
    assert {name: float(term(reference)) for name, term in TERMS.items()} == dict.fromkeys(TERMS, 0.0)
    assert set(TERM_UNITS) == set(TERMS)


def test_some_people_of_a_course() -> None:
    days = np.arange(4.0)
    profile = RiskProfile(age=60 + days, female=np.array([[0.0], [1.0], [1.0]]), egfr=np.ones((3, 4)) * 50, uacr=30.0)
    course = RiskCourse(days, profile, np.arange(3), {"hf": np.array([0.0, 1.0, 0.5])})
    part = course.take(np.array([2, 0]))
    assert part.numbers.tolist() == [2, 0]
    assert np.asarray(part.profile.female).tolist() == [[1.0], [0.0]]
    assert np.asarray(part.profile.age).tolist() == (60 + days).tolist()
    assert part.histories["hf"].tolist() == [0.5, 0.0]
    assert np.isinf(part.failure_day()).all()
