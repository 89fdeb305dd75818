"""A model survives the way to another process."""

import subprocess
import sys
from pathlib import Path

from betapod.engine.runs.transport import pack, unpack
from betapod.model import Part, assemble
from betapod.model.parameters.table import Parameter, ParameterTable

TEXT = """
x solves x + exp(x) = a * y from start in 5 steps [1] a root
w = x * hill(y, k, 2) [1] reported
dy/dt = k_rate * (x - y) [1/day] state
y(0) = a [1] start value
"""


def model():
    rows = [
        Parameter(n, n, v, u)
        for n, v, u in [("a", 2.0, "1"), ("start", 0.2, "1"), ("k", 0.7, "1"), ("k_rate", 0.3, "1/day")]
    ]
    part = Part.from_text("root", TEXT, events='floor when y < k then stop "y too low"')
    return assemble("root", [part], ParameterTable(rows))


def test_the_same_model_arrives_in_this_process():
    before = model()
    after = unpack(pack(before))
    assert after.fingerprint == before.fingerprint
    assert after.states[0].rate is before.states[0].rate
    assert after.jacobian == before.jacobian
    assert after.values() == before.values() and after.units == before.units and after.labels == before.labels
    assert after.events == before.events


def test_the_same_model_arrives_in_another_process(tmp_path: Path):
    before = model()
    (tmp_path / "model").write_bytes(pack(before))
    code = (
        "import sys; from betapod.engine.runs.transport import unpack; m = unpack(open(sys.argv[1], 'rb').read());"
        "print(m.fingerprint, len(m.jacobian))"
    )
    out = subprocess.run([sys.executable, "-c", code, tmp_path / "model"], capture_output=True, text=True, check=True)
    assert out.stdout.split() == [before.fingerprint, str(len(before.jacobian))]
