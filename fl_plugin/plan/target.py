"""What a study predicts, from the target's type and what the algorithm can learn."""

from collections.abc import Sequence

from fl_plugin.algorithms.base import Algorithm, Target
from fl_plugin.errors import ContractError
from fl_plugin.manifest.types import Column, Product, Study
from fl_plugin.plan.columns import categories_of, kind_of
from fl_plugin.preparation.features import Category

_ANY = ("binary", "multiclass", "regression", "count", "none")
TWO = 2


def target_of(
    study: Study, products: Sequence[Product], algorithm: type[Algorithm] | None
) -> Target:
    """Return the kind of target, and its classes.

    Args:
        study: The study.
        products: Those it trains on.
        algorithm: The one it names; None where it is not installed here, which each
            domain then refuses.

    Raises:
        ContractError: The target is missing, is of a type that the algorithm cannot
            learn, or its classes are not listed in the contracts.
    """
    learns = algorithm.targets if algorithm else _ANY
    name = study.contract.target
    if name is None:
        if "none" not in learns:
            raise _wrong(study, "has no target", learns)
        return Target(kind="none", classes=())
    if set(learns) == {"none"}:
        raise _wrong(study, f"has the target {name}", learns)
    columns = [p.columns[name] for p in products if name in p.columns]
    if len(columns) < len(products):
        missing = next(p.name for p in products if name not in p.columns)
        raise ContractError(
            f"The study {study.name} names the column {name}, which {missing} has not "
            "got.",
            remedy=f"See its columns: fl catalog show {missing}",
        )
    return target_of_columns(study, columns, learns)


def target_of_columns(
    study: Study, columns: Sequence[Column], learns: Sequence[str] | None
) -> Target:
    """Return the kind of target, and its classes, of the columns that hold it.

    Args:
        study: The study.
        columns: The target, as each product that has it promises it.
        learns: What its algorithm can learn; None where it is not installed here.

    Raises:
        ContractError: It is of a type that the algorithm cannot learn, or its classes
            are not listed in the contracts.
    """
    learns = _ANY if learns is None else learns
    kind = kind_of(study, columns)
    numbers = [k for k in learns if k in {"regression", "count"}]
    classes = (False, True) if kind == "boolean" else categories_of(columns)
    if kind == "numeric" and numbers and not _listed(study, classes, learns):
        wished = study.contract.algorithm.parameters.get("loss") == "poisson"
        chosen = "count" if wished and "count" in numbers else numbers[0]
        return Target(kind=chosen, classes=())
    if classes is None or len(classes) < TWO:
        raise ContractError(
            f"The classes of {columns[0].name} are not known, so {study.name} cannot "
            "predict it.",
            remedy="List two or more of them with an accepted_values test in every "
            "product's contract.",
        )
    found = "binary" if len(classes) == TWO else "multiclass"
    if found not in learns and "multiclass" in learns:
        found = "multiclass"  # two classes are several to what knows no other way
    if found not in learns:
        raise _wrong(study, f"has a {found} target", learns)
    return Target(kind=found, classes=classes)


def _listed(
    study: Study, classes: tuple[Category, ...] | None, learns: Sequence[str]
) -> bool:
    """Return whether numbers are the names of classes: all of them are listed.

    A loss of numbers says that they are meant as such.
    """
    loss = study.contract.algorithm.parameters.get("loss", "auto")
    several = classes is not None and len(classes) >= TWO
    return several and loss in {"auto", "log_loss"} and "multiclass" in learns


def _wrong(study: Study, what: str, learns: Sequence[str]) -> ContractError:
    name = study.contract.algorithm.name
    return ContractError(
        f"The study {study.name} {what}, which {name} cannot learn from.",
        remedy=f"{name} learns: {', '.join(learns)}. See: fl algorithms",
    )
