"""Which of Flower's messages a node passes on to its party, and what it says of others.

Who is not let in is on record in the domain's ledger.
"""

from collections.abc import Callable

from flwr.app import Error, RecordDict
from flwr.common.constant import ErrorCode

from fl_plugin.errors import MeshError
from fl_plugin.flower.asking import Answer, Question, question_in
from fl_plugin.flower.shim import is_listed
from fl_plugin.party.party import Party
from fl_plugin.software import release

Tell = Callable[[str], None]


class PassingOn:
    """Stands between Flower and one domain's party.

    Args:
        party: The domain's.
        coordinator: The public key of the invitation that the domain accepted.
        tell: Told what is wrong at the domain itself, for its own people.
    """

    def __init__(self, party: Party, coordinator: str, tell: Tell) -> None:
        self._party = party
        self._coordinator = coordinator
        self._tell = tell

    def reply(self, content: RecordDict, app: str) -> RecordDict | Error:
        """Return what goes back.

        Args:
            content: Of the message.
            app: Fingerprint of the app that its run was submitted with; the app is
                never run.
        """
        try:
            if not is_listed(app):
                self._party.turn_away("", f"app {app}", "app.unlisted")
                reason = f"{self._party.name} starts no app but the mesh's own."
                return Error(ErrorCode.INVALID_FAB, reason)
            return self._answer(question_in(content)).record()
        except MeshError as error:
            self._tell(f"{error} {error.remedy}")
            return Answer(
                problem=f"The node of {self._party.name} is not in order.",
                remedy=f"Ask {self._party.name} to look at what its node says.",
                code="node",
            ).record()

    def _answer(self, asked: Question | None) -> Answer:
        name = self._party.name
        if asked is None or not asked.is_genuine or asked.party != name:
            self._party.turn_away("", "", "question.unsigned")
            return Answer(
                problem=f"{name} was asked by nobody who signs for it.",
                remedy="Ask through: fl train STUDY --engine flower",
                code="question.unsigned",
            )
        if asked.software != release():
            return Answer(
                problem=f"The node of {name} runs version {release()} of fl_plugin, "
                "and was called by another.",
                remedy="Install the same version on both sides.",
                code="software.differs",
            )
        # Who joined with an invitation has accepted whoever sent it, as a node on one
        # machine accepts its own user: `callers` in node.yml says otherwise.
        own = asked.key == self._coordinator
        if not self._party.admits(asked.caller, asked.key, own=own):
            return Answer(
                problem=f"The coordinator with the key {asked.key} may not speak for "
                f"the consumer {asked.caller} at {name}.",
                remedy=f"Ask {name} to list the key under `callers` in its node.yml.",
                code="caller.unknown",
            )
        return Answer(data=self._party.handle(asked.data, asked.caller))
