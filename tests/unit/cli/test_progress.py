"""The rounds of a run, as they are told."""

from fl_plugin.cli.progress import STAGES, progress


def test_a_program_hears_nothing(capsys):
    with progress(quiet=True) as listener:
        listener("step", 1)
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_for_each_stage_and_not_for_each_round(capsys):
    with progress(quiet=False) as listener:
        for number, kind in enumerate(("count", "step", "step", "new"), start=1):
            listener(kind, number)
    assert capsys.readouterr().err.splitlines() == [
        "Counting (round 1)",
        "Fitting (round 2)",
        "new (round 4)",
    ]


def test_what_is_asked_within_a_stage_is_no_stage_of_its_own(capsys):
    with progress(quiet=False) as listener:
        for number, kind in enumerate(("step", "unmask", "step"), start=1):
            listener(kind, number)
    assert capsys.readouterr().err.splitlines() == ["Fitting (round 1)"]


def test_every_kind_of_message_has_words():
    for kind in ("keys", "share", "accept", "cut", "prepare", "assign", "judge"):
        assert kind in STAGES
