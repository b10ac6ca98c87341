"""End a fit: every domain keeps its own part of the model, and nobody else's."""

from typing import ClassVar

from fl_plugin.errors import StorageError
from fl_plugin.manifest.uses import TRAIN_VERTICAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, rounded
from fl_plugin.party.matched.parts import Part, keep, place_of, refuse_second
from fl_plugin.party.matched.state import matched_of
from fl_plugin.party.session import Session, out_of_order


class Keep(Kind):
    """Write the own part; tell its digest and what was measured of the fit."""

    name: ClassVar[str] = "keep"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_VERTICAL})
    releases: ClassVar[str] = "the digest of the own part, figures of the fit"

    def answer(self, session: Session, ask: Ask) -> Answer:  # noqa: ARG002
        """Return the digest of the file and the algorithm's figures, rounded."""
        matched = matched_of(session)
        if matched.worker is None or matched.algorithm is None:
            raise out_of_order()
        if matched.kept is not None:
            raise out_of_order()
        matched.part = matched.worker.part()
        part = Part(
            algorithm=matched.algorithm.name,
            parameters=matched.algorithm.parameters(),
            columns=matched.designed(),
            arrays=matched.part,
            labelled=session.wanted.target is not None,
        )
        file = place_of(matched.folder, session.request.study, session.run)
        # There was none when the run was opened: of a run that is taken up again it is
        # this run's own, written before the party was killed.
        if not session.again:
            refuse_second(file, session.product.domain)
        try:
            matched.kept = file
            told = keep(file, part)
        except OSError as error:
            raise StorageError(
                f"{session.product.domain} cannot keep its part of the model "
                f"({error.strerror}).",
                remedy="Free space or fix the permissions of its folder `models`.",
            ) from None
        figures = {n: rounded(v) for n, v in matched.worker.figures().items()}
        return Answer(body={"part": told, "figures": figures})
