"""The rounds of a run, as they are told."""

from fl_plugin.cli.progress import progress


def test_a_program_hears_nothing(capsys):
    with progress(quiet=True) as listener:
        listener("step", 1)
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_for_each_stage_and_not_for_each_round(capsys):
    with progress(quiet=False) as listener:
        for number, kind in enumerate(("count", "step", "step", "new"), start=1):
            listener(kind, number)
    assert capsys.readouterr().err.splitlines() == [
        "Counting and averaging (round 1)",
        "Fitting (round 2)",
        "new (round 4)",
    ]
