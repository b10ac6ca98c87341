"""The integer image of a number keeps the order, and gives the number back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.preparation.keys import keys_of, values_of

numbers = st.lists(st.floats(allow_nan=False), min_size=2, max_size=50)


@given(numbers)
def test_a_larger_number_has_a_larger_image(values):
    array = np.array(values)
    keys = keys_of(array)
    for i, a in enumerate(array):
        np.testing.assert_array_equal(keys[i] < keys, a < array)


@given(numbers)
def test_an_image_gives_its_number_back(values):
    array = np.array(values)
    np.testing.assert_array_equal(values_of(keys_of(array)), array)


def test_negative_zero_has_the_image_of_zero():
    assert keys_of(np.array([-0.0])) == keys_of(np.array([0.0]))


def test_neighbours_differ_by_one():
    values = np.array([-1e300, -1.0, 0.0, 1e-300, 0.1, 1e300])
    above = np.nextafter(values, np.inf)
    assert (keys_of(above) - keys_of(values) == 1).all()
