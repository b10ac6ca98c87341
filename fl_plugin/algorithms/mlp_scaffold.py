"""SCAFFOLD: federated averaging whose parties correct for their own drift.

Every party keeps a control variate c_k, its own mean gradient, and is told their mean
c. Its steps follow  gradient - c_k + c  and so go where the pooled rows would go.
Karimireddy, Kale, Mohri, Reddi, Stich & Suresh (2020), "SCAFFOLD: stochastic
controlled averaging for federated learning", algorithm 1, option II; parties count by
their rows, as everywhere here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.base import Design, Task, Worker
from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.algorithms.neural.federated import FARTHEST, FederatedMLP, Shared
from fl_plugin.algorithms.neural.local import clipped, weighted
from fl_plugin.summand import Arrays, Floats, Summand


@dataclass(frozen=True, kw_only=True)
class MLPScaffold(FederatedMLP):
    """An MLP by SCAFFOLD."""

    name: ClassVar[str] = "mlp_scaffold"
    title: ClassVar[str] = "Multi-layer perceptron by SCAFFOLD"
    paper: ClassVar[str] = "Karimireddy et al. (2020), arXiv:1910.06378"
    leaves: ClassVar[str] = (
        FederatedMLP.leaves + "; and by how much the domain's mean gradient changed"
    )

    def worker(self, task: Task, design: Design) -> Worker:
        """Return a party's half, which keeps its control variate between rounds."""
        return _Controlled(self, task, design)

    def begin(self, size: int) -> Mapping[str, Floats]:
        """Return the mean control variate."""
        return {"control": np.zeros(size)}

    def asked(self, shared: Shared, number: int) -> Arrays:
        """Send the mean control variate too."""
        return {**super().asked(shared, number), "control": shared.memory["control"]}

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """A control variate moves by at most `most_control` a round."""
        expected = super().answers(question, task)
        update = expected["update"]
        control = checked(question, "control", update.shape)
        if np.abs(control).max() > FARTHEST:
            raise malformed("control")
        bound = 2.0 * max(task.rows, 1) * self.most_control
        return {**expected, "control": Summand(shape=update.shape, bound=bound)}

    def moved(self, shared: Shared, means: Arrays) -> Shared:
        """Add the mean changes of weights and control variates."""
        control = shared.memory["control"] + means["control"]
        return Shared(shared.weights + means["update"], {"control": control})

    @property
    def most_control(self) -> float:
        """Largest Euclidean norm by which a control variate moves in a round."""
        return self.clip / self.learning_rate


class _Controlled(Worker):
    """A party of SCAFFOLD. Asked the same round twice, it answers the same twice."""

    def __init__(self, algorithm: MLPScaffold, task: Task, design: Design) -> None:
        self._algorithm, self._task, self._design = algorithm, task, design
        self._answered = -1
        size = algorithm.network(task).size
        self._before = self._after = np.zeros(size)

    def answer(self, question: Arrays) -> Arrays:
        """Train with the correction, then move the control variate."""
        number = int(question["round"][0])
        if number != self._answered:
            self._before, self._answered = self._after, number
        algorithm, own, mean = self._algorithm, self._before, question["control"]
        local = algorithm.train(question, self._task, self._design, mean - own)
        rate = algorithm.rate(number) * max(local.steps, 1)
        wanted = own - mean - local.change / rate
        change = clipped(wanted - own, algorithm.most_control)
        self._after = own + change
        rows = self._design.rows
        return {**weighted(local, rows), "control": rows * change}
