"""A mesh that has just been started, and a file to make a product from."""

from pathlib import Path

import pytest

from fl_plugin.scaffold.domain import new_domain
from fl_plugin.scaffold.mesh import new_mesh
from fl_plugin.scaffold.team import team_of

ROWS = """Credit ID,Amount,Sex,E-mail,Opened on,Purpose,is bad,Order
C7101,72010455,f,a@b.example,2024-01-31,rowboat,1,71.5551
C7102,,m,c@d.example,2024-02-29,rowboat,0,72
C7103,72030455,f,e@f.example,2024-03-01,tandem,0,-73.25551
C7104,72040455,m,g@h.example,2024-03-01,tandem,1,74e2
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A mesh with the domain lending."""
    folder = new_mesh(tmp_path / "bank", purposes=("credit_risk",), consumers=("team",))
    new_domain(folder, "lending", team_of("lending"))
    return folder


@pytest.fixture
def credits_file(tmp_path: Path) -> Path:
    path = tmp_path / "credits.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path
