"""A federated network as scikit-learn's fitted estimator, and back again.

For a regression the parties train on the standardised target; the last layer is then
stretched and moved, so that the estimator predicts in the target's own unit.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer

from fl_plugin.algorithms.base import Task
from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.algorithms.neural.perceptron import Network
from fl_plugin.summand import Arrays, Floats

_OUTPUTS = {"binary": "logistic", "multiclass": "softmax", "regression": "identity"}


def estimator_of(
    model: Arrays, task: Task, network: Network, parameters: Mapping[str, Any]
) -> BaseEstimator:
    """Return the fitted `MLPClassifier` or `MLPRegressor`.

    Raises:
        MessageError: The arrays are no weights of this network.
    """
    weights = checked(model, "weights", (network.size,)).copy()
    losses = model.get("losses")
    if losses is None or losses.ndim != 1 or not len(losses):
        raise malformed("losses")
    curve = [float(loss) for loss in checked(model, "losses", losses.shape)]
    hidden = network.sizes[1:-1]
    regression = network.kind == "regression"
    kind = MLPRegressor if regression else MLPClassifier
    estimator: Any = kind(hidden_layer_sizes=hidden, solver="sgd", **parameters)
    estimator.coefs_, estimator.intercepts_ = network.layers(weights)
    estimator.n_layers_ = len(network.sizes)
    estimator.n_outputs_ = network.sizes[-1]
    estimator.out_activation_ = _OUTPUTS[network.kind]
    estimator.n_features_in_ = task.width
    estimator.n_iter_, estimator.t_ = len(curve), len(curve) * task.rows
    estimator.loss_curve_, estimator.loss_ = curve, curve[-1]
    estimator.best_loss_ = min(curve)
    if not regression:
        labels = LabelBinarizer().fit(np.array(task.target.classes))
        estimator.classes_, estimator._label_binarizer = labels.classes_, labels  # noqa: SLF001 (`predict` needs it)
    return estimator


def arrays_of(estimator: Any) -> dict[str, Floats]:
    """Return `weights` and `losses`, one for each round."""
    parts = (*estimator.coefs_, *estimator.intercepts_)
    return {
        "weights": np.concatenate([np.ravel(part) for part in parts]),
        "losses": np.array(estimator.loss_curve_, dtype=np.float64),
    }


def standard(y: Floats, task: Task) -> Floats:
    """Return the target as the network learns it."""
    if task.target.kind != "regression":
        return y
    return (y - task.target_mean) / _deviation(task)


def folded(weights: Floats, network: Network, task: Task) -> Floats:
    """Return the weights that predict the target, of those that predict it standard."""
    stretched = weights.copy()
    if network.kind != "regression":
        return stretched
    matrices, intercepts = network.layers(stretched)
    matrices[-1][:] *= _deviation(task)
    intercepts[-1][:] = intercepts[-1] * _deviation(task) + task.target_mean
    return stretched


def unfolded(weights: Floats, network: Network, task: Task) -> Floats:
    """Undo `folded`, up to rounding."""
    standing = weights.copy()
    if network.kind != "regression":
        return standing
    matrices, intercepts = network.layers(standing)
    matrices[-1][:] /= _deviation(task)
    intercepts[-1][:] = (intercepts[-1] - task.target_mean) / _deviation(task)
    return standing


def _deviation(task: Task) -> float:
    """Return the target's standard deviation; 1 where it does not vary."""
    variance = task.target_mean_square - task.target_mean**2
    return float(np.sqrt(variance)) if variance > 0 else 1.0
