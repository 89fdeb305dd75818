"""The section of a trial's report that names the claims on which the run bears, and what it says without the package that pools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import small_trials as small
from ruamel.yaml import YAML

import betapod.claims
from betapod.claims.ledger import judge_ledger
from betapod.report.claims import claims_page as ledger_page
from betapod.report.trial import trial_report
from betapod.report.trial.report_writing import make
from betapod.trials.conduct import conduct

MEASURED = {"UACR", "eGFR", "HbA1c"}
#: Claims read in the file itself, not by the code under test: identity -> what it is about, and the quantities it speaks of.
FILE = Path(betapod.claims.__file__).with_name("claims.yaml")
WRITTEN = {
    str(claim["id"]): (
        claim["about"],
        {str(asked.get("select", {}).get("endpoint", "")) for asked in claim.get("questions", [])}
        | {str(outcome["quantity"]) for outcome in [claim.get("outcome"), *claim.get("outcomes", [])] if outcome},
    )
    for claim in YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    trial = small.protocol(replicates="20")
    run = conduct.conduct_trial(trial, pool=small.pool(trial))
    return make(run, tmp_path_factory.mktemp("claims"), ["report", "small"], quick=True)


def named(about: set[str]) -> list[str]:
    return [name for name, (topic, quantities) in WRITTEN.items() if topic in about and quantities & MEASURED]


def test_a_run_with_cells_names_the_right_claims(made) -> None:
    (section,) = trial_report._claims(made.assessment)
    rows = {row[0]: row for row in section.tables[0].rows}
    assert list(rows) == named({"cells", "diabetes"})
    assert {"A12", "B10b", "B17", "B18"} <= set(rows) and not {"A01", "B20"} & set(rows)
    judged = {entry.claim.id: entry for entry in judge_ledger(rows)}
    for name, (_, claim, verdict, certainty, _) in rows.items():
        assert claim == judged[name].claim.claim
        assert (verdict, certainty) == (judged[name].verdict.verdict, judged[name].verdict.certainty or "none")
    page = made.files[0].read_text(encoding="utf-8")
    assert '<h2 id="claims">Claims that this run bears on</h2>' in page and 'href="#claims"' in page
    body = page.partition('<section id="claims-section"')[2].partition("</section>")[0]
    assert [name for name in WRITTEN if f">{name}</td>" in body] == list(rows)


def test_a_run_without_cells_names_claims_about_diabetes_alone(made) -> None:
    plain = SimpleNamespace(arms={"control": SimpleNamespace(cells="", therapies=[])})
    (section,) = trial_report._claims(SimpleNamespace(courses=made.assessment.courses, protocol=plain))
    found = [row[0] for row in section.tables[0].rows]
    # B23 speaks of the treatment with cells, which such a run does not have.
    assert found == named({"diabetes"}) and "B17" in found and not {"B10b", "B23"} & set(found)


@pytest.mark.parametrize("treatment", ["protein intake", "SGLT2 inhibitor", "intensive glycaemia"])
def test_a_run_without_cells_names_claims_about_its_own_treatment(treatment: str) -> None:
    """Reports of a drug listed claims about diets, and those of a diet claims about glucose."""
    asked = {
        str(claim["id"]): {
            str(question.get("select", {}).get("product", "")) for question in claim.get("questions", [])
        }
        for claim in YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
    }
    every = [claim.id for claim in ledger_page.bearing(MEASURED, cells=False)]
    found = [claim.id for claim in ledger_page.bearing(MEASURED, False, (treatment,))]
    assert found == [name for name in every if treatment in asked[name]] and 0 < len(found) < len(every)


def test_a_run_that_bears_on_no_claim_has_no_section() -> None:
    run = SimpleNamespace(courses={"quantity": ["no such quantity"]}, protocol=SimpleNamespace(arms={}))
    assert trial_report._claims(run) == []


def test_without_the_package_that_pools_it_says_so(made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymare", None)
    (section,) = trial_report._claims(made.assessment)
    assert section.key == "claims" and not section.tables
    assert 'pip install "betapod[evidence]"' in section.paragraphs[0]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (-1.0, "not simulated"),
        (0.5, "within what evidence allows"),
        (1.04, "1.04 times what evidence allows"),
        (15.74, "15.7 times what evidence allows"),
        (149.2, "149 times what evidence allows"),
        (1e9, "out of the model's reach"),
    ],
)
def test_stretch_in_words(times: float, words: str) -> None:
    assert ledger_page._reach(times) == words


def test_importing_betapod_loads_none_of_it() -> None:
    code = "import betapod, sys; print({'pymare', 'sympy', 'statsmodels', 'lifelines', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
