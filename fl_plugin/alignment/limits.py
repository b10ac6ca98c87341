"""What a domain lets others learn by matching, whoever asks; pure values and checks.

Whoever takes part can put keys into its own list that it only guesses, and sees which
of them match. Nothing hides that, so it is made slow, coarse and visible.
"""

from dataclasses import dataclass

from fl_plugin.errors import PolicyError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """A domain's own limits.

    Args:
        largest_list: Most entries of another domain's list.
        largest_ratio: Most entries of another's list for one of the own list.
        least_matches: Fewer matches are not told to anyone.
        least_key_bits: A smaller space of keys needs a shared salt.
        per_day: Most matchings of a product in 24 hours; the caller counts them.
    """

    largest_list: int = 2_000_000
    largest_ratio: float = 10.0
    least_matches: int = 25
    least_key_bits: float = 40.0
    per_day: int = 100

    def check_list(self, owner: str, size: int, own: int) -> None:
        """Refuse another domain's list that is too long.

        Raises:
            PolicyError: It is.
        """
        if size > self.largest_list:
            raise _refused(
                f"The list of {owner} is longer than this domain allows.",
                f"Ask {owner} to publish fewer rows, or raise `matching.largest_list` "
                "in node.yml.",
            )
        if size > self.largest_ratio * own:
            raise _refused(
                f"The list of {owner} is too long beside this domain's own: it could "
                "be made of guesses.",
                f"Ask {owner} to publish only the rows of the study, or raise "
                "`matching.largest_ratio` in node.yml.",
            )

    def check_matches(self, count: int) -> None:
        """Refuse to help to tell so few matches.

        Raises:
            PolicyError: There are fewer than `least_matches`.
        """
        if count < self.least_matches:
            raise _refused(
                f"Fewer than {self.least_matches} rows are in all domains.",
                "Check that all domains key the same thing, and how the study spells "
                "it: `match.normalise`; otherwise it needs larger products.",
            )

    def check_keys(self, bits: float, *, salted: bool) -> None:
        """Refuse keys that somebody could try one after the other.

        Raises:
            PolicyError: Their space is small and no salt is shared.
        """
        if salted or bits >= self.least_key_bits:
            return
        raise PolicyError(
            f"The keys come from a space of less than 2^{self.least_key_bits:.0f}: "
            "all of it can be tried.",
            remedy="Let the domains share a salt that nobody else has: fl salt new "
            "DOMAIN DOMAIN",
            reason="small_key_space",
        )

    def check_day(self, product: str, done: int) -> None:
        """Refuse one more matching of a product today.

        Args:
            product: Its name.
            done: Its matchings of the last 24 hours that are on record.

        Raises:
            PolicyError: There were as many as are allowed.
        """
        if done >= self.per_day:
            raise _refused(
                f"{product} was matched {done} times in the last 24 hours.",
                "Wait until tomorrow, or raise `matching.per_day` in node.yml.",
            )


def _refused(problem: str, remedy: str) -> PolicyError:
    return PolicyError(problem, remedy=remedy, reason="matching_limit")
