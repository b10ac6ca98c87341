"""Who answers for a mesh or a domain: an owner, stewards, a place to ask."""

from dataclasses import dataclass

from fl_plugin.errors import UsageError
from fl_plugin.scaffold.names import check_address, check_text

FEWEST_STEWARDS = 2
# RFC 2606 reserves .example: nobody is written to by mistake.
_HOST = "mesh.example"


@dataclass(frozen=True, kw_only=True)
class Team:
    """The owner of a dbt group, in words that may stand in its files.

    Args:
        stand_ins: Whether any address was made up, for people to replace.
    """

    name: str
    email: str
    stewards: tuple[str, ...]
    support: str
    stand_ins: bool


def team_of(
    group: str,
    *,
    name: str | None = None,
    email: str | None = None,
    stewards: tuple[str, ...] = (),
    support: str | None = None,
) -> Team:
    """Return a team; what is not said gets a stand-in after the group's name.

    Raises:
        UsageError: A text or an address cannot be used, or there is but one steward.
    """
    places = tuple(check_address(s, "steward") for s in stewards)
    if places and len({s.casefold() for s in places}) < FEWEST_STEWARDS:
        raise UsageError(
            f"{group} needs two stewards: a restricted column takes two approvals.",
            remedy="Name two: --steward ADDRESS --steward ADDRESS.",
        )
    host = _HOST if group == "mesh" else f"{group.replace('_', '-')}.{_HOST}"
    reach = check_address(email, "email") if email else f"data-products@{host}"
    return Team(
        name=check_text(name, "owner") if name else f"{_words(group)} data products",
        email=reach,
        stewards=places or (f"steward@{host}", f"second-steward@{host}"),
        support=check_text(support, "support") if support else reach,
        stand_ins=not (email and places),
    )


def _words(group: str) -> str:
    return group.replace("_", " ").capitalize()
