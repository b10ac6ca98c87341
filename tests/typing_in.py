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


def printed(words: list[str]) -> tuple[int, str]:
    """Return the exit code of `fl WORDS`, in this process, and all that it printed."""
    screen = io.StringIO()
    with redirect_stdout(screen), redirect_stderr(screen):
        code = main(words)
    return code, screen.getvalue()


def typed(command: str) -> tuple[int, str]:
    """Return the exit code and all that was printed; `fl` is spared its start-up."""
    if command.startswith("fl ") and not set(command) & set(";&|<>$"):
        return printed(shlex.split(command)[1:])
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


def typed_whole(tutorial: Path) -> tuple[int, str]:
    """Type a tutorial in the folder where this process stands.

    Returns:
        How many of its commands print something that was compared, and the first that
        does otherwise than the page says, with all that it printed; empty where none
        does.
    """
    told = steps(tutorial.read_text(encoding="utf-8"))
    for step in told:
        code, out = typed(step.command)
        as_told = code == step.exit_code and all(line in out for line in step.told)
        if not as_told or "Traceback" in out:
            return 0, f"$ {step.command}     # exit {code}\n{out}"
    return sum(bool(step.told) for step in told), ""
