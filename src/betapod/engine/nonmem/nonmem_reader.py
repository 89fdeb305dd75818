"""Read an event data set in the form of NONMEM: each fault with its line and column, all of them at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...base.cell_places import cell_place
from ...base.clinical import convert_labelled
from ...base.delimited import (
    DelimitedTable,
    cell_number,
    clean_cell,
    decode,
    marks,
    quote_cell,
    read_bytes,
    read_delimited,
    text_lines,
)
from ...base.errors import BetapodError, ConfigError, Location, Problem, did_you_mean, not_among
from ...model import Model
from ...model.parameters.possible_values import impossible_value
from .event_record import COVARIATE_RULES, DOSE, OBSERVATION, OTHER, EventRecord, NonmemSettings, Subject
from .nonmem_columns import ITEMS, NonmemColumns

#: What stands for a number that is not there.
_MISSING = frozenset({"", ".", "na", "nan"})
#: Data items whose cells are words as well as numbers.
_WORDS = frozenset({"id", "cmt", "dvid", "c"})
#: Data items without which a row is none of a dose.
_OF_DOSES = ("amt", "rate", "dur", "ss", "addl", "ii")


@dataclass(frozen=True)
class NonmemTable:
    """An event data set as it was read.

    Attributes
    ----------
    subjects
        In the order of the file.
    measured_unit
        Unit of DV where its heading names one.
    covariates
        Parameters and inputs of the model that have a column.
    notes
        How the table was read where that is not plain.
    """

    file: str
    subjects: tuple[Subject, ...]
    measured_unit: str | None
    covariates: tuple[str, ...]
    settings: NonmemSettings
    notes: tuple[str, ...]


def read_nonmem_table(path: str | Path, model: Model, settings: NonmemSettings | None = None) -> NonmemTable:
    r"""Read an event data set for a model.

    Parameters
    ----------
    path
        Delimited text with a header of data items: ID, TIME, AMT, RATE or DUR, II, ADDL, SS, EVID, MDV, CMT, DVID, DV.
    settings
        What the table leaves open.

    Returns
    -------
    NonmemTable
        People with their rows, times and amounts in the model's units.

    Raises
    ------
    ConfigError
        Everything that is wrong with the table, with line and column.

    Examples
    --------
    >>> import pathlib, tempfile, betapod
    >>> from betapod.engine.nonmem.nonmem_reader import read_nonmem_table
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "doses.csv"
    >>> _ = path.write_text("ID,TIME,AMT,CMT,DV\n1,0,50,glucose,.\n1,2,.,.,110\n")
    >>> table = read_nonmem_table(path, betapod.load_model("topp2000"))
    >>> [(record.evid, record.amount) for record in table.subjects[0].records]
    [(1, 50.0), (0, 0.0)]
    """
    return _Reader(Path(path), model, settings or NonmemSettings()).read()


class _Reader:
    def __init__(self, path: Path, model: Model, settings: NonmemSettings) -> None:
        self.path, self.model, self.settings = path, model, settings
        self.known = NonmemColumns(model, settings.columns)
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def read(self) -> NonmemTable:
        self._check_settings()
        table = read_delimited(self.path, self.known.is_known)
        self.problems += table.problems
        self.notes += table.notes
        self._lines, self._separator = text_lines(decode(read_bytes(self.path), str(self.path))[0]), table.separator
        places = [self._place(table.line, number) for number in range(len(table.header))]
        self.columns, wrong, remarks = self.known.columns(table.header, places)
        self.problems += wrong
        self.notes += remarks
        if wrong:
            raise ConfigError(self.problems)
        self.at = {column.item: n for n, column in enumerate(self.columns) if column.item in ITEMS}
        self._without_units()
        self._decimal = self._mark(table)
        subjects = self._subjects(table)
        if not subjects and not self.problems:
            self.problems.append(Problem("no-records", "the table has no rows of people", Location(str(self.path))))
        if self.problems:
            raise ConfigError(self.problems)
        unit = self.columns[self.at["dv"]].unit if "dv" in self.at else None
        covariates = tuple(column.name for column in self.columns if column.item == "covariate")
        return NonmemTable(str(self.path), tuple(subjects), unit, covariates, self.settings, tuple(self.notes))

    def _check_settings(self) -> None:
        rule = self.settings.covariates
        if rule not in COVARIATE_RULES:
            message = f"covariates do not go {rule!r} between rows"
            self.problems.append(not_among(COVARIATE_RULES, "bad-option", message, rule))
        for key, state in self.settings.compartments.items():
            if state not in self.model.state_names:
                hint = did_you_mean(state, self.model.state_names)
                message = f"compartment {key} is {state!r}, and that is not a state"
                self.problems.append(Problem("unknown-state", message, Location("compartments"), hint=hint))

    def _without_units(self) -> None:
        """Say which unit numbers are in whose headings name none: times in that of TIME, else in the model's."""
        self._times_in = self.columns[self.at["time"]].unit or self.model.time_unit
        self._amounts_in = self.columns[self.at["amt"]].unit if "amt" in self.at else None
        bare = [c.heading for c in self.columns if ITEMS.get(c.item, ("", ""))[1] == "time" and c.unit is None]
        told = [f"{', '.join(bare)} in {self._times_in}"] if bare and self._times_in != "1" else []
        if "amt" in self.at and self._amounts_in is None:
            told.append(f"{self.columns[self.at['amt']].heading} in the units of the states that doses go to")
        if "rate" in self.at and self.columns[self.at["rate"]].unit is None:
            told.append(f"{self.columns[self.at['rate']].heading} in those of the amounts per {self._times_in}")
        for column in self.columns:
            if column.item == "covariate" and column.unit is None and self.known.rows[column.name].unit != "1":
                told.append(f"{column.heading} in {self.known.rows[column.name].unit}")
        if told:
            self.notes.append(f"without a unit in the heading: {'; '.join(told)}")

    def _mark(self, table: DelimitedTable) -> str:
        cells = [
            (cell, Location(table.file, line))
            for line, row in table.rows
            for cell, column in zip(row, self.columns, strict=True)
            if column.item not in ("", "ignore") and column.item not in _WORDS
        ]
        return marks(cells, table.separator).decimal

    # -- rows --------------------------------------------------------------------------------------------------------

    def _subjects(self, table: DelimitedTable) -> list[Subject]:
        rows: dict[str, list[EventRecord]] = {}
        before, left_out = "", 0
        for line, cells in table.rows:
            if self._text(cells, "c").upper() == "C":
                left_out += 1
                continue
            name = self._text(cells, "id")
            if not name:
                self._wrong("missing-id", "this row names no person", line, self.at["id"])
                continue
            if name in rows and name != before:
                message = f"rows of {name} stand apart, with other people between them"
                hint = "NONMEM takes them for two people: give them different IDs, or sort the table."
                self._wrong("split-person", message, line, self.at["id"], hint=hint)
            before = name
            record = self._record(line, cells)
            if record is not None:
                rows.setdefault(name, []).append(record)
                self._check_order(rows[name], line)
        if left_out:
            self.notes.append(f"rows that a C leaves out: {left_out}")
        return [Subject(name, tuple(records)) for name, records in rows.items()]

    def _check_order(self, records: Sequence[EventRecord], line: int) -> None:
        if len(records) > 1 and records[-1].time < records[-2].time and not records[-1].is_reset:
            message = "time goes back within a person"
            hint = "Sort the rows of each person by time; only a reset (EVID 3 or 4) may begin anew."
            self._wrong(
                "time-goes-back",
                message,
                line,
                self.at["time"],
                f"{records[-1].time:g} after {records[-2].time:g}",
                hint,
            )

    def _record(self, line: int, cells: Sequence[str]) -> EventRecord | None:
        before = len(self.problems)
        time = self._number(line, cells, "time")
        if time is None:
            if len(self.problems) == before:
                self._wrong("missing-time", "this row has no time", line, self.at["time"])
            return None
        numbers = {item: self._number(line, cells, item) or 0.0 for item in ("rate", "dur", "ii", "addl", "ss", "mdv")}
        amount = self._plain(line, cells, "amt")
        evid = self._evid(line, cells, amount, numbers)
        value = self._plain(line, cells, "dv")
        record = EventRecord(line, time, evid, value=math.nan if value is None or numbers["mdv"] else value)
        record = replace(record, covariates=self._covariates(line, cells), measured=self._measured(cells))
        if record.is_dose:
            record = self._dose(record, amount or 0.0, numbers, line, cells)
        else:
            self._check_no_dose(record, amount, numbers, line)
        if record.evid == OBSERVATION:
            self._check_censored(line, cells)
        else:
            record = replace(record, value=math.nan)
        return record if len(self.problems) == before else None

    def _evid(self, line: int, cells: Sequence[str], amount: float | None, numbers: Mapping[str, float]) -> int:
        """Return the kind of a row; without EVID a row with an amount, a rate or SS is a dose, as NM-TRAN has it."""
        said = self._number(line, cells, "evid")
        if said is None:
            dose = bool(amount) or bool(numbers["rate"]) or bool(numbers["ss"])
            return DOSE if dose else OTHER if numbers["mdv"] else OBSERVATION
        if said not in (0.0, 1.0, 2.0, 3.0, 4.0):
            expected = "0 observation, 1 dose, 2 other, 3 reset, 4 reset and dose"
            self._wrong("bad-evid", "there is no such kind of row", line, self.at["evid"], f"{said:g}", "", expected)
            return OTHER
        return int(said)

    def _dose(
        self, record: EventRecord, amount: float, numbers: Mapping[str, float], line: int, cells: Sequence[str]
    ) -> EventRecord:
        state = self._state(line, self._text(cells, "cmt"))
        rate, duration = numbers["rate"], numbers["dur"]
        if state:
            amount, rate = self._in_state_units(line, state, amount, rate)
        self._check_dose(amount, rate, duration, numbers, line)
        return replace(
            record,
            state=state,
            amount=amount,
            rate=rate,
            duration=duration,
            every=numbers["ii"],
            more=max(int(numbers["addl"]), 0),
            steady=int(numbers["ss"]),
        )

    def _in_state_units(self, line: int, state: str, amount: float, rate: float) -> tuple[float, float]:
        """Convert an amount and a rate to the units of the state and of the model's time."""
        unit, label, time = self.model.units[state], self.model.labels[state], self.model.time_unit
        if self._amounts_in is not None:
            amount = self._converted(amount, self._amounts_in, unit, label, line, self.at["amt"])
        if rate > 0.0 and time != "1":
            said = self.columns[self.at["rate"]].unit or f"({self._amounts_in or unit})/({self._times_in})"
            rate = self._converted(rate, said, f"({unit})/({time})", label, line, self.at["rate"])
        return amount, rate

    def _check_dose(self, amount: float, rate: float, duration: float, numbers: Mapping[str, float], line: int) -> None:
        def bad(item: str, message: str, value_text: float, hint: str = "") -> None:
            self._wrong("bad-dose", message, line, self.at.get(item, 0), f"{item.upper()}={value_text:g}", hint)

        every, more, steady = numbers["ii"], numbers["addl"], numbers["ss"]
        if rate in (-1.0, -2.0):
            hint = "Put the duration into a column DUR, or the rate into RATE."
            bad("rate", "a rate or duration that the model computes is not supported", rate, hint)
        elif rate < 0.0:
            bad("rate", "a rate is not negative", rate)
        for item, value, words in (
            ("amt", amount, "an amount"),
            ("dur", duration, "a duration"),
            ("ii", every, "an interval"),
        ):
            if value < 0.0:
                bad(item, f"{words} is not negative", value)
        if rate > 0.0 and duration > 0.0:
            bad("dur", "a dose has a rate or a duration, not both", duration)
        if more < 0 or more != int(more):
            bad("addl", "further doses are a whole number from 0 on", more)
        if steady not in (0.0, 1.0, 2.0):
            bad("ss", "SS is 0, 1 or 2", steady)
        elif more > 0 and not every > 0.0:
            bad("ii", "further doses need an interval above 0", every)
        elif steady and amount > 0.0 and not every > 0.0:
            bad("ii", "a steady state of doses needs an interval above 0", every)
        elif steady and amount == 0.0 and (more > 0 or every > 0.0 or duration > 0.0):
            bad("amt", "a steady state without an amount is that of a rate alone, with neither II nor ADDL", amount)
        elif not steady and amount == 0.0 and rate > 0.0:
            bad("amt", "an infusion needs an amount", amount)

    def _check_no_dose(
        self, record: EventRecord, amount: float | None, numbers: Mapping[str, float], line: int
    ) -> None:
        dose_items = {"amt": amount or 0.0, **{item: numbers[item] for item in ("rate", "dur", "ss", "addl")}}
        for item, value in dose_items.items():
            if value:
                message = f"this row is no dose (EVID {record.evid}), and it has {item.upper()}"
                self._wrong("dose-in-observation", message, line, self.at[item], f"{value:g}", "Is EVID 1?")

    def _check_censored(self, line: int, cells: Sequence[str]) -> None:
        if self._number(line, cells, "cens"):
            hint = "Leave such rows out, or set MDV to 1: values beyond a limit are not fitted."
            self._wrong("censored-value", "this value is only a limit", line, self.at["cens"], hint=hint)

    def _state(self, line: int, text: str) -> str:
        """Return the state that a compartment is; the first where none is named."""
        names = self.model.state_names
        if text in self.settings.compartments:
            return self.settings.compartments[text]
        if text in names:
            return text
        plain = text.lower()
        if plain in _MISSING or plain == "0":
            first = self.settings.compartments.get("1", names[0] if names else "")
            note = f"rows of doses without CMT go to {first}, the first compartment"
            self.notes += [note] * (note not in self.notes)
            return first
        if text.isdigit() and 1 <= int(text) <= len(names):
            state = names[int(text) - 1]
            note = f"compartment {text} is {state}, by the order of the states"
            self.notes += [note] * (note not in self.notes)
            return state
        expected = f"a state, or its number from 1 to {len(names)}"
        hint = did_you_mean(text, names)
        self._wrong("unknown-compartment", "there is no such compartment", line, self.at["cmt"], text, hint, expected)
        return ""

    def _measured(self, cells: Sequence[str]) -> str:
        text = self._text(cells, "dvid") if "dvid" in self.at else self._text(cells, "cmt")
        return "" if text.lower() in _MISSING else text

    def _covariates(self, line: int, cells: Sequence[str]) -> dict[str, float]:
        values = {}
        for n, column in enumerate(self.columns):
            if column.item != "covariate" or clean_cell(cells[n]).lower() in _MISSING:
                continue
            number = self._read(line, n, cells)
            if number is None:
                continue
            row = self.known.rows[column.name]
            if column.unit is not None:
                number = self._converted(number, column.unit or "1", row.unit, row.label, line, n)
            if wrong := impossible_value(row, number, self._place(line, n)):
                self.problems.append(wrong)
            values[column.name] = number
        return values

    # -- cells -------------------------------------------------------------------------------------------------------

    def _text(self, cells: Sequence[str], item: str) -> str:
        text = clean_cell(cells[self.at[item]]) if item in self.at else ""
        # Programs write whole numbers as 1.0, too.
        return text[:-2] if item in _WORDS and text.endswith(".0") and text[:-2].isdigit() else text

    def _number(self, line: int, cells: Sequence[str], item: str) -> float | None:
        """Return a number; a time in the model's unit of time; None where the cell is empty or wrong."""
        number = self._plain(line, cells, item)
        if number is None or ITEMS[item][1] != "time":
            return number
        unit, time = self.columns[self.at[item]].unit or self._times_in, self.model.time_unit
        return number if unit == time else self._converted(number, unit, time, "", line, self.at[item])

    def _plain(self, line: int, cells: Sequence[str], item: str) -> float | None:
        """Return a number as it stands in the table."""
        if item not in self.at or clean_cell(cells[self.at[item]]).lower() in _MISSING:
            return None
        return self._read(line, self.at[item], cells)

    def _read(self, line: int, n: int, cells: Sequence[str]) -> float | None:
        text = clean_cell(cells[n])
        number = cell_number(text, self._decimal)
        if number is None:
            hint = "Give times as decimal numbers." if ":" in text else ""
            self._wrong("bad-number", "this is not a number", line, n, quote_cell(text), hint, "a number, or .")
        return number

    def _converted(self, value: float, source: str, target: str, label: str, line: int, n: int) -> float:
        try:
            return convert_labelled(value, source or "1", target, label, "level", self._place(line, n))
        except BetapodError as error:
            told = {(problem.kind, problem.message) for problem in self.problems}
            self.problems += [problem for problem in error.problems if (problem.kind, problem.message) not in told]
            return value

    def _wrong(
        self, kind: str, message: str, line: int, n: int, value_text: str = "", hint: str = "", expected: str = ""
    ) -> None:
        self.problems.append(Problem(kind, message, self._place(line, n), value_text, expected, hint))

    def _place(self, line: int, n: int) -> Location:
        return cell_place(str(self.path), self._lines, line, n, self._separator)
