"""Who runs, and what the run is called."""

import getpass
import secrets
from datetime import UTC, datetime


def actor() -> str:
    """Return the operating system's name of whoever runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def run_id(study: str) -> str:
    """Return a new run's id: when, what, and something unique."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S").lower()
    return f"{stamp}-{study[:32]}-{secrets.token_hex(4)}"
