"""Intervals: what they cover, what pairing gains, and the same numbers as a loop over draws."""

import numpy as np
import pytest

import tam_widget as tam
from tam_widget.evaluation.report.statistics import Estimate, bootstrap_means, estimate, harmonic_mean


def words_of(rng, samples, mean=1.0):
    """Sums and counts of words whose values share a part within a sample."""
    counts = rng.integers(1, 6, samples)
    shared = rng.exponential(mean / 2, samples)
    return np.array(
        [(part + rng.exponential(mean / 2, n)).sum() for part, n in zip(shared, counts, strict=True)]
    ), counts


def test_intervals_hold_the_true_mean_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(600):
        sums, counts = words_of(rng, 200)  # of fewer samples, percentile intervals are known to be a little short
        found = estimate(bootstrap_means(sums, counts, resamples=300, seed=trial))
        held += found.low <= 1.0 <= found.high
    assert 0.915 <= held / 600 <= 0.97


def test_words_of_one_sample_stay_together():
    """Counting each word as a sample of its own would promise too much."""
    rng = np.random.default_rng(2)
    values = np.repeat(rng.normal(size=50), 20)
    together = estimate(bootstrap_means(values.reshape(50, 20).sum(1), np.full(50, 20)))
    apart = estimate(bootstrap_means(values, np.ones(1000)))
    assert together.value == pytest.approx(apart.value)
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_a_paired_difference_is_surer_than_an_unpaired_one():
    rng = np.random.default_rng(3)
    sums, counts = words_of(rng, 200)
    better = sums + 0.1 * counts + rng.normal(0, 0.05, 200)
    first, second = bootstrap_means(sums, counts), bootstrap_means(better, counts)
    paired = estimate(second - first)
    unpaired = estimate(second - bootstrap_means(sums, counts, seed=1))
    assert paired.value == pytest.approx(0.1, abs=0.01)
    assert paired.low > 0
    assert unpaired.low < 0
    assert paired.high - paired.low < 0.2 * (unpaired.high - unpaired.low)


def test_the_same_as_a_loop_over_draws():
    rng = np.random.default_rng(4)
    sums, counts = rng.random((7, 2)), rng.integers(0, 4, (7, 2))
    found = bootstrap_means(sums, counts, resamples=50, seed=9)
    drawing = np.random.default_rng(9)
    expected = [sums.sum(0) / counts.sum(0)]
    for _ in range(50):
        chosen = np.repeat(np.arange(7), drawing.multinomial(7, np.full(7, 1 / 7)))
        expected.append(sum(sums[i] for i in chosen) / sum(counts[i] for i in chosen))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    f1 = estimate(harmonic_mean(found[:, 0], found[:, 1]))
    loop = [2 * a * b / (a + b) for a, b in expected]
    assert f1.value == pytest.approx(loop[0])
    assert (f1.low, f1.high) == pytest.approx(tuple(np.quantile(loop[1:], [0.025, 0.975])))


def test_a_draw_is_the_same_however_it_is_cut(monkeypatch):
    from tam_widget.evaluation.report import statistics

    sums, counts = words_of(np.random.default_rng(5), 30)
    whole = bootstrap_means(sums, counts, resamples=70)
    monkeypatch.setattr(statistics, "_AT_ONCE", 30 * 8)
    np.testing.assert_array_equal(bootstrap_means(sums, counts, resamples=70), whole)
    assert not np.array_equal(bootstrap_means(sums, counts, resamples=70, seed=1), whole)


def test_nothing_to_average_has_no_value():
    assert estimate(bootstrap_means([0.0, 0.0], [0, 0])) == Estimate(None, None, None)
    one = estimate(bootstrap_means([0.5, 0.0], [1, 0]))  # draws without the first sample have no value
    assert one == Estimate(0.5, 0.5, 0.5)
    zero = np.zeros(3)
    assert harmonic_mean(zero, zero).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("sums", "counts"), [([], []), ([1.0], [1, 2]), (1.0, 1.0)])
def test_what_is_no_sample_is_refused(sums, counts):
    with pytest.raises(tam.EvaluationError, match="at least one sample"):
        bootstrap_means(sums, counts)
