"""What a SuperLink that checks nothing would run: it refuses."""

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp

app = ServerApp()


@app.main()
def main(_grid: Grid, _context: Context) -> None:
    """Refuse: a run is carried out by whoever has started it."""
    raise RuntimeError("Start the SuperLink with: fl flower up")
