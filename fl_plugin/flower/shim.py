"""The app that stands for a run in Flower: fixed, and known by its fingerprint."""

import hashlib
from functools import cache
from pathlib import Path

from flwr.cli.build import build_fab_from_disk

_FOLDER = Path(__file__).with_name("shim_app")


@cache
def shim() -> bytes:
    """Return the app's bytes, a Flower App Bundle; the same wherever it is built."""
    return build_fab_from_disk(_FOLDER)


@cache
def fingerprint() -> str:
    """Return the SHA-256 of the app's bytes, as Flower names it: 64 hex digits."""
    return hashlib.sha256(shim()).hexdigest()


def is_listed(app: str) -> bool:
    """Return whether an app is the one that may stand for a run.

    Args:
        app: Its fingerprint, as the SuperLink or SuperNode says.
    """
    return app == fingerprint()
