"""The example notebook runs from its first cell to its last."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "credit_risk.ipynb"
pytestmark = pytest.mark.slow


# zmq warns about its own event loop; the kernel works.
@pytest.mark.filterwarnings("ignore")
def test_the_example_notebook_runs(mesh_folder):
    place = mesh_folder / "examples"
    place.mkdir()
    shutil.copy(NOTEBOOK, place)
    notebook = nbformat.read(place / NOTEBOOK.name, as_version=4)
    NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(place)}}
    ).execute()
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    assert any("allows it" in str(o) for o in outputs)
    assert "score" in str(outputs[-1])
