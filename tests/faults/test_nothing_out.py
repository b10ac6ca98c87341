"""The search for rows' values finds one that was planted, however it is written."""

import json
import struct

import pytest

from tests.faults.nothing_out import nothing_out
from tests.made_mesh import make_mesh
from tests.small_mesh import small, some_rows


@pytest.mark.parametrize(
    "spelled",
    [lambda x: json.dumps({"x": x}).encode(), lambda x: b"pad" + struct.pack("<d", x)],
)
def test_a_planted_value_is_found(tmp_path, spelled):
    root = make_mesh(tmp_path / "mesh", small(("ash", "birch")))
    assert nothing_out(root) > 0
    value = some_rows(1)["b"][77].as_py()
    (root / "runs").mkdir()
    (root / "runs" / "a-run").write_bytes(spelled(value))
    with pytest.raises(AssertionError, match=r"a row's value is in .*a-run"):
        nothing_out(root)
