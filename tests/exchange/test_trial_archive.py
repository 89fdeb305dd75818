"""Archives of one person in every arm of a trial."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from betapod import load_model, load_protocol, run_sedml
from betapod.base.errors import ConfigError, ExchangeError
from betapod.exchange.archive.sedml import TimeCourse, compared_sedml_text
from betapod.exchange.archive.trial_archive import arm_courses, write_trial_archive
from betapod.exchange.sedml.sedml_reader import read_sedml
from betapod.trials.conduct.trial_people import protocol_people


def test_every_arm_gives_what_its_protocol_says() -> None:
    protocol = load_protocol("skyler2015")
    one = protocol_people(protocol, 20).library.take([0])
    courses = {c.arm: c for c in arm_courses(protocol, one, load_model("reference"), "face-value")}
    assert list(courses) == ["placebo", "cells 0.3", "cells 1", "cells 2"]
    assert not courses["placebo"].schedule.doses
    given = {arm: sum(dose.amount for dose in course.schedule.doses) for arm, course in courses.items()}
    assert given["cells 2"] == pytest.approx(2.0 * given["cells 1"]) and given["cells 1"] > given["cells 0.3"] > 0.0
    assert {dose.time for dose in courses["cells 1"].schedule.doses} == {protocol.lead}
    # The same person in every arm; what cells do differs.
    assert all(course.initial == courses["placebo"].initial for course in courses.values())
    own = {name: values[0] for name, values in one.parameters.items() if name in courses["placebo"].model.inputs}
    for course in courses.values():
        assert {name: course.model.inputs[name].value for name in own} == pytest.approx(own)


def test_an_archive_of_an_arm_runs_again(tmp_path: Path) -> None:
    protocol = load_protocol("skyler2015")
    short = protocol.model_copy(update={"arms": {"cells 2": protocol.arms["cells 2"]}})
    written = write_trial_archive(short, tmp_path / "a.omex", step=49.0)
    assert written.scenario == "current-evidence" and list(written.arms) == ["cells 2"]
    with zipfile.ZipFile(written.path) as opened:
        assert f"person {written.person} of the library" in opened.read("README.txt").decode()
        expected = np.genfromtxt(opened.read("results_cells_2.csv").decode().splitlines(), delimiter=",", skip_header=1)
        text = opened.read("simulation.sedml")
    assert [column.label for column in read_sedml(text, "s").reports[0].columns][1] == "HbA1c [%]"
    np.testing.assert_allclose(run_sedml(written.path).reports["report_1"], expected, rtol=1e-7)


def test_arms_are_drawn_beside_each_other() -> None:
    outputs = {"GFR": "GFR [mL/min]", "UACR": "UACR [mg/g]"}
    courses = {arm: TimeCourse(f"{arm}.xml", 10.0, 5, outputs, arm) for arm in ("placebo", "cells")}
    document = read_sedml(compared_sedml_text(courses, "trial").encode(), "s")
    assert [report.label for report in document.reports] == ["placebo", "cells"]
    assert [[curve.label for curve in plot.curves] for plot in document.plots] == [["placebo", "cells"]] * 2
    assert [plot.label for plot in document.plots] == ["trial: GFR [mL/min]", "trial: UACR [mg/g]"]


def test_what_cannot_be_archived_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        write_trial_archive("dn61", tmp_path / "a.omex", scenario="seed-claim", outputs=["GRF"])
    assert caught.value.kinds == ("unknown-scenario", "unknown-name")
    with pytest.raises(ExchangeError, match="equally far apart"):
        write_trial_archive("dn61", tmp_path / "a.omex", step=7.5)
    with pytest.raises(ConfigError, match="may not be enrolled"):
        write_trial_archive("skyler2015", tmp_path / "a.omex", person=-1)
    assert not (tmp_path / "a.omex").exists()
