"""Names on the command line: `study` or `study@v3`, and what a wrong one was for."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches

import click

from fl_plugin.errors import MeshError, RegistryError, UsageError


@dataclass(frozen=True)
class ModelName:
    """A study, and the version of its model (None: the latest)."""

    study: str
    version: int | None

    def __str__(self) -> str:
        return self.study if self.version is None else f"{self.study}@v{self.version}"


class ModelNameType(click.ParamType[ModelName]):
    """`credit_risk` or `credit_risk@v3`."""

    name = "study[@vN]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> ModelName:
        """Return the two parts of the word."""
        if isinstance(value, ModelName):
            return value
        study, at, version = str(value).partition("@")
        if not at:
            return ModelName(study, None)
        found = re.fullmatch(r"v([1-9][0-9]{0,8})", version, re.ASCII)
        if found is None or not study:
            self.fail("Name a version like credit_risk@v3.", param, ctx)
        return ModelName(study, int(found[1]))


MODEL_NAME = ModelNameType()
MEANT = "Did you mean"


@contextmanager
def suggesting(wanted: str, known: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Add "Did you mean ...?" to an error about a name that is not known.

    `known` is called only then.
    """
    try:
        yield
    except (UsageError, RegistryError) as error:
        meant = closest(wanted, known)
        if meant is None or error.remedy.startswith(MEANT):
            raise
        remedy = f"{MEANT} {meant}? {error.remedy}"
        raise type(error)(error.problem, remedy=remedy) from None


def closest(wanted: str, known: Callable[[], Iterable[str]]) -> str | None:
    """Return the known name that a wrong one is most like, if any is."""
    names: list[str] = []
    with suppress(MeshError):  # the error at hand is the one to tell
        names = sorted(set(known()))
    if wanted in names:
        return None
    return next(iter(get_close_matches(wanted, names, n=1)), None)
