"""What can be done with a mesh beside learning, one area each.

`mesh.access`, `mesh.contracts`, ...: each is a small object of the room that does the
work, made when it is asked for, so that a mesh opens without importing all of them.
"""



from pathlib import Path


class Areas:
    """The areas of the mesh in `root`."""

    root: Path
