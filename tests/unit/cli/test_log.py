"""Everything on stderr as lines of JSON, and as text where none are wanted."""

import json
import logging
import warnings

import pytest

from fl_plugin.cli.log import VARIABLE, Log, wants_lines
from fl_plugin.errors import PolicyError


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("words", "variable", "wanted"),
    [
        ("train a --log-format json", "", True),
        ("train a --log-format=json", "", True),
        ("train a --log-format text", "json", False),
        ("train a", "json", True),
        ("train a", "", False),
        ("train json", "", False),
        ("train --log-format", "", False),
    ],
)
def test_lines_are_wanted_by_the_option_or_else_by_the_environment(
    monkeypatch, words, variable, wanted
):
    monkeypatch.setenv(VARIABLE, variable)
    assert wants_lines(words.split()) is wanted


def test_a_round_says_of_which_run_it_is(capsys):
    log = Log(lines=True)
    log.begins("r-1", "credit_risk", "embedded")
    log("step", 7)
    log.ends()
    told = lines(capsys.readouterr().err)
    assert [t["event"] for t in told] == ["began", "round", "done"]
    assert {(t["run"], t["level"]) for t in told} == {("r-1", "info")}
    assert (told[1]["kind"], told[1]["round"]) == ("step", 7)
    assert all(t["at"].endswith("+00:00") for t in told)


def test_an_error_in_a_run_is_a_line_and_still_the_answer(fl, mesh):
    mesh.raises = PolicyError(
        "birch refuses.", remedy="Ask.", reason="use.missing", domain="birch"
    )
    done = fl("train", "credit_risk", "--log-format", "json", "--json")
    assert done.code == 3
    assert done.json["error"]["problem"] == "birch refuses."
    (told,) = lines(done.err)
    assert (told["level"], told["event"], told["exit_code"]) == ("error", "error", 3)
    assert (told["domain"], told["domains"]) == ("birch", ["birch"])
    assert told["reason"] == "use.missing"


@pytest.mark.parametrize("verb", ["train", "evaluate", "score"])
def test_words_that_are_wrong_are_told_in_lines_as_well(fl, verb):
    done = fl(verb, "--log-format=json")
    (told,) = lines(done.err)
    assert (told["code"], told["exit_code"]) == ("usage", done.code)


def test_a_program_that_is_stopped_says_so_in_a_line(fl, mesh):
    mesh.raises = KeyboardInterrupt()
    done = fl("train", "credit_risk", "--log-format", "json")
    assert done.code == 130
    assert [t["event"] for t in lines(done.err)] == ["interrupted"]


def test_what_libraries_warn_of_is_a_line_without_their_words(capsys):
    log = Log(lines=True)
    with log.heard_by_all():
        warnings.simplefilter("always")
        warnings.warn("column a holds 4711", RuntimeWarning, stacklevel=1)
        logging.getLogger("elsewhere").warning("4711")
    told = lines(capsys.readouterr().err)
    assert [(t["event"], t["level"], t["category"]) for t in told] == [
        ("library", "warning", "RuntimeWarning"),
        ("library", "warning", "elsewhere"),
    ]
    assert "4711" not in json.dumps(told)


@pytest.mark.parametrize("as_lines", [True, False])
def test_a_caution_and_a_word_of_a_node_are_warnings(capsys, as_lines):
    log = Log(lines=as_lines)
    log.caution("Traces were lost.")
    log.say("Waiting.")
    err = capsys.readouterr().err
    if as_lines:
        told = [(t["level"], t["problem"]) for t in lines(err)]
        assert told == [("warning", "Traces were lost."), ("warning", "Waiting.")]
    else:
        assert err == "warning: Traces were lost.\nWaiting.\n"


def test_who_is_turned_away_is_a_warning_and_text_is_silent_of_it(capsys):
    Log().event("turned_away", {"domain": "ash", "code": "caller.unknown"})
    Log(lines=True).event("turned_away", {"domain": "ash", "code": "caller.unknown"})
    (told,) = lines(capsys.readouterr().err)
    assert (told["level"], told["domain"]) == ("warning", "ash")
