"""Tables of a comparison, from made-up numbers whose laws are known: by hand, in the terminal, in a workbook."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from small_values import RUN, made_up, without

from betapod.base.errors import ConfigError
from betapod.report.value import decision_tables as deciding
from betapod.report.value import run_settings, value_analysis
from betapod.report.value import strategy_tables as results
from betapod.report.value.every_table import every_table, terminal_tables
from betapod.report.value.value_table import ValueEstimate, cell_text, estimate, plain_table
from betapod.report.value.workbook import sheet_names, workbook_content, write_workbook


@pytest.fixture(scope="module")
def result():
    return made_up()


def rows_by(table, *columns):
    names = [column.name for column in table.columns]
    return {tuple(row[names.index(name)] for name in columns): dict(zip(names, row, strict=True)) for row in table.rows}


def test_gains_are_those_of_the_draws(result) -> None:
    table = rows_by(results.gains_table(result, "own"), "strategy")
    gain = result.qalys["own"][2] - result.qalys["own"][0]
    cell = table["as claimed",]["QALYs"]
    assert (cell.mean, cell.low, cell.high) == pytest.approx((gain.mean(), *np.quantile(gain, [0.025, 0.975])))
    assert table["as claimed",]["Monte Carlo error, QALYs"] == 0.01


def test_the_price_of_a_course_makes_net_benefit_nothing(result) -> None:
    for amount in (20_000, 50_000):
        price = value_analysis.prices(result, "own", "as claimed", amount)
        gain = result.increment("own", "qalys", "as claimed")
        cost = result.increment("own", "costs", "as claimed")
        assert amount * gain - cost - price * result.cell_courses[2] == pytest.approx(np.zeros(400), abs=1e-6)
    rows = rows_by(deciding.price_table(result), "strategy", "events", "money for a QALY")
    assert rows["as claimed", "betapod's own events", "20\u202f000"]["draws above 0"] == 1.0
    assert len(rows) == 2 * 2 * 3


def test_two_beliefs_about_cells_are_one_choice_each(result) -> None:
    """No table lets "as claimed" win against "current evidence": nobody can choose what is true."""
    decisions = run_settings.decisions(result)
    names = [tuple(result.strategies[k] for k in decision.options) for decision in decisions]
    assert names == [("no cells", "current evidence", "SGLT2 inhibitor"), ("no cells", "as claimed", "SGLT2 inhibitor")]
    for decision in decisions:
        table = deciding.best_table(result, "own", decision)
        for row in table.rows:
            assert sum(row[2:]) == pytest.approx(1.0)


def test_without_costs_prices_pay_for_health_alone() -> None:
    result = made_up(costs=False)
    rows = rows_by(deciding.price_table(result), "strategy", "events", "money for a QALY")
    price = rows["as claimed", "betapod's own events", "20\u202f000"]
    (cell,) = [cell for cell in price.values() if isinstance(cell, ValueEstimate)]
    assert cell.mean == pytest.approx(20_000 * result.increment("own", "qalys", "as claimed").mean())
    assert "nothing else costs or saves" in deciding.price_table(result).caption
    keys = {table.key.partition("-")[0] for table in every_table(result)}
    assert not keys & {"items", "standing", "budget"}
    assert not [c for table in every_table(result) for c in table.columns if c.name.startswith("costs")]


def test_information_is_worth_most_where_the_choice_is_open(result) -> None:
    decision = run_settings.decisions(result)[1]
    worth = value_analysis.information_worth(result, "own", decision, 50_000)
    assert worth.worth >= worth.free >= 0
    below, above = (
        value_analysis.evpi(value_analysis.benefits(result, "own", decision, 50_000, worth.price * scale))
        for scale in (0.5, 1.5)
    )
    assert worth.worth >= max(below, above)
    single = {row.name: row for row in value_analysis.parameter_worths(result, "own", decision, 50_000)}
    assert all(0 <= row.worth <= worth.worth + 1e-9 for row in single.values())
    assert single["effect"].worth > 5 * max(single["effect"].chance, single["idle"].worth)


def test_numbers_of_other_sets_of_events_are_not_worth_knowing(result) -> None:
    rows = {**result.parameters, "idle": replace(result.parameters["idle"], structures=("ukpds-om2",))}
    changed, decision = replace(result, parameters=rows), run_settings.decisions(result)[1]
    for structure, read in (("own", False), ("ukpds-om2", True)):
        worths = value_analysis.parameter_worths(changed, structure, decision, 50_000)
        assert ("idle" in {row.name for row in worths}) == read


def test_an_item_of_a_state_is_not_called_by_its_event(result) -> None:
    items = {"own": {name: np.ones_like(result.qalys["own"]) for name in ("dialysis", "hf", "mi", "visits")}}
    table = results.item_table(replace(result, items=items), "own")
    assert {row[0] for row in table.rows} == {"dialysis", "heart failure", "heart attack", "visits"}


def test_the_tornado_begins_with_what_moves_most(result) -> None:
    rows = deciding.tornado_rows(result, "own", "as claimed")
    assert [row.parameter for row in rows] == ["effect", "utility_dialysis", "cost_dialysis"]
    gain = result.central["own"]["qalys"][2] - result.central["own"]["qalys"][0]
    assert rows[0].width == pytest.approx(2 * 0.3 * gain * 50_000)


def test_sets_of_events_stand_side_by_side(result) -> None:
    rows = rows_by(results.structure_table(result), "strategy", "events")
    gains = [rows["as claimed", name]["QALYs"].mean for name in ("betapod's own events", "UKPDS-OM2 equations")]
    assert gains == pytest.approx([result.increment(name, "qalys", "as claimed").mean() for name in result.structures])
    assert results.structure_table(made_up(draws=20, structures=("own",))) is None


def test_budgets_follow_those_who_begin(result) -> None:
    rows = rows_by(deciding.budget_table(result), "strategy", "events")
    row = list(rows["SGLT2 inhibitor", "betapod's own events"].values())
    assert row[2:] == pytest.approx([400 * 100, 400 * 200, 400 * 300, 400 * 600])


def test_people_differ(result) -> None:
    row = rows_by(results.people_table(result, "own"), "strategy")["as claimed",]
    gain = result.person_qalys["own"][2] - result.person_qalys["own"][0]
    assert row["mean gain"] == pytest.approx(gain.mean()) and row["people who gain"] == 1.0
    assert row["5 % gain less than"] <= row["50 % gain less than"] <= row["95 % gain less than"]


def test_a_ratio_is_given_only_where_it_is_a_price(result) -> None:
    assert results.icer_text(result, "own", "as claimed") == "asked as a price"
    text = results.icer_text(result, "own", "SGLT2 inhibitor")
    cost, gain = (result.increment("own", m, "SGLT2 inhibitor").mean() for m in ("costs", "qalys"))
    if cost > 0:
        assert text.startswith(run_settings.amount(cost / gain)) and "\u00b1" in text
    else:
        assert text == "better and cheaper"
    assert value_analysis.ratio_error(result, "own", "SGLT2 inhibitor") == pytest.approx(
        (30 + abs(cost / gain) * 0.006) / abs(gain)
    )
    known = {"own": {**result.monte_carlo["own"], "icer": np.array([np.nan, 1.0, 2.0, 7.0])}}
    assert value_analysis.ratio_error(without(result, monte_carlo=known), "own", "SGLT2 inhibitor") == 7.0
    assert math.isnan(value_analysis.ratio_error(without(result, monte_carlo={}), "own", "SGLT2 inhibitor"))


def test_cells_without_a_number_are_dashes_and_shares_are_never_rounded_to_all() -> None:
    columns = results.gains_table(made_up(), "own").columns
    assert cell_text(columns[3], None) == "\u2013"
    assert cell_text(deciding.price_table(made_up()).columns[4], 0.9999) == "over 99\u00a0%"
    assert estimate(np.array([1.0, 1.0])).low == 1.0


def test_the_terminal_has_room_for_it(result) -> None:
    for caption, header, rows in terminal_tables(result):
        assert len(caption) <= 100
        widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
        assert len(header) <= 4 and max(widths) <= 34, (header, widths)


def test_a_workbook_holds_every_table_as_numbers(tmp_path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    result = made_up(draws=60, structures=("own",))
    path = write_workbook(result, tmp_path / "value.xlsx")
    book = openpyxl.load_workbook(path)
    tables = every_table(result)
    assert book.sheetnames == ["contents", *sheet_names(tables)]
    assert all(len(name) <= 31 for name in book.sheetnames)
    for name, table in zip(sheet_names(tables), tables, strict=True):
        header, rows, _ = plain_table(table)
        lines = [list(row)[: len(header)] for row in book[name].iter_rows(min_row=3, values_only=True)]
        assert lines[0] == header
        for line, row in zip(lines[1:], rows, strict=True):
            assert all(
                a == pytest.approx(b, rel=1e-9) if isinstance(b, float) else (a or None) == (b or None)
                for a, b in zip(line, row, strict=True)
            ), (name, line, row)


def test_the_same_run_gives_the_same_bytes(result) -> None:
    pytest.importorskip("openpyxl")
    tables = every_table(result)[:3]
    assert workbook_content("a", tables) == workbook_content("a", tables)


def test_text_of_others_stays_text(result) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    tables = [deciding.missing_table(without(result, missing=("=1+1", "a\x07b")))]
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_content("=2", tables)))["missing"]
    assert sheet["A4"].data_type == "s" and sheet["A4"].value == "=1+1" and sheet["A5"].value == "a\ufffdb"


def test_another_suffix_is_refused(result, tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"cannot write \.csv"):
        write_workbook(result, tmp_path / "value.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_two_strategies_and_nothing_else_has_tables() -> None:
    """Every optional part may be absent: no parameters, no people, no budget, few draws."""
    result = made_up(draws=20, structures=("own",))
    bare = without(
        result, run={"title": "bare"}, parameters={}, drawn={}, one_way={}, scenarios={}, person_qalys={}, monte_carlo={},
        yearly_costs={}, cell_courses=None, events={}, free_years={}, items={}, weights=None, missing=(),
    )  # fmt: skip
    keys = [table.key for table in every_table(bare)]
    assert keys == [
        "totals-own",
        "differences-own",
        "standing-own-all",
        "best-own-all",
        "information",
        "cheers",
        "diabetes",
    ]
    assert RUN["title"] not in str([table.caption for table in every_table(bare)])
