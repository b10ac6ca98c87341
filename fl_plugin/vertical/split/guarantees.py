"""What protects labels and rows in a fit, as sentences for its report."""

from fl_plugin.vertical.split.blueprint import Blueprint
from fl_plugin.vertical.split.defences import FIXED, NOISY_LABELS, NONE, label_guarantee

_DELTA = 1e-6


def guarantees(plan: Blueprint) -> tuple[str, ...]:
    """Return one sentence on labels, and one on activations where they have noise."""
    found = [_of_labels(plan)]
    release = plan.guard.release
    if release.clip and release.noise:
        messages = plan.schedule.epochs + 1
        epsilon = release.epsilon(messages, _DELTA)
        found.append(
            f"All activations sent of a row, one scoring included, tell its values "
            f"with epsilon {epsilon:.3g} at delta {_DELTA:g}, the weights given."
        )
    return tuple(found)


def _of_labels(plan: Blueprint) -> str:
    defence = plan.guard.defence
    if defence.name == NONE:
        return "Returned gradients carry no noise: they tell the label of each row."
    if defence.name == FIXED:
        return "Returned gradients are zeros: nothing of any label leaves by them."
    if defence.name != NOISY_LABELS:
        return (
            f"Returned gradients carry {defence.name} noise, drawn anew in each epoch: "
            "who adds a row's gradients up over the epochs sees through some of it."
        )
    classes = plan.task.target.kind in {"binary", "multiclass"}
    if not classes:
        return (
            "Returned gradients are a function of targets with noise of "
            f"{defence.noise:g} of their standard deviations, drawn once."
        )
    epsilon, auc = label_guarantee(defence.noise, _DELTA, plan.outputs)
    return (
        f"Returned gradients are a function of noisy labels drawn once: epsilon "
        f"{epsilon:.3g} at delta {_DELTA:g} for one label; from the noise alone no "
        f"attack tells two labels apart with an AUC above {auc:.3f}. That is of this "
        "run: one with another seed, or other rows, draws anew and tells more."
    )
