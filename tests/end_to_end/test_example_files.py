"""The examples' loaders, given a file that is not there or is another one."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
LOADERS = ("fraud/transactions.py", "retail/purchases.py", "credit_default/clients.py")


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("there", [True, False])
def test_a_wrong_file_is_told_in_words(loader, there, tmp_path):
    file = tmp_path / "public.csv"
    if there:
        file.write_text("Time,V1\n1,2\n")
    done = subprocess.run(
        [sys.executable, EXAMPLES / loader, "--from", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "by its whole path" in done.stderr
