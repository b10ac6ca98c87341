"""Where classes are undersampled a model learns from the rows that are left, only."""

import numpy as np
import pytest

from fl_plugin.errors import UsageError
from fl_plugin.party.portions import PORTION_STREAM
from fl_plugin.preparation.splits import row_hashes, uniform
from tests.made_mesh import make_mesh
from tests.small_mesh import SEED, small, trained_over

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
RATIO = 1.2


def trained(root, **study):
    words = {"sampling": {"undersample": RATIO}, **study}
    made = small(DOMAINS, rows=600, study=words)
    return trained_over(make_mesh(root, made), lambda engine: engine)[0], made


def kept(made, fit):
    """Return the class counts of training rows before and after, drawn by hand."""
    before, after = np.zeros(2, int), np.zeros(2, int)
    tables = made.tables.values()
    rows = []
    for table in tables:
        keys = (b"\x01" + str(v).encode() for v in table["row_id"].to_pylist())
        hashes, bad = row_hashes(keys), table["bad"].to_numpy(zero_copy_only=False)
        train = fit.candidate.split.select(hashes, SEED)
        rows.append((uniform(hashes, SEED, PORTION_STREAM)[train], bad[train]))
        before += np.bincount(bad[train], minlength=2)
    shares = np.minimum(1.0, RATIO * before.min() / before)
    for draws, bad in rows:
        left = draws < shares[bad.astype(int)]
        after += np.bincount(bad[left], minlength=2)
    return before, after


def test_boosting_starts_from_the_classes_of_the_rows_that_are_left(tmp_path):
    """As scikit-learn would over these rows: the log odds, to the last digits."""
    algorithm = {"name": "hist_gradient_boosting_classifier", "max_iter": 2}
    found, made = trained(tmp_path, algorithm=algorithm)
    (fit,) = found.fits
    before, after = kept(made, fit)
    assert tuple(before) == fit.prepared.class_counts == fit.task.class_counts
    assert after.max() < before.max()
    odds = np.log(after[1] / after[0])
    assert float(fit.fitted.model["start"][0]) == pytest.approx(odds, abs=1e-12)


def test_how_many_rows_are_left_is_not_known_beforehand(tmp_path):
    """Which is why `balanced` weights, made before the first sum, are refused."""
    algorithm = {"name": "gaussian_nb"}
    found, made = trained(tmp_path, algorithm=algorithm)
    before, after = kept(made, found.fits[0])
    expected = np.minimum(before, RATIO * before.min())
    assert (np.abs(after - expected) > 0.5).any()


def test_weighing_what_is_undersampled_is_refused(tmp_path):
    algorithm = {"name": "logistic_regression", "class_weight": "balanced"}
    with pytest.raises(UsageError, match="undersamples classes and weighs them"):
        trained(tmp_path, algorithm=algorithm)
