"""Serves the built site to this machine only."""

from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fl_plugin.errors import StorageError, UsageError

HOST = "127.0.0.1"


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, never a listing; tells a browser to look again each time."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the terminal belongs to the verb."""

    def list_directory(self, path: Any) -> None:  # noqa: ARG002 http.server's
        """Refuse: what is not the catalog is nobody's business."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Add headers to every answer: a rebuilt catalog must show at once."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()


def open_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of a folder on 127.0.0.1 that has not begun to answer.

    Args:
        folder: A built site.
        port: 0 takes any free one.

    Raises:
        StorageError: The port is taken or may not be used.
        UsageError: The site is not built.
    """
    if not (folder / "index.html").is_file():
        raise UsageError(
            f"There is no catalog in {folder}.", remedy="Run `fl catalog build` first."
        )
    try:
        handler = partial(_QuietHandler, directory=str(folder))
        return ThreadingHTTPServer((HOST, port), handler)
    except (OSError, OverflowError):
        raise StorageError(
            f"Port {port} on {HOST} cannot be used.",
            remedy="Name another one with --port, or --port 0 for any.",
        ) from None


def serve(folder: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve a site until Ctrl-C, which is the expected end and no error.

    Args:
        folder: A built site.
        port: 0 takes any free one.
        ready: Told the address before the first request is answered.
    """
    with open_server(folder, port) as server:
        ready(f"http://{HOST}:{server.server_address[1]}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
