"""Where labels are protected no message of any algorithm holds one in the clear.

Nor a prediction or a residual: not in what the coordinator sees, nor in what is sealed
for another party, which here is sealed open.
"""

from dataclasses import replace

import numpy as np
import pytest

from fl_plugin.vertical.base import PROTECTED, SHARED
from fl_plugin.vertical.split_network import SplitNetwork
from fl_plugin.vertical.vertical_linear_regression import VerticalLinearRegression
from fl_plugin.vertical.vertical_logistic_regression import VerticalLogisticRegression
from fl_plugin.vertical.vertical_poisson_regression import VerticalPoissonRegression
from tests.split_rows import parties_of, task_of
from tests.vertical import fit_over, score_over

ROWS = 400
NETWORK = {"epochs": 2, "batch_size": 50}
CASES = {
    "split network": (SplitNetwork.of(NETWORK), "binary"),
    "split network, bare": (SplitNetwork.of(NETWORK | {"defence": "none"}), "binary"),
    "split network, count": (SplitNetwork.of(NETWORK), "count"),
    "split network, number": (SplitNetwork.of(NETWORK), "regression"),
    "logistic": (VerticalLogisticRegression(tolerance=1e-3), "binary"),
    "linear": (VerticalLinearRegression(tolerance=1e-3), "regression"),
    "poisson": (VerticalPoissonRegression(alpha=0.1, tolerance=1e-3), "count"),
}
FLOATS, WHOLE = ("<f8", "<f4", "<f2"), ("<i8", "<i4", "u1")
RUN = 24  # rows next to one another: fewer may look alike by chance
SINGLE = 20  # rows that are looked for one by one, 8 bytes each


@pytest.fixture(scope="module", params=CASES)
def seen(request):
    """Return target, predictions, bytes by row and column, batches, and columns."""
    return transcript(*CASES[request.param], PROTECTED)


def transcript(algorithm, kind, labels):
    parties = parties_of(kind, rows=ROWS)
    task = task_of(parties, kind, labels)
    fit = fit_over(algorithm, task, parties)
    without = {
        p: replace(s, block=replace(s.block, y=np.zeros(0))) for p, s in parties.items()
    }
    predictions = score_over(algorithm, task, without, fit)
    sent = b"|".join(
        told.tobytes()
        for one in fit.wire.sent
        for array in one.arrays.values()
        for told in (array, *([array.swapaxes(0, 1)] if array.ndim > 1 else ()))
    )
    orders = [np.arange(ROWS)]
    if isinstance(algorithm, SplitNetwork):
        schedule = algorithm.blueprint(task).schedule
        asked = schedule.orders()
        orders += [asked.rows(step) for step in range(schedule.steps)]
    columns = {p: side.block.x for p, side in parties.items()}
    return parties["bank"].block.y, predictions, sent, orders, columns


def found(values, orders, sent):
    """Return in how many ways the values of some rows in a row were sent."""
    whole = (values == np.round(values)).all() and values.min() >= 0
    return sum(
        values[rows[:RUN]].astype(kind).tobytes() in sent
        for rows in orders
        for kind in (*FLOATS, *(WHOLE if whole else ()))
    )


def test_no_label_crosses_in_any_type_or_order(seen):
    y, _, sent, orders, _ = seen
    for values in (y, 1.0 - y, y - y.mean(), (y - y.mean()) / y.std()):
        assert not found(values, orders, sent)


def test_no_prediction_and_no_residual_crosses(seen):
    y, predictions, sent, orders, _ = seen
    for values in (predictions, y - predictions, predictions - y):
        assert not found(values, orders, sent)
        singles = [v for v in values[:SINGLE] if not float(v).is_integer()]
        assert len(singles) > SINGLE // 2
        assert not any(np.float64(v).tobytes() in sent for v in singles)


def test_no_column_crosses_in_any_type_or_order(seen):
    *_, sent, orders, columns = seen
    for x in columns.values():
        for values in (*x, *(v / np.sqrt(np.square(v).mean()) for v in x)):
            assert not found(values, orders, sent)


def test_a_column_that_is_sent_in_half_precision_would_be_found(seen):
    *_, sent, orders, columns = seen
    values = columns["post"][0]
    leak = np.stack([values, values], axis=1)[orders[-1]].astype("<f2")
    assert found(values, orders, sent + leak.T.tobytes())


def test_shared_labels_and_scores_would_be_found():
    """The search finds what is there: so what it does not find is not."""
    y, predictions, sent, orders, _ = transcript(*CASES["split network"], SHARED)
    assert found(y, orders, sent)
    assert found(predictions, orders, sent)
