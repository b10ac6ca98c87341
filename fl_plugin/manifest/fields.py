"""The few fields of a manifest that are read, each checked for its kind.

dbt's manifest changes within one schema version: unknown keys and unknown values of
dbt's own enumerations are ignored, a field of the wrong kind is an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from fl_plugin.errors import BuildError
from fl_plugin.manifest.validation import shown

_DIGITS = 9  # of a version number


@dataclass(frozen=True)
class Fields:
    """A mapping of a manifest that knows where it stands.

    Args:
        value: The mapping.
        where: Its place, for errors.
    """

    value: Mapping[str, Any]
    where: str

    def text(self, key: str) -> str:
        """Return text; "" where there is none."""
        found = self.value.get(key)
        if found is None:
            return ""
        return found if isinstance(found, str) else self._wrong(key, "text")

    def flag(self, key: str) -> bool:
        """Return whether it says true, and nothing else than true."""
        return self.value.get(key) is True

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; a single text counts as a list of one."""
        found = self.value.get(key)
        if found is None:
            return ()
        if isinstance(found, str):
            return (found,)
        if not isinstance(found, list) or not all(isinstance(f, str) for f in found):
            self._wrong(key, "a list of texts")
        return tuple(found)

    def version(self, key: str) -> int | None:
        """Return a version; dbt writes 1, 1.0 or "1"."""
        found = self.value.get(key)
        if found is None:
            return None
        if isinstance(found, str) and found.isascii() and found.isdecimal():
            return int(found) if len(found) <= _DIGITS else self._wrong(key, "small")
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            self._wrong(key, "a whole number")
        if isinstance(found, float) and not found.is_integer():
            self._wrong(key, "a whole number")
        return int(found)

    def block(self, key: str) -> "Fields":
        """Return the mapping below; an empty one where there is none."""
        found = self.value.get(key)
        if found is not None and not isinstance(found, Mapping):
            self._wrong(key, "a mapping")
        return Fields(found or {}, f"{self.where}, {key}")

    def blocks(self, key: str) -> Iterator[tuple[str, "Fields"]]:
        """Yield name and mapping of each thing below, as the file has them."""
        below = self.block(key)
        for name in below.value:
            yield name, below.block(name)

    def listed(self, key: str) -> Iterator["Fields"]:
        """Yield each mapping of a list."""
        found = self.value.get(key) or []
        if not isinstance(found, list):
            self._wrong(key, "a list")
        for entry in found:
            if not isinstance(entry, Mapping):
                self._wrong(key, "a list of mappings")
            yield Fields(entry, f"{self.where}, {key}")

    def mesh(self) -> object:
        """Return what stands under `mesh`, in `config.meta` or `meta`; else None."""
        for holder in (self.block("config"), self):
            meta = holder.block("meta").value
            if "mesh" in meta:
                return meta["mesh"]
        return None

    def _wrong(self, key: str, kind: str) -> NoReturn:
        raise BuildError(
            f"{self.where}: {shown(key)} is not {kind}.",
            remedy="Build the domain again: cd domains/<domain> && dbt build",
        )
