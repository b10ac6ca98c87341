"""A terminal is drawn for; a pipe is written for."""

import io
from contextlib import redirect_stdout

import pytest

from fl_plugin.cli.screen import Table, show
from fl_plugin.cli.text import Change, Size, for_people, for_programs

TABLE = Table(
    title="Lenders",
    columns=("domain", "says", "share"),
    rows=(("lending", "passed", 0.123456), ("savings", "refused", None)),
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def drawn(monkeypatch):
    """Return what a terminal of 80 columns would be sent."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def draw(*parts):
        screen = Terminal()
        with redirect_stdout(screen):
            show(parts)
        return screen.getvalue()

    return draw


def test_a_pipe_gets_whole_figures_between_tabs(capsys):
    show([TABLE, "Done."])
    assert capsys.readouterr().out.splitlines() == [
        "# Lenders",
        "domain\tsays\tshare",
        "lending\tpassed\t0.123456",
        "savings\trefused\t",
        "",
        "Done.",
    ]


def test_a_pipe_gets_no_colour_even_when_it_is_forced(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    show([TABLE])
    assert "\x1b" not in capsys.readouterr().out


def test_a_terminal_gets_rounded_figures_and_colour(drawn):
    text = drawn(TABLE)
    assert "0.123" in text
    assert "0.1234" not in text
    assert "\t" not in text
    assert "\x1b[32mpassed" in text


def test_no_color_is_honoured(drawn, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = drawn(TABLE)
    assert "\x1b[32m" not in text
    assert "passed" in text


def test_a_sentence_is_broken_between_words(drawn):
    lines = drawn("word " * 30).splitlines()
    assert len(lines) == 2
    assert all(line.endswith("word") for line in lines)


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\r", "\x9b31m", "\u202e", "\n", "\t"])
def test_no_cell_steers_the_terminal(hostile, drawn, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = drawn(Table(title=f"a{hostile}b", columns=("x",), rows=((f"c{hostile}d",),)))
    assert hostile == "\n" or hostile not in text
    assert "a" in text.splitlines()[0]
    assert "b" in text.splitlines()[0]


def test_no_cell_is_read_as_markup(drawn):
    assert "[red]x[/]" in drawn(Table(columns=("x",), rows=(("[red]x[/]",),)))


@pytest.mark.parametrize(
    ("cell", "people", "programs"),
    [
        (None, "-", ""),
        (1234, "1,234", "1234"),
        (Size(1_524_038), "1.52 MB", "1524038"),
        (Change(0.0114), "+0.011", "0.0114"),
        (Change(-0.5), "-0.500", "-0.5"),
        (True, "yes", "true"),
        ("a\tb", "a b", "a b"),
    ],
)
def test_a_cell_reads_as_its_kind_should(cell, people, programs):
    assert for_people(cell) == people
    assert for_programs(cell) == programs


def test_a_name_stays_whole_while_there_is_room(drawn):
    name = "hist_gradient_boosting_classifier"
    text = drawn(Table(columns=("name", "is"), rows=((name, "word " * 40),)))
    assert name in text
    text = drawn(Table(columns=("name", "is"), rows=(("x" * 60, "word " * 40),)))
    assert text.count("word") == 40
    assert text.count("x") == 60


def test_a_path_that_is_longer_than_the_line_can_be_copied_whole(drawn):
    path = f"/mesh/{'folder/' * 12}report.html"
    text = drawn(Table(rows=(("report", path), ("part", "coordinator.part"))))
    assert text.splitlines() == [f"report {path}", "part   coordinator.part"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (58901.042, "58,901"),
        (168.026, "168.0"),
        (14.8072, "14.81"),
        (9.5648, "9.565"),
        (-1234.5, "-1,234"),
        (Change(-228.277), "-228.3"),
        (Change(4325.818), "+4,326"),
        (Change(0.0), "0.000"),
        (float("inf"), "inf"),
    ],
)
def test_a_large_figure_has_fewer_decimals(cell, said):
    assert for_people(cell) == said
