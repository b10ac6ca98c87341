"""What a domain publishes of its products' quality: `target/quality.json`.

Only words and ranges stand in it, never a count; `fl_plugin.quality` writes it. It
lies beside the manifest, so it is read like one: anybody may have written it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError

from fl_plugin.errors import BuildError
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.words import ColumnName, Name, Positive, ProductName, Share
from fl_plugin.policy.rules.s07_quality import Floor

QUALITY_FILE = "quality.json"
MAX_BYTES = 8 * 1024**2
Range = tuple[Share, Share]
Group = Annotated[str, StringConstraints(max_length=200)]
Words = Annotated[str, StringConstraints(pattern=r"^<?[a-z0-9 ]{1,32}\z")]


class PublishedDrift(ContractBlock):
    """How far one column has moved since the approved profile.

    Args:
        psi_below: The population stability index, as the next step above it; None for
            a restricted column.
    """

    column: ColumnName
    verdict: Literal["stable", "moving", "drifted"]
    psi_below: Positive | None = None

    @property
    def index_words(self) -> str:
        """The index in words; empty where it may not be told."""
        if self.psi_below is None:
            return ""
        return "above 2" if self.psi_below > 2 else f"below {self.psi_below:g}"  # noqa: PLR2004 the last step but one


class PublishedGroup(ContractBlock):
    """One group of people; with nothing but its name it is too small to speak of.

    Args:
        share: Of all rows, as a range; None where the column is restricted.
        rate: How often the label holds, as a range that many rows fit in; None where
            the label or the column is restricted.
        than_all: The same beside all rows, in a word.
    """

    group: Group
    share: Range | None = None
    rate: Range | None = None
    than_all: Literal["lower", "alike", "higher"] | None = None


class PublishedBias(ContractBlock):
    """One label over the groups of one protected column.

    Args:
        verdict: `uneven` where two groups' rates surely differ, by more than their
            ranges are wide; `unknown` where fewer than two groups can be told apart.
    """

    label: ColumnName
    protected: ColumnName
    verdict: Literal["even", "uneven", "unknown"]
    groups: Annotated[tuple[PublishedGroup, ...], Field(max_length=1000)]


class PublishedProfile(ContractBlock):
    """One product's measured quality.

    Args:
        built_at: When the build that was measured ran; a later build is not measured.
        as_of: When the figures about people were counted: they stay as they are until
            enough rows have changed.
        at_least: Shares that are surely reached, by measure.
        filled: The same for each column, how many of its cells are filled.
        broken: Since when each broken floor is.
        tests: Whether dbt's tests of that build passed; None where none ran.
        newest_event: In words; None without an event time.
        approved_at: Of the profile that drift is measured against.
        labels: How often each label holds; a restricted one is left out.
    """

    product: ProductName
    version: int | None = None
    built_at: AwareDatetime
    measured_at: AwareDatetime
    as_of: AwareDatetime
    rows: Words
    at_least: dict[Name, Share] = Field(default_factory=dict)
    filled: dict[ColumnName, Share] = Field(default_factory=dict)
    broken: dict[Floor, AwareDatetime] = Field(default_factory=dict)
    tests: Literal["passing", "failing"] | None = None
    newest_event: Words | None = None
    approved_at: AwareDatetime | None = None
    drift: tuple[PublishedDrift, ...] = ()
    labels: dict[ColumnName, Range] = Field(default_factory=dict)
    bias: tuple[PublishedBias, ...] = ()

    @property
    def worst_drift(self) -> PublishedDrift | None:
        """The column that moved most, as far as it may be told."""
        order = ("stable", "moving", "drifted")
        return max(
            self.drift,
            key=lambda d: (order.index(d.verdict), d.psi_below or 0.0),
            default=None,
        )


class PublishedQuality(ContractBlock):
    """Everything one domain publishes."""

    format: Literal[1] = 1
    domain: Name
    products: Annotated[tuple[PublishedProfile, ...], Field(max_length=10_000)] = ()


Published = Mapping[tuple[str, int | None], PublishedProfile]


def read_quality(folder: Path) -> PublishedQuality | None:
    """Return what the domain in a folder has published; None where nothing.

    Raises:
        BuildError: The file is not what `fl quality profile` writes.
    """
    path = folder / "target" / QUALITY_FILE
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) <= MAX_BYTES:
            return PublishedQuality.model_validate_json(content)
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, RecursionError):
        pass
    raise BuildError(
        f"{path} is not what a domain publishes of its quality.",
        remedy="Write it again: fl quality profile",
    )


def read_published(root: Path) -> Published:
    """Return what the domains of a mesh have published, by product and version.

    A domain may speak of its own products only. What cannot be read counts as not
    measured: the catalog shows the rest of the mesh.
    """
    found: dict[tuple[str, int | None], PublishedProfile] = {}
    for folder in sorted(p.parent for p in (root / "domains").glob("*/node.yml")):
        try:
            published = read_quality(folder)
        except BuildError:
            continue
        for profile in published.products if published else ():
            if profile.product.partition(".")[0] == folder.name:
                found[(profile.product, profile.version)] = profile
    return found


def is_of_build(profile: PublishedProfile, built_at: datetime | None) -> bool:
    """Return whether a profile is about the build that stands there now."""
    if built_at is None:
        return False
    # What is shown of a build is cut to the minute.
    return abs((profile.built_at.astimezone(UTC) - built_at).total_seconds()) < 60  # noqa: PLR2004
