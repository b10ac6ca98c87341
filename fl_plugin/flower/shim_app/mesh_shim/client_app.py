"""What a node that checks nothing would run: it refuses."""

from flwr.app import Context, Message
from flwr.clientapp import ClientApp

app = ClientApp()


@app.query()
def query(_message: Message, _context: Context) -> Message:
    """Refuse: a domain answers through its own node alone."""
    raise RuntimeError("Start this node with: fl flower node")
