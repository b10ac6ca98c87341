"""Write the Python reference to target/reference; `make docs` runs it."""

from pathlib import Path

import pdoc

import fl_plugin

# The package imports its public names when they are first asked for.
for name in fl_plugin.__all__:
    getattr(fl_plugin, name)
pdoc.render.configure(docformat="google")
pdoc.pdoc("fl_plugin", output_directory=Path("target/reference"))
