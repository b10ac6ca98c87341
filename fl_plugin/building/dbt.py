"""One step of a build: dbt in a project's folder, all that it says kept there."""

import time
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.dbt_program import run_dbt

LOG = Path("logs") / "fl-build.log"
_QUIET = ("--no-version-check", "--no-use-colors")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One run of dbt.

    Args:
        output: Everything that it said; it may hold values of rows.
    """

    output: str
    ok: bool
    seconds: float


def run_step(program: str, folder: Path, words: tuple[str, ...], limit: float) -> Ran:
    """Run dbt in a folder and append what it says to the folder's logs/.

    Args:
        program: The path of dbt.
        folder: Of the project.
        words: dbt's command.
        limit: Seconds after which it is ended.

    Raises:
        BuildError: It could not be started, or did not finish.
    """
    start = time.monotonic()
    by_hand = f"cd {folder} && dbt {words[0]}"
    command = [program, *_QUIET, *words]
    said = run_dbt(command, folder, limit=limit, by_hand=by_hand)
    seconds = time.monotonic() - start
    _keep(folder, words, said.output)
    return Ran(output=said.output, ok=said.ok, seconds=seconds)


def _keep(folder: Path, words: tuple[str, ...], output: str) -> None:
    log = folder / LOG
    log.parent.mkdir(exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ dbt {' '.join(words)}\n{output}\n")
