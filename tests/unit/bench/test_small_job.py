"""Engines are compared by one job: ours does its arithmetic, and its digest says so."""

import numpy as np
import pytest

from bench import small_job
from bench.peers import beside, engine_ours, engine_plain, job


@pytest.mark.parametrize("which", job.JOBS)
def test_ours_and_plain_numpy_end_with_the_same_weights(tmp_path, which):
    small_job.write_for_peers(tmp_path)
    small_job.make(tmp_path / f"mesh-{which}", small_job.ALGORITHMS[which])
    plain = engine_plain.run(tmp_path, which, "")
    ours = engine_ours.run(tmp_path, which, "embedded")
    np.testing.assert_allclose(ours.weights, plain.weights, atol=1e-9)
    found = ours.json(tmp_path)
    assert found["digest"] == plain.json(tmp_path)["digest"]
    assert found["accuracy"] == plain.json(tmp_path)["accuracy"]


def test_a_digest_tells_other_weights_apart_and_not_the_last_digits():
    weights = np.array([0.25, -1.5, 0.0])
    assert job.digest(weights) == job.digest(weights + 1e-9)
    assert job.digest(weights) == job.digest(np.array([[0.25], [-1.5], [-0.0]]))
    assert job.digest(weights) != job.digest(weights + 1e-5)


def test_an_engine_that_failed_is_a_row_that_says_why(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{beside.BEGIN}\nold\n{beside.END}\nafter\n")
    line = {"job": "fedavg", "engine": "x", "error": "took more than 9 s", "load": 1.0}
    beside.write_into(page, [line])
    text = page.read_text()
    assert "took more than 9 s" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
