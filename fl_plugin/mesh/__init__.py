"""A mesh from Python: the same words as the command line's verbs."""

from fl_plugin.mesh.mesh import Mesh
from fl_plugin.mesh.run import Run

__all__ = ["Mesh", "Run"]
