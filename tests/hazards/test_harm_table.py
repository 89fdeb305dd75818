"""The harms of a course: chances of the tables, carried to courses and people, against placebo."""

from __future__ import annotations

import json
import sys

import pytest

import betapod
from betapod.base.errors import ConfigError
from betapod.cli import main as cli
from betapod.hazards.harm_table import HarmLine, harm_table

ORDER = "UC-MSC 1e6/kg iv x3 q28d"


def lines(
    order: str, scenario: str = "current-evidence", *, kidney_disease: bool = False, years: float = 1.0
) -> dict[str, HarmLine]:
    return {line.harm: line for line in harm_table(order, scenario, kidney_disease, years).lines}


def test_three_infusions_against_three_of_placebo() -> None:
    course = lines(ORDER)
    fever = course["p_fever"]
    assert (fever.chance, fever.events, fever.per) == (0.032, 3, "infusion")
    assert fever.people == pytest.approx(1000 * (1 - (1 - 0.032) ** 3))
    assert fever.people_placebo == pytest.approx(1000 * (1 - (1 - 0.032 / 2.48) ** 3))
    assert fever.excess == pytest.approx(fever.people - fever.people_placebo)
    # Beta(4.5, 121) has its central 95 % from 1.1 to 7.5 %, and the ratio 1.27 to 4.86.
    assert (
        fever.low == pytest.approx(33, rel=0.25) and fever.high == pytest.approx(207, rel=0.15) and fever.excess_low > 0
    )
    assert fever.grade == "A" and "thompson2020" in fever.source
    reaction = course["p_reaction"]
    assert reaction.chance == pytest.approx(0.02 * 1.16) and reaction.excess_low < 0 < reaction.excess_high
    assert course["p_antibody"].people == pytest.approx(115) and course["p_antibody"].people_placebo == 0.0
    assert list(course) == [
        "p_fever", "p_reaction", "p_thrombosis", "p_antibody", "serious_infection", "thromboembolism", "cancer",
    ]  # fmt: skip


def test_the_null_has_the_same_harm() -> None:
    null, current = lines(ORDER, "none"), lines(ORDER)
    for harm in ("p_fever", "p_reaction", "p_thrombosis", "p_antibody", "thromboembolism"):
        assert null[harm].people == current[harm].people
    # Ratios below 1 would be benefits.
    assert null["cancer"].excess == null["serious_infection"].excess == 0.0 > current["cancer"].excess


def test_kidney_disease_and_years_raise_what_they_should() -> None:
    well, ill, long = lines(ORDER), lines(ORDER, kidney_disease=True), lines(ORDER, years=5.0)
    assert ill["p_thrombosis"].chance == pytest.approx(1.5 * well["p_thrombosis"].chance)
    assert ill["thromboembolism"].people > well["thromboembolism"].people
    assert ill["p_fever"] == well["p_fever"]
    assert long["cancer"].people == pytest.approx(5 * well["cancer"].people, rel=0.05)
    assert long["p_fever"] == well["p_fever"] and long["cancer"].per == "5 years"


@pytest.mark.parametrize(
    ("order", "harms"),
    [
        ("BM-MSC 100e6 ra", {"p_artery"}),
        ("renal-cells 100e6 ir", {"p_lesion", "p_kidney_loss"}),
        ("SC-islets 0.8e9 pv", {"p_bleeding", "p_portal_clot", "p_growth", "SAE"}),
        ("SC-islets 0.8e9 depot", {"p_growth", "SAE"}),
        ("donor-islets 11900 IEQ/kg pv", {"p_bleeding", "p_portal_clot", "SAE"}),
    ],
)
def test_every_route_and_product_has_its_harms(order: str, harms: set[str]) -> None:
    course = lines(order, kidney_disease=True)
    assert harms <= set(course) and (harms == set(course)) == ("islets" in order)
    # Nobody is punctured for a placebo, and a graft has none.
    assert all(course[harm].people_placebo == 0.0 < course[harm].people for harm in harms)


def test_what_is_not_known_is_said() -> None:
    assert any("rule of three" in note and "1 in 449" in note for note in harm_table(ORDER, "none").notes)
    kidney = " ".join(harm_table("renal-cells 100e6 ir", "none").notes)
    assert "thirabanjasak2010" in kidney and "kim2017" in kidney


def test_python_and_the_command_line_say_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["betapod", "harms", ORDER, *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        return capsys.readouterr().out

    table = betapod.harms(ORDER, kidney_disease=True)
    document = json.loads(printed("--kidney-disease", "--json"))
    assert document["harms"] == table.to_dict("records") and document["notes"] == table.attrs["notes"]
    csv = printed("--csv", "-").splitlines()
    assert csv[0].split(",") == list(table.columns) and len(csv) == len(table) + 1


def test_bad_orders_and_years_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        betapod.harms("UC-MSX 1e6/kg iv x3")
    assert {problem.kind for problem in caught.value.problems} == {"unknown-product", "missing-interval"}
    with pytest.raises(ConfigError, match="out of range"):
        betapod.harms(ORDER, years=-1.0)
    with pytest.raises(ConfigError, match="current-evidence"):
        betapod.harms(ORDER, scenario="current-evidense")
