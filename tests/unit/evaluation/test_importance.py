"""What a feature is worth: how much worse the main figure gets without it."""

import numpy as np
import pytest

from fl_plugin.errors import MessageError
from fl_plugin.evaluation.base import EvaluationSpec, evaluation_for
from fl_plugin.evaluation.importance import importance
from fl_plugin.evaluation.metrics import Metrics

BINARY = evaluation_for(EvaluationSpec(classes=(False, True)))
NUMBER = evaluation_for(EvaluationSpec(kind="regression"))


def found_of(*arguments):
    found = importance(*arguments)
    assert found is not None
    return found


def of(name, value, rows=100):
    return Metrics(kind="binary", rows=rows, figures={name: value})


def test_it_is_the_mean_drop_of_a_figure_that_should_be_high():
    repeats = [of("roc_auc", v) for v in (0.70, 0.72, 0.77)]
    found = found_of(BINARY, "age", of("roc_auc", 0.8), repeats)
    assert found.feature == "age"
    assert found.mean == pytest.approx(0.07)
    assert found.spread == pytest.approx(np.std([0.70, 0.72, 0.77], ddof=1))


def test_it_is_the_mean_rise_of_one_that_should_be_low():
    found = found_of(NUMBER, "age", of("mse", 2.0), [of("mse", 2.5), of("mse", 1.9)])
    assert found.mean == pytest.approx(0.2)


def test_one_repeat_has_no_spread():
    found = found_of(BINARY, "age", of("roc_auc", 0.8), [of("roc_auc", 0.8)])
    assert (found.mean, found.spread) == (0.0, None)


@pytest.mark.parametrize(("whole", "other"), [(None, 0.7), (0.7, None)])
def test_an_undefined_figure_has_none(whole, other):
    repeats = [of("roc_auc", 0.6), of("roc_auc", other)]
    assert importance(BINARY, "age", of("roc_auc", whole), repeats) is None


def test_other_rows_than_before_are_refused():
    repeats = [of("roc_auc", 0.7), of("roc_auc", 0.7, rows=99)]
    with pytest.raises(MessageError, match="permuted"):
        importance(BINARY, "age", of("roc_auc", 0.8), repeats)
