"""Reading BibTeX and citing what a model rests on."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import ParameterError
from betapod.model import Parameter, ParameterTable
from betapod.model.algebra.expression import const, symbol
from betapod.model.assembly.linking import Definition, link
from betapod.model.bibliography import Bibliography, bibtex_of, parse_bibtex

TEXT = r"""
A word between entries is a comment.
% @article{commented, title = {out}}
@string{ki = "Kidney International"}
@article{nyberg1996,
  author = {Nyberg, G. and others},
  title  = {The {GBM} after transplantation},
  journal = ki, year = 1996, volume = {50}, pages = "1--9", doi = {10.1000/x},
  note = {read as abstract},
}
@comment{nothing}
@misc(hallow2016, title = "Renal " # "model", url = {https://example.org/{x}}, year = {2016})
"""


def test_reading() -> None:
    entries, problems = parse_bibtex(TEXT)
    assert not problems
    assert [entry.key for entry in entries] == ["nyberg1996", "hallow2016"]
    assert entries[0].fields["journal"] == "Kidney International"
    assert entries[0].location.line == 5
    assert entries[1].fields["title"] == "Renal model"
    assert entries[0].readable() == (
        "Nyberg, G. et al. The GBM after transplantation. Kidney International 1996;50:1-9. doi:10.1000/x. (read as abstract)"
    )
    assert entries[0].link == "https://doi.org/10.1000/x"


def test_what_is_written_is_read_back() -> None:
    entries, _ = parse_bibtex(TEXT)
    again, problems = parse_bibtex("\n".join(entry.bibtex() for entry in entries))
    assert not problems
    assert [(e.kind, e.key, e.fields) for e in again] == [(e.kind, e.key, e.fields) for e in entries]


def test_every_problem_is_reported_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bad.bib"
    path.write_text(
        "@article{a, title = {x}}\n@article{b, title {x}}\n@article{a, year = 1}\n@article{c, title = {open\n"
    )
    with pytest.raises(ParameterError) as caught:
        Bibliography.read(path, tmp_path / "none.bib")
    assert [(p.kind, p.location.line) for p in caught.value.problems] == [
        ("bad-bibtex", 2),
        ("bad-bibtex", 4),
        ("two-entries", 3),
        ("unreadable-file", 0),
    ]


def test_cite_gives_exactly_what_is_used() -> None:
    rows = [
        Parameter("k", "", 1.0, "1/day", role="derived", source="hallow2016 nyberg1996", grade="B"),
        Parameter("W0", "", 325.0, "nm", role="literature", source="nyberg1996", locator="abstract", grade="A"),
        Parameter("c", "", 1.0, "1", role="calibrated", source="fit-3", grade="C"),
    ]
    model = link(
        "m", [], [Definition("W", symbol("k") * symbol("W0"), "nm")], {"W": const(0)}, parameters=ParameterTable(rows)
    )
    entries, _ = parse_bibtex(TEXT + "@book{unused, title = {never}}")
    text = bibtex_of(model, Bibliography(entries))
    found, problems = parse_bibtex(text)
    assert not problems
    assert [entry.key for entry in found] == ["nyberg1996", "hallow2016"]
    assert "% literature (abstract): W0" in text and "% derived: k" in text
    assert "fit-3" in text
    assert text.index("Values that these works state") < text.index("nyberg1996") < text.index("Values that follow")
