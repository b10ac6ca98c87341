"""A bar that is missed must be seen, by people and by the exit code."""

import json
import math

import pytest

from bench.figures import Figure, finish


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure(name="a", value=1.0), True),
        (Figure(name="a", value=1.0, most=1.0), True),
        (Figure(name="a", value=1.1, most=1.0), False),
        (Figure(name="a", value=0.78, least=0.78), True),
        (Figure(name="a", value=0.77, least=0.78), False),
        (Figure(name="a", value=math.nan, most=1.0), False),
        (Figure(name="a", value=math.nan, least=1.0), False),
    ],
)
def test_a_figure_keeps_its_bar_only_on_the_right_side_of_it(figure, met):
    assert figure.met is met


def test_a_missed_bar_is_printed_and_ends_with_one(capsys):
    figures = [
        Figure(name="kept", value=1, most=2),
        Figure(name="gap", value=3, most=2),
    ]
    assert finish("Title", figures) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[-2:]] == ["met", "MISSED"]


def test_no_bar_is_no_failure(capsys):
    assert finish("Title", [Figure(name="seconds", value=math.nan)]) == 0
    assert "nan" in capsys.readouterr().out


def test_machines_get_the_same_figures_and_the_same_exit_code(capsys):
    assert finish("Title", [Figure(name="gap", value=3.0, most=2.0)], as_json=True) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["figures"][0]["value"] == 3.0
    assert printed["figures"][0]["met"] is False
