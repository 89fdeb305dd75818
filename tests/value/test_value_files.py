"""Run files and country packs: what is read, and everything that can be wrong in them, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import ConfigError
from betapod.value.comparison_checks import read_value_run, read_value_text
from betapod.value.country_pack import read_country_text

PACK = """\
country: example
currency: EUR
price_year: 2024
states:
  dialysis: {cost: 40000, low: 30000, high: 55000, source: made up}
  hf: 3000
events: {stroke: 9000}
drugs: {SGLT2 inhibitor: 500, empagliflozin: 600}
items: {diabetes care: 1500}
procedures: {infusion: 200}
"""
RUN = """\
title: a comparison
people: {library: type 2 and UACR > 300 mg/g, size: 40}
comparator: care
strategies:
  care: {}
  cells: {cells: UC-MSC 1e6/kg iv x3 q28d, scenario: seed-claims}
willingness to pay: [20000]
"""


def problems(text: str, read=read_value_text) -> list[tuple[str, int, str]]:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [(problem.kind, problem.location.line, problem.hint) for problem in caught.value.problems]


def test_defaults_are_filled_in() -> None:
    settings, _ = read_value_text(RUN)
    content = settings.model_dump(mode="json", by_alias=True)
    assert content["willingness to pay"] == [20_000.0]
    assert (settings.horizon, settings.events, settings.discount.costs, settings.draws) == (
        "life",
        ["own"],
        0.035,
        1000,
    )


def test_a_pack_is_read_and_says_what_it_lacks() -> None:
    pack = read_country_text(PACK)
    assert pack.states["hf"].cost == 3000 and not pack.states["hf"].uncertain
    assert pack.priced_as("empagliflozin") == "empagliflozin"
    assert pack.priced_as("dapagliflozin") == "SGLT2 inhibitor"
    assert pack.unpriced(["metformin", "dapagliflozin"]) == ("metformin",)
    # The state of dialysis stands for its event and for failed kidneys, the event of stroke for its state.
    lacking = pack.lacks(("dialysis", "kidney_failure", "stroke", "retinopathy", "cvd"), ("dialysis", "cv_death", "mi"))
    assert lacking == ("retinopathy", "mi")


def test_everything_wrong_with_a_pack_is_told_at_once() -> None:
    text = (
        PACK.replace("country: example\n", "")
        .replace("hf: 3000", "dialisis: -3000")
        .replace("cost: 40000", "cost: 90000")
    )
    assert problems(text.replace("infusion", "infusions"), read_country_text) == [
        ("missing-key", 1, ""),
        ("bad-range", 4, ""),
        ("unknown-state", 5, "Did you mean 'dialysis'?"),
        ("out-of-range", 5, ""),
        ("unknown-procedure", 9, "Did you mean 'infusion'?"),
    ]


def test_everything_wrong_with_a_run_is_told_at_once() -> None:
    text = (
        RUN.replace("UACR > 300 mg/g", "UACX > 300 mg/g")
        .replace("comparator: care", "comparator: cares")
        .replace("care: {}", "care: {scenario: seed-claims, therapies: [SGLT2 inhibitr]}")
        + "utilities: {set: ukk, base: 1.2, losses: {dialisis: {loss: 0.2}}}\n"
        + "country: nowhere.yaml\ndraws: 0\nbudget: {eligible: 100, uptake: [0.2, 0.1]}\n"
        + "horizon: 5\nscenarios: {longer: {horizon: 9}}\n"
    )
    kinds = [(kind, line) for kind, line, _ in problems(text)]
    assert kinds == [
        ("unknown-quantity", 2),
        ("unknown-strategy", 3),
        ("useless-key", 5),
        ("unknown-therapy", 5),
        ("unknown-utilities", 8),
        ("out-of-range", 8),
        ("unknown-state", 8),
        ("no-country", 9),
        ("out-of-range", 10),
        ("bad-uptake", 11),
        ("long-horizon", 13),
    ]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (("library: type 2 and UACR > 300 mg/g", "library: type 2 or nothing"), "bad-condition"),
        (("library: type 2 and UACR > 300 mg/g", "library: UACR > 300 mmol"), "wrong-unit"),
        (("library: type 2 and UACR > 300 mg/g", "protocol: dn62"), "unknown-protocol"),
        (("library: type 2 and UACR > 300 mg/g", "cohort: FLOWW"), "unknown-cohort"),
        (("size: 40", "protocol: dn61"), "wrong-people"),
        (("comparator: care", "comparator: care\nbudget: {eligible: 10, uptake: [0.5]}"), "missing-key"),
        (("  care: {}\n", "  care: {inputs: {met_dose: 1}}\n"), "unknown-input"),
        (("type 2 and UACR > 300 mg/g", "type 2 and age > 200"), "nobody-eligible"),
        (("[20000]", "[20000, 50000, 20000.0]"), "duplicate-name"),
        (("comparator: care", "comparator: care\nevents: [own, own]"), "duplicate-name"),
        (("comparator: care", "comparator: care\nutilities: {losses: {hf: {loss: 0.1, low: 0.05}}}"), "missing-key"),
        (("comparator: care", "comparator: care\nutilities: {losses: {hf: {loss: -0.5}}}"), "out-of-range"),
        (("comparator: care", "comparator: care\nutilities: {base: 0.9, losses: {hf: {loss: -0.2}}}"), "out-of-range"),
    ],
)
def test_single_mistakes(change: tuple[str, str], kind: str) -> None:
    assert kind in [found for found, _, _ in problems(RUN.replace(*change))]


@pytest.mark.parametrize(
    ("horizon", "message"),
    [
        ("0", "horizon: outside the allowed range"),
        ("200", "horizon: outside the allowed range"),
        ("forever", "horizon: this is no horizon"),
        (".nan", "horizon: this is no horizon"),
        ("true", "horizon: this is no horizon"),
    ],
)
def test_a_wrong_horizon_is_one_error_in_plain_words(horizon: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_value_text(RUN + f"horizon: {horizon}\n")
    (problem,) = caught.value.problems
    assert (problem.message, problem.expected) == (message, "life, or years: above 0 and at most 100")


def test_a_cost_that_is_no_number_is_told_what_a_cost_looks_like() -> None:
    for wrong in ("abc", ".nan", "true", "[1]", "~"):
        with pytest.raises(ConfigError, match=r"this is no cost") as caught:
            read_country_text(PACK.replace("stroke: 9000", f"stroke: {wrong}"))
        assert [(p.location.line, p.expected[:8]) for p in caught.value.problems] == [(7, "a number")]


def test_all_registries_of_kidney_care_can_be_named() -> None:
    assert read_country_text(PACK + "kidney_care: United States\n").kidney_care == "United States"
    assert problems(PACK + "kidney_care: Atlantis\n", read_country_text) == [("unknown-registry", 11, "")]


def test_what_is_wrong_with_the_pack_of_a_run_is_told_in_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(PACK.replace("hf: 3000", "hf: -1"))
    run = tmp_path / "run.yaml"
    run.write_text(RUN + "country: pack.yml\n")
    with pytest.raises(ConfigError, match=r"Did you mean 'pack\.yaml'\?"):
        read_value_run(run)
    run.write_text(RUN + "country: pack.yaml\n")
    with pytest.raises(ConfigError) as caught:
        read_value_run(run)
    assert [(Path(p.location.file).name, p.location.line) for p in caught.value.problems] == [("pack.yaml", 6)]


def test_the_packaged_comparison_is_found_by_its_name() -> None:
    settings, document = read_value_run("dn61")
    assert (settings.people.protocol, settings.country, settings.care) == ("dn61", None, "usual")
    assert Path(document.file).name == "dn61.yaml"
    with pytest.raises(ConfigError, match="expected dn61"):
        read_value_run("dn6")
