"""Reports of protocols of many kinds: no sentence, column or figure speaks of what a protocol does not have."""

from __future__ import annotations

import json
import math
import re
from types import SimpleNamespace

import pytest
import small_trials as small

from betapod.report.common import words
from betapod.report.common.drawing import slug
from betapod.report.trial import answers, sections_estimand, trial_report
from betapod.report.trial.brief import brief
from betapod.report.trial.report_writing import make
from betapod.report.trial.trial_report import report_as_dict, report_tables, terminal_summary
from betapod.trials.analysis import endpoints
from betapod.trials.conduct import conduct
from betapod.trials.operating import result_tables
from betapod.trials.protocol.protocol_files import parse_protocol

HEAD = """\
name: {name}
title: A trial of something
population: {{size: 100}}
eligibility:
  UACR: {{min: 30 mg/g}}
patients: {patients}
"""
TAIL = """\
visits:
  - {name: screening, day: -14 day}
  - {name: enrolment, day: 0 day}
  - {name: month 6, day: 183 day, window: 10 day}
  - {name: month 12, day: 365 day, window: 14 day}
measurements: {UACR: {}, eGFR: {}, HbA1c: {}}
conduct: {drop_out: 10 %/year, missed_visits: 5 %}
seed: 5
replicates: 30
"""
CHANGE = "endpoints: {primary: {quantity: UACR, summary: ratio, at: month 6}}\n"
DRUG = "arms: {placebo: {placebo: true}, drug: {therapies: [SGLT2 inhibitor]}}\ndesigns: {main: {arms: {drug: 1, placebo: 1}}}\n"
CELLS = "{cells: UC-MSC 1e6/kg iv x3 q28d}"


def protocol(name: str, middle: str, endpoints: str = CHANGE, patients: int = 40) -> str:
    return HEAD.format(name=name, patients=patients) + middle + endpoints + TAIL


SLOPE = (
    "endpoints: {primary: {name: eGFR slope, quantity: eGFR, summary: slope, better: higher}, "
    "secondary: [{quantity: UACR, summary: responders, percent: -30, at: month 6}]}\n"
)
EVENTS = (
    "endpoints: {primary: {name: fall of eGFR, quantity: eGFR, summary: time to event, percent: -20, better: higher}}\n"
)
RESPONSE = (
    "endpoints: {primary: {name: UACR 30 % lower, quantity: UACR, summary: responders, percent: -30, at: month 6}}\n"
)
RATIO = "endpoints: {primary: {name: ratio of HbA1c, quantity: HbA1c, summary: ratio, at: month 6}}\n"
STRATA = 'strata: {"low ÄÖ": {where: {UACR: {max: 200 mg/g}}}, "糖尿病": {where: {UACR: {min: 200 mg/g}}}}\n'
TEXTS = {
    "drug": protocol("drug", DRUG),
    "three": protocol(
        "three",
        "arms: {placebo: {placebo: true}, low: {therapies: [ARB]}, high: {therapies: [SGLT2 inhibitor]}}\n"
        "designs: {main: {arms: {low: 1, high: 1, placebo: 1}}}\n",
    ),
    "one": protocol("one", "arms: {drug: {therapies: [SGLT2 inhibitor]}}\ndesigns: {open: {arms: {drug: 1}}}\n"),
    "both": protocol(
        "both",
        f"arms: {{cells: {CELLS}, both: {{cells: UC-MSC 1e6/kg iv x3 q28d, therapies: [ARB]}}}}\ndesigns: {{main: {{arms: {{both: 1, cells: 1}}}}}}\n",
    ),
    "strata": protocol("strata", STRATA + f"arms: {{control: {{}}, cells: {CELLS}}}\ndesigns: {{main: {{arms: {{cells: 1, control: 1}}}}}}\n"),
    "strata of a drug": protocol("strata-drug", STRATA + DRUG),
    "slope": protocol("slope", DRUG, SLOPE),
    "events": protocol("events", DRUG, EVENTS),
    "responders": protocol("responders", DRUG, RESPONSE),
    "ratio": protocol("ratio", DRUG, RATIO),
    "two": protocol("two", f"arms: {{cells: {CELLS}}}\ndesigns: {{alone: {{arms: {{cells: 1}}}}}}\n", patients=2),
}  # fmt: skip
#: Features of protocols and words of them; a protocol that lacks the feature has none of the words.
WORDS = {
    "cells": r"\bcells?\b|infusion|seed-claims|scenario|\bclaims\b|mechanism",
    "single arm": r"without a control group|before and after|one group:|paired|would report improvement",
    "control": r"randomised trial|ANCOVA|covariance|difference|against (?!baseline|the rest|the donor)|allocated|hazard",
    "two strata": r"strat(?:um|a)\b|early|late\b|stages?\b",
    "several designs": r"Each design|designs\b",
    "several scenarios": r"equally probable|assurance|likelihood ratio|under each of",
    "events": r"[Hh]azard|times? to (?:the )?event",
    "responders": r"[Rr]esponders|Newcombe",
    "slope": r"endpoint.{0,40}slope|total slope is|slope of eGFR",
    "co-medication": r"co-medication begun by others: [^n]",
}
HAS = {
    "drug": {"control"},
    "three": {"control"},
    "one": {"single arm"},
    "both": {"cells", "control", "several scenarios"},
    "strata": {"cells", "control", "several scenarios", "two strata"},
    "strata of a drug": {"control", "two strata"},
    "slope": {"control", "slope", "responders"},
    "events": {"control", "events"},
    "responders": {"control", "responders"},
    "ratio": {"control"},
    "two": {"cells", "single arm", "several scenarios"},
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        # What the ledger says is no word of the report's own, see `shown`.
        patch.setattr(trial_report, "_claims", lambda assessment: [])
        found |= _reports(tmp_path_factory)
    return found


def _reports(tmp_path_factory):
    found = {}
    for name, text in TEXTS.items():
        trial = parse_protocol(text)
        pool = small.pool(trial, people=600)
        for (arm, stage, scenario), _ in list(pool.keys.items()):
            if (
                arm
                and trial.arms[arm].therapies
                and trial.arms[arm].cells is None
                and stage in ("care", "co-medication", "cells")
            ):
                pool.keys[arm, stage, scenario] = "cells"  # the course in which UACR is halved
        run = conduct.conduct_trial(trial, pool=pool)
        found[name] = make(run, tmp_path_factory.mktemp("report"), ["report", name], quick=True)
    return found


def shown(page: str) -> str:
    """The sentences, tables and drawn texts of a page; not its style, sources, claims of the ledger and dictionary."""
    for part in ("dictionary", "sources", "claims"):
        page = re.sub(rf'<section id="{part}-section".*?</section>', "", page, flags=re.DOTALL)
        page = re.sub(rf'<li><a href="#{part}">.*?</li>', "", page)
    drawn = " ".join(re.findall(r"<!--(.*?)-->", page, flags=re.DOTALL))
    said = " ".join(re.findall(r'aria-label="([^"]*)"', page))
    page = re.sub(r"<style.*?</style>|<svg.*?</svg>", "", page[page.index("<body>") :], flags=re.DOTALL)
    page = re.sub(r'<section aria-labelledby="provenance">.*?</section>', "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split()) + " " + drawn + " " + said


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_said_of_what_a_protocol_lacks(name: str, reports) -> None:
    """F2, F5: texts that were written for one protocol are printed for others only where they hold."""
    text = shown(reports[name].files[0].read_text(encoding="utf-8"))
    for feature, pattern in WORDS.items():
        if feature not in HAS[name]:
            said = [text[max(0, m.start() - 60) : m.end() + 40] for m in re.finditer(pattern, text)]
            assert not said, (feature, said[:5])
    assert not re.search(
        r"\bnan\b|\binf\b|\bNone\b|(?<!\d)(?<!\d[\s.,])1 (?:combinations|scenarios|replicates|patients|trials|designs)\b",
        text,
    )


@pytest.mark.parametrize("name", TEXTS)
def test_numbers_of_every_report_are_plain(name: str, reports) -> None:
    """F31 and breaker 12: no NaN in JSON, no 4e-19 for 0 in tables, no row about cells where nobody gets them."""
    made = reports[name]
    json.dumps(report_as_dict(made.assessment, made.extra), allow_nan=False)
    for key, table in report_tables(made.assessment).items():
        assert "cells" in HAS[name] or not {"tests_cells", "true_effect_of_cells", "cells"} & set(table.columns), key
        for column in ("truth", "mean", "low", "high"):
            if column in table:
                assert not ((table[column].abs() < 1e-12) & (table[column] != 0)).any()
    header, rows = terminal_summary(made.assessment)
    assert rows and all(len(row) == len(header) for row in rows)
    assert "cells" in HAS[name] or "cells" not in header


def test_the_true_effect_of_a_drug_is_its_own(reports) -> None:
    """F2: a drug that halves UACR was said to have a true effect of 0 and called "no effect"."""
    a = reports["drug"].assessment
    row = a.result("main", "none")
    assert row["truth"] == pytest.approx(math.log(0.5), abs=1e-6)
    (_, answer), (_, size) = answers.answer_questions(a, [])
    assert "For 80 % power" in size and "cells" not in size
    assert "true difference is \u221250\u00a0%" in answer and "compare drug with placebo" in answer
    header, rows = terminal_summary(a)
    assert header[-1] == "true difference" and rows[0][-1] == "\u221250\u00a0%"
    ((question, answer),) = answers.answer_questions(reports["one"].assessment, [])
    assert question.startswith("Would a study of 40 patients without a control group report improvement?")
    assert "true effect of the treatment is \u221250\u00a0%" in answer


def test_every_comparison_of_three_groups_is_told(reports) -> None:
    text = shown(reports["three"].files[0].read_text(encoding="utf-8"))
    assert "The groups \u201clow\u201d and \u201chigh\u201d are each compared with \u201cplacebo\u201d" in text
    assert "low against placebo" in text and "high against placebo" in text
    _, rows = terminal_summary(reports["three"].assessment)
    assert [row[0] for row in rows] == ["low against placebo", "high against placebo"]
    (size,) = [fact for fact in brief(reports["three"].assessment).facts if "80 % power" in fact]
    assert size.startswith("For 80 % power (low against placebo): ")


def test_groups_that_both_have_cells_are_said_to(reports) -> None:
    assert "Both groups get the same cells" in shown(reports["both"].files[0].read_text(encoding="utf-8"))
    assert "Both groups" not in shown(reports["drug"].files[0].read_text(encoding="utf-8"))


def test_strata_of_any_name_have_figures_of_their_own(reports) -> None:
    for name in ("strata", "strata of a drug"):
        page = reports[name].files[0].read_text(encoding="utf-8")
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids)) and all(ids)
        assert "low ÄÖ" in page and "糖尿病" in page


def test_a_ratio_of_a_linear_quantity_is_in_per_cent(reports) -> None:
    """Its estimate is the logarithm of a ratio, which was shown as points of HbA1c."""
    _, rows = terminal_summary(reports["ratio"].assessment)
    assert rows[0][1].endswith("%") and "points" not in rows[0][1]


def test_a_share_is_no_hazard_ratio(reports) -> None:
    _, rows = terminal_summary(reports["events"].assessment)
    assert "hazard ratio" in rows[0][1] or rows[0][1] == "\u2013"
    _, rows = terminal_summary(reports["responders"].assessment)
    assert rows[0][1].endswith("% of patients")


def test_times_to_events_are_told_as_a_statistician_would(reports) -> None:
    """Events are counted up to a visit and by group, what nobody sees any more is no missing value, and few trials tell no type I error."""
    made = reports["events"]
    text = shown(made.files[0].read_text(encoding="utf-8"))
    assert "Hazard ratio of the event by month 12" in text and "hazard of the event by month 12" in text
    assert "leaving the trial and death end what is watched" in text
    assert "are meant to be (type I error). 30 trials are too few to tell" in text
    (row,) = made.assessment.one_trial.to_dict("records")
    assert row["analysis"] == "log-rank" and f"{row['events_treated']} against {row['events_control']}" in text
    trial = conduct_one(made, row["replicate"])
    assert (row["events_treated"], row["events_control"]) == trial
    assert "leaving the trial and death end what is measured" in shown(reports["slope"].files[0].read_text("utf-8"))


def conduct_one(made, replicate: int) -> tuple[int, int]:
    """Events of the two groups of one trial, counted from its data."""
    a = made.assessment
    table = a.survival[a.survival["replicate"] == replicate].groupby("arm")["at_risk"].max()
    trial = parse_protocol(TEXTS["events"])
    data = conduct.conduct_trial(trial, pool=small.pool(trial, people=600))["main", "none"]
    _, event = endpoints.times(data, trial.endpoints.primary)
    of = {
        name: event[replicate] & data.enrolled[replicate] & (data.arm[replicate] == data.arms.index(name))
        for name in table.index
    }
    return tuple(int(of[name].sum()) for name in ("drug", "placebo"))


@pytest.mark.parametrize(
    ("bias", "composite", "said"),
    [(0.2, False, "off by more than chance"), (0.02, True, "differ from trial to trial"), (0.02, False, "too small")],
)
def test_why_intervals_miss_the_truth_depends_on_what_the_estimate_does(bias, composite, said) -> None:
    assert said in sections_estimand._why_narrow({"bias": bias, "error_of_bias": 0.02}, composite)


def test_designs_that_were_not_run_are_not_spoken_of(tmp_path) -> None:
    """A run of one design of two was reported with the other, which "cannot be estimated"."""
    middle = f"arms: {{placebo: {{placebo: true}}, drug: {{therapies: [SGLT2 inhibitor]}}, cells: {CELLS}}}\n"
    trial = parse_protocol(
        protocol("parts", middle + "designs: {of cells: {arms: {cells: 1}}, of drugs: {arms: {drug: 1, placebo: 1}}}\n")
    )
    run = conduct.conduct_trial(trial, ["of drugs"], pool=small.pool(trial, people=300))
    made = make(run, tmp_path, ["report"], quick=True)
    text = shown(made.files[0].read_text(encoding="utf-8"))
    assert not re.search(WORDS["cells"], text) and "of cells" not in text and "Of drugs" in text
    assert [row[0] for row in terminal_summary(made.assessment)[1]] == ["drug against placebo"]


def test_few_people_behind_many_patients_are_told(tmp_path) -> None:
    """F8b: the report, its JSON and the terminal say how many virtual people the patients are."""
    trial = parse_protocol(TEXTS["drug"])
    run = conduct.conduct_trial(trial, pool=small.pool(trial, people=12))
    made = make(run, tmp_path, ["report"], quick=True)
    text = shown(made.files[0].read_text(encoding="utf-8"))
    assert "40 patients are drawn from" in text and "widen the eligibility" in text
    assert report_as_dict(made.assessment, made.extra)["people_behind_patients"]["main"]["few"]


#: As it is written in YAML between double quotes, and in JSON.
EVIL = r"""<img src=x onerror=alert(1)></script><script>alert(1)</script>{{7*7}} 'a' \"b\" & $\\frac{$ --> ]]>"""


def test_texts_of_a_protocol_stay_texts(tmp_path) -> None:
    """Titles, summaries, labels, notes, names of visits, arms, strata, designs and endpoints are escaped by the template engine."""
    evil, name = EVIL, json.loads(f'"{EVIL}"')
    text = (
        f'name: evil\ntitle: "{evil}"\nsummary: "{evil}"\nsources: ["{evil}"]\nassumptions: ["{evil}"]\n'
        "population: {size: 100}\neligibility: {UACR: {min: 30 mg/g}}\npatients: 20\n"
        f'strata: {{"{evil}": {{label: "{evil}", where: {{UACR: {{max: 200 mg/g}}}}}}, b: {{where: {{UACR: {{min: 200 mg/g}}}}}}}}\n'
        f'arms: {{"{evil}": {{label: "{evil} arm", cells: UC-MSC 1e6/kg iv}}, control: {{label: "{evil} c"}}}}\n'
        f'designs: {{"{evil}": {{label: "{evil} d", arms: {{"{evil}": 1, control: 1}}}}, s: {{arms: {{"{evil}": 1}}}}}}\n'
        f'visits:\n  - {{name: screening, day: -14 day}}\n  - {{name: enrolment, day: 0 day}}\n  - {{name: "{evil}", day: 183 day}}\n'
        "measurements: {UACR: {}, eGFR: {}}\n"
        f'conduct: {{effects: [{{quantity: UACR, factor: 0.9, note: "{evil}"}}]}}\n'
        f'endpoints: {{primary: {{name: "{evil}", quantity: UACR, summary: ratio, at: "{evil}"}}}}\n'
        "scenarios: [none, seed-claims]\nseed: 1\nreplicates: 8\n"
    )
    trial = parse_protocol(text)
    run = conduct.conduct_trial(trial, pool=small.pool(trial, people=300))
    page = make(run, tmp_path, ["report", name], quick=True).files[0].read_text(encoding="utf-8")
    assert "<img" not in page and "<script" not in page and "</script" not in page
    body = page[page.index("<main>") : page.index("</main>") + 7]
    from xml.etree import ElementTree

    root = ElementTree.fromstring(body.replace("xlink:href", "href").replace("<br>", "<br/>"))
    assert "".join(root.find("h1").itertext()) == name


def test_what_is_shown_of_one_comparison_names_it_where_there_are_others():
    more = small.TEXT.replace("{cells: 1, control: 1}", "{cells: 1, control: 1, more: 1}")
    more = more.replace("  cells: {cells", "  more: {cells: UC-MSC 2e6/kg iv}\n  cells: {cells", 1)
    for given, expected in ((small.TEXT, ""), (more, " (cells against control)")):
        assert words.first_of_several(SimpleNamespace(protocol=small.parse_protocol(given)), "randomised") == expected


def test_what_came_out_says_what_is_supposed_of_the_cells():
    text = re.sub(r"  randomised: .*\n", "", small.TEXT).replace("  control: {placebo: true}\n", "")
    text = text.replace("summary: ratio", "summary: responders, percent: -30")
    for scenarios, count in (("[seed-claims]", 1), ("[none, seed-claims]", 2)):
        protocol = small.parse_protocol(text.replace("[none, seed-claims]", scenarios))
        a = result_tables.assess(conduct.conduct_trial(protocol, pool=small.pool(protocol), replicates=3))
        ((question, text_found),) = [each for each in answers.answer_questions(a, []) if each[0] == "What came out?"]
        assert "if cells do all that is claimed for them" in text_found and text_found.count(" if cells") == count, (
            question
        )


@pytest.mark.parametrize("name", TEXTS)
def test_the_brief_is_brief_and_has_the_main_number(name: str, reports) -> None:
    """At most 150 words, with an interval, and the picture of the design that it speaks of stands beside it."""
    a = reports[name].assessment
    found = brief(a)
    text = " ".join([found.message, *found.facts])
    assert len(text.split()) <= 150 and found.message.endswith(".")
    assert " to " in found.message or "cannot be estimated" in found.message
    page = reports[name].files[0].read_text(encoding="utf-8")
    first = page[page.index('id="brief"') : page.index('id="questions"')]
    picture = f'<figure id="figure-studies-{slug(found.design)}">'
    assert (picture in first) == (picture in page)
