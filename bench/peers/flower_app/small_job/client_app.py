"""A domain's half of the small job, as Flower's ClientApp."""

from functools import cache
from typing import Any

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict  # type: ignore[import-not-found,unused-ignore]
from flwr.clientapp import ClientApp  # type: ignore[import-not-found,unused-ignore]

from bench.peers import job

app = ClientApp()


@cache
def rows_of(folder: str, place: int) -> job.Rows:
    """Return a domain's rows: read once in a process, however long it lives."""
    return job.load(folder, place)


@app.train()
def train(message: Message, context: Context) -> Message:
    """Answer one round; a node has its place in its own settings."""
    content: Any = message.content
    asked, own = content["config"], context.node_config
    place: Any = own.get("partition-id", own.get("place"))
    rows = rows_of(str(asked["folder"]), int(place))
    weights = content["arrays"].to_numpy_ndarrays()[0]
    arrays = (
        [job.steps(weights, rows)]
        if asked["job"] == "fedavg"
        else list(job.derivatives(weights, rows))
    )
    answer = RecordDict(
        {
            "arrays": ArrayRecord(arrays),
            "metrics": MetricRecord({"rows": len(rows[1])}),
        }
    )
    return Message(answer, reply_to=message)
