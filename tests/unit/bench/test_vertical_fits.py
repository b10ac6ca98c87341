"""The benches' vertical harness fits what the tests' harness fits, byte for byte."""

from dataclasses import replace

import numpy as np
import pytest

from bench import diversity
from bench.vertical_fits import fit, standardised
from fl_plugin.algorithms.base import Target
from fl_plugin.vertical.base import VerticalTask
from tests.vertical import fit_over, score_over, sides

NETWORK = replace(diversity.NETWORK, epochs=1)


@pytest.mark.parametrize("labels", ["shared", "protected"])
def test_scores_and_bytes_are_those_of_the_tests_harness(labels):
    split = diversity.made_up(300, 0).only(["north", "west"])
    ours = fit(NETWORK, split, labels, 3)
    task = VerticalTask(
        target=Target(),
        widths={p: len(x) for p, x in split.x.items()},
        label_party=split.label_party,
        rows=int((~split.unseen).sum()),
        labels=labels,
        seed=3,
    )
    seen = {p: s.block for p, s in split.sides(~split.unseen, told=True).items()}
    unseen = {p: s.block for p, s in split.sides(split.unseen, told=False).items()}
    theirs = fit_over(NETWORK, task, sides(seen))
    for party in split.x:
        assert ours.sent.up[party] == theirs.wire.octets(party, up=True)
        assert ours.sent.down[party] == theirs.wire.octets(party, up=False)
    scores = score_over(NETWORK, task, sides(unseen), theirs)
    assert np.array_equal(ours.scores, scores)


def test_columns_are_standardised_by_training_rows_alone():
    unseen = np.array([False, False, True])
    found = standardised(np.array([[1.0, 3.0, 99.0], [5.0, 5.0, 5.0]]), unseen)
    assert found.tolist() == [[-1.0, 1.0, 97.0], [0.0, 0.0, 0.0]]


def test_every_subset_of_up_to_five_domains_has_a_figure(monkeypatch):
    monkeypatch.setattr(diversity, "NETWORK", NETWORK)
    found = diversity.subsets(diversity.made_up(300, 0), 0)
    assert len(found) == 2**5 - 1
    figures = diversity.figures_of("synthetic", [found, found])
    assert len(figures) == 31 + 5 + 1
    assert [f.least for f in figures if f.bar] == [diversity.ALONE_BAR]


def test_without_the_file_the_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(diversity, "NETWORK", NETWORK)
    words = ["diversity", str(tmp_path / "none.csv"), "--rows", "300", "--seeds", "1"]
    monkeypatch.setattr("sys.argv", words)
    diversity.main()
    assert "not here" in capsys.readouterr().out
