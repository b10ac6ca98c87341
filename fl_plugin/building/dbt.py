"""Runs dbt as a program, in a project's folder, and keeps all that it says there."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.errors import BuildError

LOG = Path("logs") / "fl-build.log"
_QUIET = ("--no-version-check", "--no-use-colors")
# They would move what is read afterwards to another place.
_MOVED = ("DBT_TARGET_PATH", "DBT_LOG_PATH", "DBT_PROJECT_DIR")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One run of dbt.

    Args:
        output: Everything that it said; it may hold values of rows.
    """

    output: str
    ok: bool
    seconds: float


def find_dbt() -> str:
    """Return the dbt beside this Python, else the one on the path.

    Raises:
        BuildError: There is none.
    """
    beside = Path(sys.executable).parent
    found = shutil.which("dbt", path=str(beside)) or shutil.which("dbt")
    if found is None:
        raise BuildError(
            "dbt is not installed, and it is what builds a domain.",
            remedy="Install it with: pip install 'data-mesh-learning[dbt]'",
        )
    return found


def run_dbt(program: str, folder: Path, words: tuple[str, ...], limit: float) -> Ran:
    """Run dbt in a folder and append what it says to the folder's logs/.

    Args:
        program: The path of dbt.
        folder: Of the project.
        words: dbt's command.
        limit: Seconds after which it is ended.

    Raises:
        BuildError: It could not be started, or did not finish.
    """
    environment = {k: v for k, v in os.environ.items() if k not in _MOVED} | {
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    # DuckDB makes files but no folders, and dbt then tries again for minutes.
    (folder / "data").mkdir(exist_ok=True)
    start = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell, own arguments
            [program, *_QUIET, *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"{folder.name}: dbt did not finish within {limit:g} seconds.",
            remedy=f"See what it waits for: cd {folder} && dbt {words[0]}",
        ) from None
    except OSError as error:
        raise BuildError(
            f"dbt could not be started ({type(error).__name__}).",
            remedy="Install it again with: pip install 'data-mesh-learning[dbt]'",
        ) from None
    seconds = time.monotonic() - start
    _keep(folder, words, done.stdout)
    return Ran(output=done.stdout, ok=done.returncode == 0, seconds=seconds)


def _keep(folder: Path, words: tuple[str, ...], output: str) -> None:
    log = folder / LOG
    log.parent.mkdir(exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ dbt {' '.join(words)}\n{output}\n")
