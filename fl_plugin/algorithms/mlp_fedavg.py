"""Federated averaging: the mean of what the parties' own training changed.

McMahan, Moore, Ramage, Hampson & Agüera y Arcas (2017), "Communication-efficient
learning of deep networks from decentralized data", algorithm 1.
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.neural.federated import FederatedMLP, Shared
from fl_plugin.summand import Arrays


@dataclass(frozen=True, kw_only=True)
class MLPFedAvg(FederatedMLP):
    """An MLP whose weights are the mean of the parties' weights, by rows."""

    name: ClassVar[str] = "mlp_fedavg"
    title: ClassVar[str] = "Multi-layer perceptron by federated averaging (FedAvg)"
    paper: ClassVar[str] = "McMahan et al. (2017), arXiv:1602.05629"

    def moved(self, shared: Shared, means: Arrays) -> Shared:
        """Add the mean change."""
        return Shared(shared.weights + means["update"])
