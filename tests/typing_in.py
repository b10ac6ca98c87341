"""Tutorials, typed as they stand: commands, what they print, how they end."""

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.cli.main import main


@dataclass(frozen=True)
class Step:
    """A command, what it must print somewhere, and how it must end."""

    command: str
    exit_code: int
    told: tuple[str, ...]


def steps(text: str) -> list[Step]:
    """Return the commands of a tutorial, each with the lines that follow it."""
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
    if command.startswith("fl ") and not set(command) & set(";&|<>$"):
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


def type_all(tutorial: Path, least: int) -> None:
    """Type a tutorial in the folder where this process stands.

    Args:
        tutorial: The page.
        least: How many of its commands at least print something that is compared.
    """
    told = steps(tutorial.read_text(encoding="utf-8"))
    assert sum(bool(step.told) for step in told) >= least
    for step in told:
        code, out = typed(step.command)
        assert code == step.exit_code, f"{step.command}\n{out}"
        for line in step.told:
            assert line in out, f"{step.command}\n{out}"
        assert "Traceback" not in out
