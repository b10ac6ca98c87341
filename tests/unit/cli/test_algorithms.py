"""`fl algorithms show` says what every option means."""

import pytest

from fl_plugin.algorithms.installed import algorithms


@pytest.mark.parametrize("name", sorted(algorithms()))
def test_every_option_has_a_meaning(name, fl):
    answer = fl("algorithms", "show", name)
    assert answer.code == 0
    _, _, table = answer.out.partition("# Parameters\n")
    heading, *lines = table.splitlines()
    assert heading == "name\tdefault\tmeaning"
    cells = [line.split("\t") for line in lines]
    assert [c[0] for c in cells] == list(algorithms()[name]().parameters())
    assert all(len(c) == 3 and c[2] for c in cells)
