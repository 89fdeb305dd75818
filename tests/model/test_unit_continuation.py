"""A statement's unit may stand on a line of its own."""

from betapod.model.language.equations import parse
from betapod.model.language.syntax import SourceText


def test_unit_on_the_next_line():
    statements, problems = parse(SourceText("x = a*b\n        [mg/L]  a label\ny = x  [mg/L]  other"))
    assert not problems
    assert [(s.name, s.unit, s.label) for s in statements] == [("x", "mg/L", "a label"), ("y", "mg/L", "other")]
    assert statements[0].unit_position.line == 2


def test_a_second_unit_is_no_continuation():
    statements, problems = parse(SourceText("x = a  [mg/L]\n[mg/L] stray"))
    assert [s.name for s in statements] == ["x"]
    assert problems
