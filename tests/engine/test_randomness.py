"""Random streams: known answers, independence of order and sharding, distribution."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from betapod.base.errors import ConfigError
from betapod.base.randomness import Stream, _philox


def test_scattered_patients_reproduce_numpy_philox_word_for_word():
    stream = Stream(20261121, "draw:GFR0", 3)
    scattered = np.random.default_rng(1).permutation(1000)
    assert np.array_equal(stream.integers(scattered, item=5), stream.integers(range(1000), item=5)[scattered])


def test_patients_far_apart_have_the_numbers_of_their_range():
    """However they are computed: a range that is picked from, or rounds written out for those who are too far apart."""
    stream = Stream(20261121, "draw:GFR0", 3)
    numbers = np.array([11_003, 3, 10_000_001, 10_000_900, 7])
    alone = np.concatenate([stream.integers(range(n, n + 1), item=2) for n in numbers])
    assert np.array_equal(stream.integers(numbers, item=2), alone)
    assert np.array_equal(_philox(numbers, 2, stream.key), alone)
    assert np.array_equal(stream.integers(numbers[[0, 1, 4]], item=2), alone[[0, 1, 4]])


def test_known_answer_of_philox4x64():
    """NumPy's block 0 is the published answer of Random123 for counter and key 0; ours are the blocks after it."""
    before = np.full(4, 2**64 - 1, np.uint64)
    raw = np.random.Philox(key=np.zeros(2, np.uint64), counter=before).random_raw(16)
    published = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert raw[:4].tolist() == published
    assert np.array_equal(_philox(np.arange(12)[::-1], 0, (0, 0)), raw[4:][::-1])


def test_numbers_of_a_named_stream_never_change():
    """Golden: a change here changes every virtual population ever drawn."""
    assert Stream(1, "draw:GFR0").key == (2208789669402548536, 709903454013110029)
    assert Stream(1, "draw:GFR0").integers(range(3)).tolist() == [
        130092415520685493,
        10477071126990338728,
        15161754337528798345,
    ]
    assert Stream(1, "dropout").generator(7).integers(0, 1000, 3).tolist() == [227, 150, 851]


@given(
    first=st.integers(0, 2**40),
    count=st.integers(1, 50),
    item=st.integers(0, 2**33),
    seed=st.integers(0, 2**64),
    data=st.data(),
)
def test_any_cut_and_any_order_gives_the_same_numbers(first, count, item, seed, data):
    stream = Stream(seed, "law")
    whole = stream.integers(range(first, first + count), item)
    cut = data.draw(st.integers(0, count))
    parts = [stream.integers(range(first, first + cut), item), stream.integers(range(first + cut, first + count), item)]
    assert np.array_equal(np.concatenate(parts), whole)
    order = np.array(data.draw(st.permutations(range(count))))
    assert np.array_equal(stream.integers(first + order, item), whole[order])


def test_seed_purpose_replicate_item_and_patient_all_matter():
    patients = range(64)
    streams = [
        Stream(1, "a").uniform(patients),
        Stream(2, "a").uniform(patients),
        Stream(1, "b").uniform(patients),
        Stream(1, "a", 1).uniform(patients),
        Stream(1, "a").uniform(patients, item=1),
    ]
    numbers = np.concatenate(streams)
    assert len(np.unique(numbers)) == len(numbers)
    # Concatenated keys must not collide: seed 1 replicate 12 is not seed 11 replicate 2.
    assert Stream(1, "a", 12).key != Stream(11, "a", 2).key


def test_generators_of_patients_differ_from_each_other_and_from_the_stream():
    stream = Stream(5, "visits")
    raw = np.concatenate([stream.generator(p).bit_generator.random_raw(100) for p in range(20)])
    assert len(np.unique(np.concatenate([raw, stream.integers(range(2000))]))) == 4000
    assert np.array_equal(stream.generator(3).random(5), stream.generator(3).random(5))


def test_uniform_is_open_symmetric_and_uniform():
    u = Stream(0, "uniform").uniform(range(200_000))
    assert u.min() > 0.0 and u.max() < 1.0
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.01
    # The extremes of the construction itself.
    smallest, largest = (np.array([0, (1 << 52) - 1], np.float64) + 0.5) * 2.0**-52
    assert smallest > 0.0 and largest < 1.0 and smallest == 1.0 - largest


def test_normal_numbers():
    z = Stream(0, "normal").normal(range(200_000))
    assert stats.kstest(z, "norm").pvalue > 1e-3


def test_a_million_patients_take_well_under_a_second_each_way():
    stream = Stream(0, "speed")
    shuffled = np.random.default_rng(0).permutation(1_000_000)
    start = time.perf_counter()
    whole = stream.uniform(range(1_000_000))
    assert np.array_equal(stream.uniform(shuffled), whole[shuffled])
    assert time.perf_counter() - start < 5.0


@pytest.mark.parametrize("patients", [range(-1, 3), np.array([-1]), np.array([0.5]), [[1]]])
def test_patients_must_be_whole_numbers_from_zero(patients):
    with pytest.raises(ConfigError, match="bad-patient"):
        Stream(0, "x").uniform(patients)


def test_negative_seed_is_refused():
    with pytest.raises(ConfigError, match="bad-seed"):
        Stream(-1, "x")


def test_no_patients_give_no_numbers():
    assert Stream(0, "x").uniform(range(0)).shape == (0,)
    assert Stream(0, "x").uniform([]).shape == (0,)
