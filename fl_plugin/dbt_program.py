"""dbt as a program: found beside this Python, run in a project's folder."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.errors import BuildError

INSTALL = "pip install 'data-mesh-learning[dbt]'"
# They would move what is read afterwards to another place.
_MOVED = ("DBT_TARGET_PATH", "DBT_LOG_PATH", "DBT_PROJECT_DIR")


@dataclass(frozen=True)
class Said:
    """What dbt said, all of it, which may hold values of rows; and how it ended."""

    output: str
    ok: bool


def find_dbt() -> str:
    """Return the dbt beside this Python, else the one on the path.

    Raises:
        BuildError: There is none.
    """
    beside = Path(sys.executable).parent
    found = shutil.which("dbt", path=str(beside)) or shutil.which("dbt")
    if found is None:
        raise BuildError(
            "dbt is not installed, and it builds the domains and the catalog's page.",
            remedy=f"Install it with: {INSTALL}",
        )
    return found


def run_dbt(command: list[str], folder: Path, *, limit: float, by_hand: str) -> Said:
    """Run dbt in a project's folder.

    Args:
        command: The program, then its words.
        folder: Of the project.
        limit: Seconds after which it is ended.
        by_hand: The command with which a person sees what it does.

    Raises:
        BuildError: It could not be started, or did not finish.
    """
    environment = {k: v for k, v in os.environ.items() if k not in _MOVED} | {
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    # DuckDB makes files but no folders, and dbt then tries again for minutes.
    (folder / "data").mkdir(exist_ok=True)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell, own arguments
            command,
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
            remedy=f"See what it waits for: {by_hand}",
        ) from None
    except OSError as error:
        raise BuildError(
            f"dbt could not be started ({type(error).__name__}).",
            remedy=f"Install it again with: {INSTALL}",
        ) from None
    return Said(output=done.stdout, ok=done.returncode == 0)
