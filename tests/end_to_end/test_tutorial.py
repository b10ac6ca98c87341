"""The steward's tutorial, typed as it stands."""

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from fl_plugin.cli.main import main

TUTORIAL = Path(__file__).parents[2] / "docs" / "steward-tutorial.md"


@dataclass(frozen=True)
class Step:
    """A command, what it must print somewhere, and how it must end."""

    command: str
    exit_code: int
    told: tuple[str, ...]


def steps(text: str) -> list[Step]:
    found: list[Step] = []
    for block in re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, note = line[2:].partition("     # exit ")
                found.append(Step(command, int(note or 0), ()))
            else:
                last = found.pop()
                found.append(Step(last.command, last.exit_code, (*last.told, line)))
    return found


def typed(command: str) -> tuple[int, str]:
    """Return the exit code and all that was printed; `fl` is spared its start-up."""
    if command.startswith("fl "):
        screen = io.StringIO()
        with redirect_stdout(screen), redirect_stderr(screen):
            code = main(shlex.split(command)[1:])
        return code, screen.getvalue()
    programs = Path(sys.executable).parent
    done = subprocess.run(
        ["sh", "-c", command],
        env=os.environ
        | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DBT_VERSION_CHECK": "false",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_steward_s_tutorial_works_as_it_stands(
    mesh_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mesh_folder)
    told = steps(TUTORIAL.read_text(encoding="utf-8"))
    assert sum(bool(step.told) for step in told) > 20
    for step in told:
        code, out = typed(step.command)
        assert code == step.exit_code, f"{step.command}\n{out}"
        for line in step.told:
            assert line in out, f"{step.command}\n{out}"
        assert "Traceback" not in out


def test_a_step_keeps_what_follows_it() -> None:
    text = "```console\n$ fl plan x     # exit 3\nerror: no\n$ fl plan y\n```\n"
    assert steps(text) == [
        Step("fl plan x", 3, ("error: no",)),
        Step("fl plan y", 0, ()),
    ]
