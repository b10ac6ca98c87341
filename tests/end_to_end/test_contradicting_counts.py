"""A domain that counts wrongly is found where its counts do not go with the others'.

Its message is changed by a number of rows that every public bound allows, in the clear
and under masks, where the coordinator sees no more than the total.
"""

import numpy as np
import pytest

from fl_plugin.errors import TrainingError
from fl_plugin.privacy.encoding import pack, unpack
from tests.faulty import Poisoning
from tests.made_mesh import make_mesh
from tests.small_mesh import small, trained_over

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
ROWS = 320
FOLDS = {"folds": 2, "repeats": 1}


def more(name, place, amount):
    """Return a change that adds to one number of an answer, masked or not."""

    def changed(reply):
        array = reply.arrays[name]
        width = array.shape[-1]
        words = unpack(array, array.shape[:-1], width).astype(np.uint64)
        words.reshape(-1)[place] += np.array(amount).astype(np.uint64)
        arrays = {**reply.arrays, name: pack(words, width)}
        return type(reply)(**{**reply.__dict__, "arrays": arrays})

    return changed


WRONG = {
    "rows in all": ("count", more("rows", 0, 3), "are not all rows"),
    "rows of a class": ("prepare", more("0.classes", 1, 3), "contradict"),
    "rows of a class of a fold": ("prepare", more("2.classes", 0, -3), "contradict"),
    "rows to learn from": ("prepare", more("0.rows", 0, 3), "contradict"),
    "values of a column": ("prepare", more("0.present", 0, 3), "contradict"),
}


@pytest.mark.parametrize("masked", [True, False], ids=["masked", "plain"])
@pytest.mark.parametrize("what", WRONG)
def test_a_few_rows_more_or_less_are_found(tmp_path, what, masked):
    kind, change, told = WRONG[what]
    study = {"privacy": {"secure_aggregation": masked}, "evaluation": FOLDS}
    node = {"secure_aggregation": "optional"}
    root = make_mesh(tmp_path, small(DOMAINS, rows=ROWS, study=study, node=node))
    with pytest.raises(TrainingError, match=told):
        trained_over(root, lambda inner: Poisoning(inner, kind, "cedar", change))


@pytest.mark.parametrize("masked", [True, False], ids=["masked", "plain"])
def test_the_same_change_of_nothing_is_none(tmp_path, masked):
    study = {"privacy": {"secure_aggregation": masked}, "evaluation": FOLDS}
    node = {"secure_aggregation": "optional"}
    root = make_mesh(tmp_path, small(DOMAINS, rows=ROWS, study=study, node=node))
    change = more("rows", 0, 0)
    trained, _ = trained_over(
        root, lambda inner: Poisoning(inner, "count", "cedar", change)
    )
    assert trained.rows == ROWS * len(DOMAINS)
