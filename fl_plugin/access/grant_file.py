"""The grants in a domain's files: what people review, before dbt has read it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_plugin.access.decision_text import Decision, uneditable, with_decision
from fl_plugin.access.home import Home
from fl_plugin.access.writing import again, put, staged
from fl_plugin.errors import ContractError, MeshError, StorageError, UsageError
from fl_plugin.manifest.exposures import exposure_kind, read_grant
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.types import Grant, Manifest, Product
from fl_plugin.manifest.validation import closest, shown
from fl_plugin.manifest.yaml_files import read_yaml

MOST_FILES = 2_000
_REF = re.compile(
    r"""\s*ref\(\s*(?:['"](?P<project>[\w-]+)['"]\s*,\s*)?['"](?P<model>[\w-]+)['"]"""
    r"""\s*(?:,\s*v(?:ersion)?\s*=\s*['"]?(?P<version>[0-9]{1,9})['"]?\s*)?\)\s*""",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class GrantFile:
    """One grant as its file has it.

    Args:
        home: Its domain.
        path: The file.
        place: Which of the file's exposures it is.
        content: What the whole file holds.
        text: The file's text.
    """

    home: Home
    path: Path
    place: int
    content: Mapping[str, Any]
    text: str

    @property
    def exposure(self) -> Mapping[str, Any]:
        """What the file says of this grant."""
        found: Mapping[str, Any] = self.content["exposures"][self.place]
        return found

    @property
    def name(self) -> str:
        """The grant's name; not checked yet."""
        return str(self.exposure.get("name", ""))

    @property
    def shown_path(self) -> str:
        """The file as seen from the mesh's folder, fit for a message."""
        return str(self.path.relative_to(self.home.root))

    def product(self, manifest: Manifest) -> Product:
        """Return the product that the grant is about.

        Raises:
            ContractError: It names none, several, or one that is not valid.
        """
        where = f"{self.home.name}, grant {shown(self.name)}"
        named = self.exposure.get("depends_on")
        texts = named if isinstance(named, list) else []
        found = [_REF.fullmatch(n) if isinstance(n, str) else None for n in texts]
        ref = found[0] if len(found) == 1 else None
        if ref is None or ref["project"] not in (None, self.home.name):
            raise ContractError(
                f"{where}: depends_on must name one product of {self.home.name}.",
                remedy="Write `depends_on: [\"ref('<product>')\"]`.",
            )
        key = f"{self.home.name}.{ref['model']}"
        key += f".v{int(ref['version'])}" if ref["version"] else ""
        if key in manifest.problems:
            raise manifest.problems[key]
        if key not in manifest.products:
            raise ContractError(
                f"{where}: it names {key}, which is not a data product.",
                remedy=closest(key, manifest.products),
            )
        return manifest.products[key]

    def grant(self, product: Product) -> Grant:
        """Return the grant as dbt's manifest would give it.

        Raises:
            ContractError: A word of it is wrong.
        """
        fields = {
            **self.exposure,
            "package_name": self.home.name,
            "depends_on": {"nodes": [product.unique_id]},
        }
        where = f"{self.home.name}, grant {shown(self.name)}"
        return read_grant(Fields(fields, where), {product.unique_id: product.name})

    def decided(self, decision: Decision, note: str = "") -> str:
        """Return the file's text with another decision and, above it, a comment."""
        return with_decision(self.text, self.place, decision, note)

    def replace(self, text: str, decision: Decision) -> None:
        """Put a text in the file's place, if it differs by this decision alone.

        Raises:
            ContractError: Something else would change, or the file changed meanwhile.
            StorageError: It cannot be written.
        """
        with staged(self.path, text) as aside:
            if again(aside) != self._with(decision):
                raise uneditable()
            if read_yaml(self.path) != self.content:
                raise StorageError(
                    f"{self.path.name} was changed by somebody else meanwhile.",
                    remedy="Look at the change, then run the command again.",
                )
            put(aside, self.path)

    def _with(self, decision: Decision) -> dict[str, Any]:
        """Return the file's content with another decision and nothing else changed."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in decision.items()
        }
        exposures = list(self.content["exposures"])
        exposures[self.place] = _replaced(self.exposure, plain)
        return {**self.content, "exposures": exposures}


@dataclass(frozen=True)
class GrantFiles:
    """A domain's grants by name, and what is wrong with a file, by its path."""

    grants: Mapping[str, GrantFile]
    problems: Mapping[str, MeshError]


def grants_in(home: Home) -> GrantFiles:
    """Return every grant in a domain's files; one broken file hides no other."""
    grants: dict[str, GrantFile] = {}
    problems: dict[str, MeshError] = {}
    for path in _files(home):
        try:
            for found in _grants_of(home, path):
                if found.name in grants:
                    raise _twice(found)
                grants[found.name] = found
        except MeshError as error:
            problems[str(path.relative_to(home.root))] = error
    return GrantFiles(dict(sorted(grants.items())), problems)


def grant_in(home: Home, name: str) -> GrantFile:
    """Return one grant of a domain.

    Raises:
        UsageError: There is none of this name.
        ContractError: A file among the domain's grants is not valid.
    """
    found = grants_in(home)
    for problem in found.problems.values():
        raise problem
    if name not in found.grants:
        raise UsageError(
            f"{home.name} has no grant {shown(name)}.",
            remedy=closest(name, found.grants)
            if found.grants
            else "Ask for one: fl access request STUDY --by ADDRESS",
        )
    return found.grants[name]


def _twice(found: GrantFile) -> ContractError:
    return ContractError(
        f"{found.home.name}: the grant {shown(found.name)} is described twice.",
        remedy="Rename one of the two; each decision stands for itself.",
    )


def _files(home: Home) -> list[Path]:
    found = [p for kind in ("*.yml", "*.yaml") for p in home.grants.rglob(kind)]
    if len(found) > MOST_FILES:
        raise ContractError(
            f"{home.name} has more than {MOST_FILES:,} files of grants.",
            remedy="Delete those that ended long ago; git keeps them.",
        )
    return sorted(found)


def _grants_of(home: Home, path: Path) -> Iterator[GrantFile]:
    if not path.resolve().is_relative_to(home.folder.resolve()):
        raise ContractError(
            f"{home.name}: {shown(path.name)} leads out of the domain's folder.",
            remedy="Keep the domain's grants in its own folder.",
        )
    content = read_yaml(path)
    exposures = content.get("exposures") or []
    mappings = isinstance(exposures, list) and all(
        isinstance(e, dict) for e in exposures
    )
    if not mappings:
        raise ContractError(
            f"{home.name}: the exposures of {shown(path.name)} are no list of them.",
            remedy="Write each as a list entry: `- name: ...`.",
        )
    for place, exposure in enumerate(exposures):
        where = f"{home.name}, {shown(path.name)}"
        if exposure_kind(Fields(exposure, where)) != "grant":
            continue
        yield GrantFile(
            home=home, path=path, place=place, content=content, text=_text(path)
        )


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise StorageError(
            f"{shown(path.name)} cannot be read.", remedy="Look at the file."
        ) from None


def _replaced(exposure: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
    config = exposure.get("config")
    meta = config.get("meta") if isinstance(config, dict) else None
    if isinstance(config, dict) and isinstance(meta, dict) and "mesh" in meta:
        mesh = {**meta["mesh"], "decision": decision}
        return {**exposure, "config": {**config, "meta": {**meta, "mesh": mesh}}}
    meta = exposure["meta"]
    return {
        **exposure,
        "meta": {**meta, "mesh": {**meta["mesh"], "decision": decision}},
    }
