"""FedAdam: the parties' mean change is the gradient of an Adam step of the coordinator.

Reddi, Charles, Zaheer, Garrett, Rush, Konečný, Kumar & McMahan (2021), "Adaptive
federated optimization", algorithm 2 (FedAdam); as there, without bias correction, and
the second moment starts at the square of `adaptivity`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.neural.federated import FederatedMLP, Shared
from fl_plugin.summand import Arrays, Floats


@dataclass(frozen=True, kw_only=True)
class MLPFedAdam(FederatedMLP):
    """An MLP by FedAdam.

    Args:
        server_rate: Learning rate of the coordinator's step (eta).
        first_decay: Of the running mean of changes (beta 1).
        second_decay: Of the running mean of their squares (beta 2).
        adaptivity: What is added to their root (tau): the larger, the closer to
            federated averaging with momentum.
    """

    name: ClassVar[str] = "mlp_fedadam"
    title: ClassVar[str] = "Multi-layer perceptron by FedAdam"
    paper: ClassVar[str] = "Reddi et al. (2021), arXiv:2003.00295"
    server_rate: float = 0.03
    first_decay: float = 0.5
    second_decay: float = 0.9
    adaptivity: float = 0.01

    def __post_init__(self) -> None:
        """Refuse rates that cannot converge."""
        super().__post_init__()
        within(self.name, "server_rate", self.server_rate, (1e-9, 100.0))
        within(self.name, "first_decay", self.first_decay, (0.0, 1.0))
        within(self.name, "second_decay", self.second_decay, (0.0, 1.0))
        within(self.name, "adaptivity", self.adaptivity, (1e-9, 1e3))

    def begin(self, size: int) -> Mapping[str, Floats]:
        """Return the two running means."""
        return {"first": np.zeros(size), "second": np.full(size, self.adaptivity**2)}

    def moved(self, shared: Shared, means: Arrays) -> Shared:
        """Take Adam's step along the mean change."""
        change, memory = means["update"], shared.memory
        first = self.first_decay * memory["first"] + (1 - self.first_decay) * change
        second = (
            self.second_decay * memory["second"] + (1 - self.second_decay) * change**2
        )
        step = self.server_rate * first / (np.sqrt(second) + self.adaptivity)
        return Shared(shared.weights + step, {"first": first, "second": second})
