"""Data meshes on dbt and DuckDB whose domains learn together without sharing rows.

```python
from fl_plugin import Mesh

mesh = Mesh.open(".")
mesh.products  # what there is
mesh.plan("credit_risk")  # every domain's decision, no row opened
run = mesh.train("credit_risk")
run.model  # a fitted scikit-learn pipeline
```
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fl_plugin.errors import MeshError, PolicyError
    from fl_plugin.mesh import Mesh, Run
    from fl_plugin.plan.types import Plan

__all__ = ["Mesh", "MeshError", "Plan", "PolicyError", "Run"]

_HOMES = {
    "Mesh": "fl_plugin.mesh",
    "MeshError": "fl_plugin.errors",
    "Plan": "fl_plugin.plan.types",
    "PolicyError": "fl_plugin.errors",
    "Run": "fl_plugin.mesh",
}


def __getattr__(name: str) -> Any:
    # Imported at first use: `fl --help` must not wait for scikit-learn.
    if name not in _HOMES:
        raise AttributeError(name)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value  # found at once from now on
    return value
