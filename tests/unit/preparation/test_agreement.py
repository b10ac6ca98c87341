"""Sums that no rows can have are refused: behind masks only the total tells of them."""

import numpy as np
import pytest

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.counting import count_part, counted
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.raw import RawMemory
from tests.preparing import parts_of, prepare_over, schema_of, some_rows

ROWS = some_rows(600)
QUESTION = {n: np.ones(1, dtype=np.int64) for n in ("sums", "categories")}
NUMBER = Target(kind="regression", classes=())


def sums_of(schema):
    everything = np.ones(ROWS.rows, dtype=bool)
    return count_part(QUESTION, schema, RawMemory(ROWS), everything)


def added(name, place, amount):
    def change(sums):
        array = sums[name].copy()
        array[place] += amount
        return {**sums, name: array}

    return change


WRONG = {
    "a class too many": added("classes", 0, 1),
    "a class too few": added("classes", 1, -1),
    "rows that no class has": added("rows", 0, 1),
    "rows below 0": added("rows", 0, -10_000),
    "a class below 0": lambda s: {**s, "classes": np.array([-5, s["rows"][0] + 5])},
    "values below 0": added("present", 1, -10_000),
    "more values than rows": added("present", 1, 1),
    "a category below 0": added("categories", 3, -10_000),
    "more rows in categories": added("categories", 0, 20),
}


@pytest.mark.parametrize("what", WRONG)
def test_counts_that_contradict_each_other_are_refused(what):
    schema = schema_of()
    sums = sums_of(schema)
    assert counted(sums, schema).rows == ROWS.rows
    with pytest.raises(TrainingError, match="contradict"):
        counted(WRONG[what](sums), schema)


def test_the_sum_of_squares_is_no_smaller_than_the_mean_allows():
    schema = schema_of(target=NUMBER)
    sums = sums_of(schema)
    counted(sums, schema)
    total = sums["target"][0]
    least = total**2 / ROWS.rows
    counted({**sums, "target": np.array([total, least])}, schema)  # all alike
    with pytest.raises(TrainingError, match="contradict"):
        counted({**sums, "target": np.array([total, least * 0.999])}, schema)


def test_a_message_s_moments_of_a_number_are_possible_ones():
    schema = schema_of(target=NUMBER)
    facts, arrays = prepare_over(
        schema, PreparationPlan(), parts_of(ROWS, (200,))
    ).to_wire()
    Prepared.from_wire(facts, arrays, schema)
    mean = arrays["target"][0]
    for square in (0.999 * mean**2, -1.0):
        bad = {**arrays, "target": np.array([mean, square])}
        with pytest.raises(MessageError, match="target"):
            Prepared.from_wire(facts, bad, schema)
