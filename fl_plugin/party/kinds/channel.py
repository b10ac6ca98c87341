"""The keys of the sealed channels between the parties of a vertical run."""

from typing import ClassVar

from fl_plugin.manifest.uses import PREDICT, TRAIN_VERTICAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind
from fl_plugin.party.matched.state import matched_of
from fl_plugin.party.session import Session


class Channel(Kind):
    """Tell the own public key; then take those of all parties."""

    name: ClassVar[str] = "channel"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_VERTICAL, PREDICT})
    releases: ClassVar[str] = "a signed public key"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the announcement, or nothing once all are known."""
        channel = matched_of(session).channel
        announcements = ask.body.get("announcements")
        if announcements is None:
            return Answer(body={"announcement": channel.announce()})
        channel.accept(announcements)
        return Answer()
