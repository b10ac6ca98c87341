"""One fit at one party: its algorithm, its rows, what both halves know of it."""

from dataclasses import dataclass

from fl_plugin.algorithms.base import Algorithm, Task, Worker
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.splits import Split
from fl_plugin.privacy.dp.guard import Guard


@dataclass
class Job:
    """One fit. The worker is made when it is first asked.

    Args:
        portions: Share of the split's training rows that are used: one for each class,
            or one for all rows.
        prepared_as: Digest of the preparation: fits that share it share their rows.
        task: What the coordinator knows too.
        guard: Adds the noise of the fit under differential privacy; else None.
        judging: Adds the noise of the figures, where they are paid for.
    """

    split: Split
    portions: tuple[float, ...]
    algorithm: Algorithm
    prepared: Prepared
    prepared_as: str
    task: Task
    worker: Worker | None = None
    guard: Guard | None = None
    judging: Guard | None = None
