"""How an error reaches the one who typed the command."""

import json
import os
import subprocess
import sys

import pytest

from fl_plugin.errors import MeshError, PolicyError

KINDS = [k for k in MeshError.__subclasses__() if k.__module__ == "fl_plugin.errors"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.code)
def test_every_error_has_its_exit_code_and_two_lines(fl, mesh, kind):
    mesh.raises = kind("lending is\nnot well.", remedy="Wait.")
    answer = fl("train", "credit_risk")
    assert answer.code == kind.exit_code
    assert answer.out == ""
    assert answer.err.splitlines() == ["error: lending is not well.", "hint: Wait."]


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.code)
def test_every_error_is_one_object_for_a_program(fl, mesh, kind):
    mesh.raises = kind("lending is not well.", remedy="Wait.")
    answer = fl("train", "credit_risk", "--json")
    error = answer.json["error"]
    assert answer.err == ""
    assert (error["code"], error["problem"]) == (kind.code, "lending is not well.")


def test_a_refusal_names_its_reason_and_domain_for_a_program(fl, mesh):
    mesh.raises = PolicyError(
        "No.", remedy="Ask.", reason="grant.missing", domain="lending"
    )
    error = fl("train", "credit_risk", "--json").json["error"]
    assert (error["reason"], error["domain"]) == ("grant.missing", "lending")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_defect_tells_its_type_and_never_its_text(fl, mesh, words):
    mesh.raises = KeyError("CANARY0815")
    answer = fl("train", "credit_risk", *words)
    assert answer.code == 1
    told = answer.out + answer.err
    assert "KeyError" in told
    assert "CANARY0815" not in told
    assert "Traceback" not in told


def test_a_defect_is_traced_for_whoever_asks(fl, mesh, monkeypatch):
    monkeypatch.setenv("FL_DEBUG", "1")
    mesh.raises = KeyError("x")
    assert "Traceback" in fl("train", "credit_risk").err


def test_an_interrupt_ends_with_130(fl, mesh):
    mesh.raises = KeyboardInterrupt()
    answer = fl("train", "credit_risk")
    assert answer.code == 130
    assert answer.err.strip() == "Interrupted."


@pytest.mark.usefixtures("mesh")
@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("trian",), "Did you mean 'train'?"),
        (("train", "credit_rsk"), "Did you mean credit_risk?"),
        (("plan", "creditrisk"), "Did you mean credit_risk?"),
        (("models", "show", "credit_rik"), "Did you mean credit_risk?"),
        (("predict", "credit_rik", "--input", "x.csv"), "Did you mean credit_risk?"),
        (("evaluate", "credit_rik@v1"), "Did you mean credit_risk?"),
    ],
)
def test_a_wrong_name_is_answered_with_the_one_that_was_meant(
    fl, words, meant, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("a\n1\n")
    answer = fl(*words)
    assert answer.code in {2, 10}
    assert meant in answer.err
    assert answer.err.count("Did you mean") == 1


@pytest.mark.parametrize("word", ["credit_risk@3", "credit_risk@v0", "@v1", "x@latest"])
def test_a_version_is_written_as_v_and_a_number(fl, mesh, word):
    answer = fl("evaluate", word)
    assert answer.code == 2
    assert "credit_risk@v3" in answer.err


def test_a_missing_word_is_an_error_object_too(fl):
    answer = fl("train", "--json")
    assert answer.code == 2
    assert "STUDY" in answer.json["error"]["problem"]


def test_a_folder_without_a_mesh_is_told_how_to_name_one(fl, tmp_path):
    answer = fl("plan", "credit_risk", "--project", str(tmp_path))
    assert answer.code == 2
    assert "--project" in answer.err


def test_a_closed_pipe_is_left_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "fl_plugin", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_of_few_letters_still_gets_an_answer():
    done = subprocess.run(
        [sys.executable, "-m", "fl_plugin", "plan", "\u00fc", "--json"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        cwd="/",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
