"""What a run imports as it goes along, imported at once by the fork server."""

import importlib
import pkgutil

import fl_plugin
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.discovery import discover
from fl_plugin.engines.base import Engine

ROOMS = ("coordinator", "engines", "evaluation", "party", "policy", "registry")
BESIDE = (
    "fl_plugin.cli.runs",
    "fl_plugin.cli.train",
    "cryptography.hazmat.backends.openssl.backend",
    "fl_plugin.mesh.training",
    "narwhals._arrow.dataframe",
    "narwhals.stable.v2._namespace",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "tenseal.sealapi",
    "tests.faults.crashing",
    "tests.faults.telling",
)
FOUND = [
    module.name
    for room in ROOMS
    for module in pkgutil.walk_packages(
        [f"{fl_plugin.__path__[0]}/{room}"], f"fl_plugin.{room}."
    )
    if "flower" not in module.name  # an extra, and slow to import
]
IMPORTED = [importlib.import_module(name) for name in (*BESIDE, *FOUND)]
INSTALLED = (algorithms(), discover("fl_plugin.engines", Engine, "fl_plugin.engines"))
