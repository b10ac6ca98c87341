"""The account of a run's rounds, whatever a kill has left of it."""

from dataclasses import replace

import pytest

from fl_plugin.coordinator.traffic import Exchange
from fl_plugin.mesh.rounds import RoundLog, read_rounds

FIRST = Exchange(
    round=1, kind="decide", party="ash", bytes_down=1, bytes_up=2, seconds=0.1
)


@pytest.mark.parametrize("whole", [0, 1])
def test_a_line_that_was_cut_short_takes_no_other_with_it(tmp_path, whole):
    path = tmp_path / "rounds.jsonl"
    before = RoundLog(path)
    for number in range(1, whole + 2):
        before.note([replace(FIRST, round=number)])
    path.write_bytes(path.read_bytes()[:-5])
    RoundLog(path).note([replace(FIRST, round=whole + 1)])
    assert [r.round for r in read_rounds(path)] == list(range(1, whole + 2))


def test_a_round_that_is_read_again_is_written_once(tmp_path):
    path = tmp_path / "rounds.jsonl"
    RoundLog(path).note([FIRST])
    RoundLog(path).note([FIRST])
    RoundLog(path).note([replace(FIRST, answered=False)])
    assert [r.absent for r in read_rounds(path)] == [("ash",)]
    assert path.read_text().count("decide") == 2
