"""The rounds of a run, as they are told."""

import pytest

from fl_plugin.cli.log import Log
from fl_plugin.cli.progress import BESIDE, STAGES, VERTICAL, progress
from fl_plugin.party.work import KINDS


def test_a_program_hears_nothing(capsys):
    with progress(quiet=True, log=Log()) as listener:
        listener("step", 1)
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_for_each_stage_and_not_for_each_round(capsys):
    with progress(quiet=False, log=Log()) as listener:
        for number, kind in enumerate(("count", "step", "step", "new"), start=1):
            listener(kind, number)
    assert capsys.readouterr().err.splitlines() == [
        "Counting (round 1)",
        "Fitting (round 2)",
        "new (round 4)",
    ]


def test_what_is_asked_within_a_stage_is_no_stage_of_its_own(capsys):
    with progress(quiet=False, log=Log()) as listener:
        for number, kind in enumerate(("step", "unmask", "step"), start=1):
            listener(kind, number)
    assert capsys.readouterr().err.splitlines() == ["Fitting (round 1)"]


def test_turns_of_scoring_are_not_told_as_fitting(capsys):
    with progress(quiet=False, log=Log()) as listener:
        for number, kind in enumerate(("turn", "score", "turn", "assess"), start=1):
            listener(kind, number)
    assert capsys.readouterr().err.splitlines() == [
        "Fitting (round 1)",
        "Scoring (round 2)",
        "Evaluating (round 4)",
    ]


def test_every_kind_of_message_has_words():
    for kind in ("keys", "share", "accept", "cut", "prepare", "assign", "judge"):
        assert kind in STAGES


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_work_that_a_party_knows_has_words(kind):
    assert kind in BESIDE or kind in {**STAGES, **VERTICAL}
