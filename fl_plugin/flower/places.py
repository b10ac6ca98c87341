"""Where the files of the Flower engine lie.

`flower/` of the mesh is the coordinator's: the authority, the SuperLink, the runs.
`domains/<domain>/flower/` is the domain's: its key and what its node writes.
"""

from dataclasses import dataclass
from pathlib import Path

from fl_plugin.errors import StorageError
from fl_plugin.files import SHARED, whole

FOLDER = "flower"


def private_folder(folder: Path) -> Path:
    """Return a folder that only its owner may enter; made where there is none.

    Raises:
        StorageError: It cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StorageError(
            f"The folder {folder.name} cannot be made ({error.strerror}).",
            remedy="Check the disk, and who may write to the folder above it.",
        ) from None
    return folder


def write(file: Path, data: bytes, *, mode: int = SHARED) -> None:
    """Write a file whole.

    Raises:
        StorageError: The disk refused; the file is as it was.
    """
    try:
        with whole(file, mode=mode) as opened:
            opened.write(data)
    except OSError as error:
        raise StorageError(
            f"The file {file.name} cannot be written ({error.strerror}).",
            remedy="Check the disk, and who may write to its folder.",
        ) from None


@dataclass(frozen=True)
class LinkPlace:
    """The files of the machine that runs the SuperLink.

    Args:
        root: The mesh's folder.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """All of them."""
        return self.root / FOLDER

    @property
    def authority(self) -> Path:
        """The certificate that every node trusts; its key beside it, `.key`."""
        return self.folder / "authority.crt"

    @property
    def server(self) -> Path:
        """The SuperLink's certificate; its key beside it, `.key`."""
        return self.folder / "server.crt"

    @property
    def caller(self) -> Path:
        """The key that signs what the coordinator asks."""
        return self.folder / "caller.pem"

    @property
    def secret(self) -> Path:
        """What shows the SuperLink that its own executor calls."""
        return self.folder / "executor.secret"

    @property
    def invitation(self) -> Path:
        """What a domain needs to join."""
        return self.folder / "invitation.json"

    @property
    def nodes(self) -> Path:
        """One certificate for each domain that was admitted, `<domain>.crt`."""
        return self.folder / "nodes"

    @property
    def state(self) -> Path:
        """The SuperLink's own database."""
        return self.folder / "superlink.sqlite"

    @property
    def home(self) -> Path:
        """What Flower itself wants to write."""
        return self.folder / "home"

    @property
    def door(self) -> Path:
        """The socket at which a run on this machine asks for a way to the nodes."""
        return self.folder / "link.sock"

    @property
    def ledger(self) -> Path:
        """On record: who was turned away at the SuperLink's machine."""
        return self.folder / "ledger" / "ledger.sqlite"

    @property
    def log(self) -> Path:
        """What the SuperLink says."""
        return self.folder / "superlink.log"


@dataclass(frozen=True)
class NodePlace:
    """The files of a domain's node.

    Args:
        domain_folder: `domains/<domain>`.
    """

    domain_folder: Path

    @property
    def folder(self) -> Path:
        """All of them."""
        return self.domain_folder / FOLDER

    @property
    def certificate(self) -> Path:
        """The node's certificate; its key beside it, `.key`."""
        return self.folder / "node.crt"

    @property
    def openssh_key(self) -> Path:
        """The same key in the form that a SuperNode reads."""
        return self.folder / "node.openssh"

    @property
    def authority(self) -> Path:
        """The authority of the invitation."""
        return self.folder / "authority.crt"

    @property
    def secret(self) -> Path:
        """What shows the SuperNode that its own executor calls."""
        return self.folder / "executor.secret"

    @property
    def home(self) -> Path:
        """What Flower itself wants to write."""
        return self.folder / "home"

    @property
    def log(self) -> Path:
        """What the SuperNode says."""
        return self.folder / "supernode.log"
