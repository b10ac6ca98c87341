"""How hard the encryption of vertical boosting is to break, reckoned by hand.

Usage: python -m bench.lattice_security [--json]

A reckoning, not the lattice estimator (which needs Sage): the primal attack with a
scaled secret (Bai & Galbraith 2014; Alkim et al. 2016), core-SVP cost 2^(0.292 b) for
blocks of b, on as many unknowns as are left once k of them were guessed to be 0
(Albrecht 2017, section 4); and the hybrid attack with a meeting in the middle, taken at
its very best (Howgrave-Graham 2007): guesses cost the square root of their number, and
each is tried for nothing. The first rows are the standard's table (Albrecht et al.
2018: dense ternary secrets): its levels are 32 bits higher, because core-SVP counts
one call of the sieve and the table all of them, in bits of instructions.
"""

import sys
from dataclasses import dataclass
from math import comb, e, log, log2, pi, sqrt

from bench.figures import Figure, finish, parser
from fl_plugin.vertical.boosting.parameters import COINS, DEGREE, WEIGHT

BAR = 128.0
SIEVE = 0.292  # bits of a block's cost per dimension
GUESSES = range(0, DEGREE, 64)


@dataclass(frozen=True)
class Problem:
    """Learning with errors.

    Args:
        unknowns: Coefficients of the secret.
        modulus: Bits.
        error: Deviation.
        weight: Coefficients of the secret that are 1 or -1.
    """

    unknowns: int
    modulus: int
    error: float
    weight: float

    def lattice(self) -> float:
        """Return bits of work to find the secret by reducing a lattice."""
        secret = sqrt(self.weight / self.unknowns)
        low, high = 6, 4_096
        while low < high:  # the smallest block that finds it
            block = (low + high) // 2
            if self._found(block, secret):
                high = block
            else:
                low = block + 1
        return SIEVE * low

    def _found(self, block: int, secret: float) -> bool:
        """Whether some number of equations lets this block size find the secret."""
        size = log(_root(block))
        scaled = self.unknowns * log(self.error / secret)
        for equations in range(self.unknowns // 4, 3 * self.unknowns, 32):
            whole = self.unknowns + equations + 1
            volume = (equations * self.modulus * log(2) + scaled) / whole
            length = 0.5 * log(block) + log(self.error)
            if length <= (2 * block - whole) * size + volume:
                return True
        return False

    def without(self, zeros: int) -> tuple[float, "Problem"]:
        """Return bits of work to guess so many zeros rightly, and what is left."""
        weight = round(self.weight)
        chance = comb(self.unknowns - weight, zeros) / comb(self.unknowns, zeros)
        rest = Problem(self.unknowns - zeros, self.modulus, self.error, self.weight)
        return -log2(chance) if chance > 0 else 1e9, rest


def _root(block: int) -> float:
    """Return the root Hermite factor of a block size (Chen 2013)."""
    if block < 50:  # noqa: PLR2004 - the formula is for larger ones
        return 1.0219 - 0.0001 * block
    return float(
        (block / (2 * pi * e) * (pi * block) ** (1 / block)) ** (1 / (2 * (block - 1)))
    )


def guessed(problem: Problem) -> float:
    """Return bits of work if zeros are guessed first."""
    best = problem.lattice()
    for zeros in GUESSES:
        if problem.unknowns - zeros <= problem.weight:
            break
        cost, rest = problem.without(zeros)
        if cost >= best:
            break
        best = min(best, cost + rest.lattice())
    return best


def hybrid(problem: Problem) -> float:
    """Return bits of work of the hybrid attack at its very best."""
    best, n, h = problem.lattice(), problem.unknowns, round(problem.weight)
    for guess in range(256, n - h, 128):
        cost_of_rest = Problem(
            n - guess, problem.modulus, problem.error, h * (n - guess) / n
        ).lattice()
        if cost_of_rest >= best:
            continue
        found = _middle(n, h, guess, cost_of_rest)
        best = min(best, found)
    return best


def _middle(n: int, h: int, guess: int, lattice: float) -> float:
    """Return bits of work if at most some of the guessed coefficients are not 0."""
    best, chance, tried = float("inf"), 0.0, 0
    whole = comb(n, guess)
    for ones in range(min(guess, h) + 1):
        chance += comb(h, ones) * comb(n - h, guess - ones) / whole
        tried += comb(guess, ones) << ones
        if chance < 1e-30:  # noqa: PLR2004 - hopeless
            continue
        best = min(best, max(lattice, log2(tried) / 2) - log2(min(chance, 1.0)))
    return best


def main() -> int:
    """Print the figures; exit with 1 where the bar is missed."""
    arguments = parser(__doc__)
    chosen = arguments.parse_args()
    own = Problem(DEGREE, 64, sqrt(COINS / 4), WEIGHT)
    dense = 2 * DEGREE / 3
    figures = [
        Figure(
            name=f"dense ternary, {bits} bits (the table: {level})",
            value=Problem(DEGREE, bits, 3.2, dense).lattice(),
        )
        for bits, level in ((109, 128), (75, 192), (58, 256))
    ]
    figures += [
        Figure(
            name="dense ternary, 64 bits",
            value=Problem(DEGREE, 64, own.error, dense).lattice(),
        ),
        Figure(name="ours, lattice alone", value=own.lattice()),
        Figure(name="ours, zeros guessed first", value=guessed(own), least=BAR),
        Figure(name="ours, hybrid at its very best", value=hybrid(own), least=BAR),
    ]
    return finish(
        f"Degree {DEGREE:,}, 64 bits, weight {WEIGHT}: bits of work",
        figures,
        as_json=chosen.json,
    )


if __name__ == "__main__":
    sys.exit(main())
