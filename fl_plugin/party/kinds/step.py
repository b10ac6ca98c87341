"""One step of the algorithm, for every fit that is not finished yet."""

from typing import ClassVar

from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, matrix
from fl_plugin.party.session import Session, read_splits

# Fewer rows than this per summed unknown could be solved for (learning.md, attacks).
ROWS_PER_COLUMN = 10
LEAST_ROWS = 100


class Step(Kind):
    """Compute the algorithm's sums at the points asked about, split by split."""

    name: ClassVar[str] = "step"
    releases: ClassVar[str] = "the algorithm's sums over the training rows"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the algorithm's arrays, one of each per split."""
        splits = read_splits(ask.body)
        totals = ask.body.get("rows")
        if not isinstance(totals, list) or len(totals) != len(splits):
            raise MessageError(
                "A message does not say how many rows each fit has in all.",
                remedy="Check that every node runs the same version of fl_plugin.",
            )
        raw = session.columns()
        numbers = len(raw.numeric)
        width = numbers + sum(raw.sizes)
        means = matrix(ask, "means", len(splits), numbers)
        scales = matrix(ask, "scales", len(splits), numbers)
        points = matrix(ask, "points", len(splits), width + 1)
        sums: dict[str, list[object]] = {}
        bounds: dict[str, list[float]] = {}
        for i, split in enumerate(splits):
            design = session.design(split, means[i], scales[i])
            self._check_rows(session, len(design.y), totals[i], width)
            part = session.algorithm.step(points[i], design)
            bound = session.algorithm.bounds(points[i], int(totals[i]))
            for name, values in part.items():
                sums.setdefault(name, []).append(values)
                bounds.setdefault(name, []).append(bound[name])
        return Answer(sums=sums, bounds=bounds)  # type: ignore[arg-type]

    def _check_rows(self, session: Session, rows: int, total: int, width: int) -> None:
        if type(total) is not int or rows > total:
            raise MessageError(
                "A message says that all domains together have fewer rows than this "
                "one has.",
                remedy="Start the run again.",
            )
        # Masked, only the total is seen; plain, this domain's own sums are.
        seen = total if session.masks is not None else rows
        if seen < max(LEAST_ROWS, ROWS_PER_COLUMN * width):
            raise PolicyError(
                f"The rows of {session.product.name} that could be seen are too few "
                "for so many features: single rows could be worked out.",
                remedy="Use fewer features, or secure aggregation over more domains.",
                reason="cohort.too_few_for_features",
                domain=session.product.domain,
            )
