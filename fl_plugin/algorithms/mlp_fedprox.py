"""FedProx: federated averaging whose parties are held near the shared weights.

A party minimises its own loss plus proximal/2 |w - w_shared|^2, so that domains which
differ do not drift as far apart in a round. Li, Sahu, Zaheer, Sanjabi, Talwalkar &
Smith (2020), "Federated optimization in heterogeneous networks", algorithm 2.
"""

from dataclasses import dataclass
from typing import ClassVar

from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.neural.federated import FederatedMLP, Shared
from fl_plugin.summand import Arrays


@dataclass(frozen=True, kw_only=True)
class MLPFedProx(FederatedMLP):
    """An MLP by federated averaging with a proximal term.

    Args:
        proximal: How strongly a party's weights are held near the shared ones (mu).
    """

    name: ClassVar[str] = "mlp_fedprox"
    title: ClassVar[str] = "Multi-layer perceptron by FedProx"
    paper: ClassVar[str] = "Li et al. (2020), arXiv:1812.06127"
    proximal: float = 0.01

    def __post_init__(self) -> None:
        """Refuse a term that pushes away."""
        super().__post_init__()
        within(self.name, "proximal", self.proximal, (0.0, 1e6))

    @property
    def pull(self) -> float:
        """The proximal term's weight."""
        return self.proximal

    def moved(self, shared: Shared, means: Arrays) -> Shared:
        """Add the mean change."""
        return Shared(shared.weights + means["update"])
