"""Whatever a file or a value holds, the answer is work done or an error on purpose, in time, and nothing half-written."""

from __future__ import annotations

import functools

import pytest
from fuzzing.commands import try_command
from fuzzing.judge import try_file
from fuzzing.readers import READERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

#: A longer run of the same: benchmarks/fuzz.py.
EXAMPLES = 100
THOROUGH = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@functools.cache
def seeds(name: str) -> list[bytes]:
    return READERS[name].seeds()


@pytest.mark.parametrize("name", READERS)
@THOROUGH
@given(st.data())
def test_a_damaged_file_is_read_or_refused(name: str, data: st.DataObject) -> None:
    try_file(READERS[name], seeds(name), lambda below: data.draw(st.integers(0, below - 1)))


@pytest.mark.parametrize("name", READERS)
def test_the_right_file_is_read(name: str) -> None:
    from fuzzing.judge import read_bytes

    assert {read_bytes(READERS[name], seed) for seed in seeds(name)} == {"read"}


@THOROUGH
@given(st.data())
def test_an_odd_value_is_taken_or_refused(data: st.DataObject) -> None:
    try_command(lambda below: data.draw(st.integers(0, below - 1)))
