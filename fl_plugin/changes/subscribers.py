"""Who is told of a domain's events: `domains/<domain>/notifications.yml`.

The domain's own file, reviewed like its contracts. A secret is never in it: it names an
environment variable, or a file below the domain's folder that only its owner may read.
"""

import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from fl_plugin.changes.event import Event, Kind
from fl_plugin.errors import ContractError
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Name
from fl_plugin.manifest.yaml_files import read_yaml

FILE = "notifications.yml"
_OTHERS = 0o077
_SHORTEST_SECRET = 16
_LARGEST_SECRET = 4096
# What a request line and a Host header can hold as they are.
_URL = re.compile(r"[!-~]{1,2000}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45}", re.ASCII)


@dataclass(frozen=True)
class Target:
    """Where a subscriber listens; `secure` is TLS."""

    host: str
    port: int
    path: str
    secure: bool


class Secret(ContractBlock):
    """Where the key of the signature is."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,63}\z")] = ""
    file: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\z")
    ] = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.env) == bool(self.file):
            raise ValueError("name env or file, one of the two")
        return self


class Subscriber(ContractBlock):
    """One receiver of events.

    Args:
        url: https; http only to this machine itself.
        kinds: Of events; none means all.
        consumer: Only what concerns this consumer, or whoever looks.
        since: Nothing that was noticed before this day.
        secret: Signs each request (HMAC-SHA256).
        timeout_seconds: For one request, from connecting to the answer.
        attempts: In one call, with pauses between them.
        give_up_after: Attempts over all calls, and then the event is a dead letter.
    """

    url: str
    kinds: tuple[Kind, ...] = ()
    consumer: Name | None = None
    since: date | None = None
    secret: Secret | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 4
    give_up_after: Annotated[int, Field(ge=1, le=1000)] = 20

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        target_of(self.url)
        return self

    @property
    def target(self) -> Target:
        """Where to."""
        return target_of(self.url)

    def wants(self, event: Event) -> bool:
        """Return whether an event is for this subscriber."""
        return (
            (not self.kinds or event.kind in self.kinds)
            and (self.consumer is None or event.concerns_consumer(self.consumer))
            and (self.since is None or event.at.date() >= self.since)
        )


class Notifications(ContractBlock):
    """The words of `notifications.yml`."""

    subscribers: Annotated[dict[Name, Subscriber], Field(max_length=100)] = Field(
        default_factory=dict
    )


def read_subscribers(folder: Path) -> dict[str, Subscriber]:
    """Return a domain's subscribers by name; none where it has no such file.

    Raises:
        ContractError: The file is not valid.
    """
    file = folder / FILE
    if not file.exists():
        return {}
    where = f"{folder.name}/{FILE}"
    return dict(validated(Notifications, read_yaml(file), where).subscribers)


def target_of(url: str) -> Target:
    """Return where a URL points.

    Raises:
        ValueError: It is no plain https URL, or http to another machine.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("url is not a URL") from None
    if not _URL.fullmatch(url) or not _HOST.fullmatch(host) or port == 0:
        raise ValueError("url is not a plain https URL")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("url must hold no user, password or fragment")
    secure = parts.scheme == "https"
    if not secure and not (parts.scheme == "http" and _is_this_machine(host)):
        raise ValueError("url must be https; http is for this machine (127.0.0.1) only")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or (443 if secure else 80), path, secure)


def read_secret(subscriber: Subscriber, name: str, folder: Path) -> bytes | None:
    """Return the key that signs, or None for a subscriber without one.

    Raises:
        ContractError: It is not there, too short, or open to others: an unsigned
            request is not sent in place of a signed one.
    """
    secret = subscriber.secret
    if secret is None:
        return None
    where = f"{folder.name}/{FILE}, {name}"
    found = (
        os.environ.get(secret.env, "").encode()
        if secret.env
        else _from_file(folder, secret.file, where)
    ).strip()
    if len(found) < _SHORTEST_SECRET:
        raise ContractError(
            f"{where}: its secret is missing or below {_SHORTEST_SECRET} bytes.",
            remedy=f"Set the environment variable {secret.env}."
            if secret.env
            else f"Write it: openssl rand -hex 32 > domains/{folder.name}/"
            f"{secret.file}, and chmod 600.",
        )
    return found


def _from_file(folder: Path, name: str, where: str) -> bytes:
    path, shown = (folder / name).resolve(), f"domains/{folder.name}/{name}"
    if not path.is_relative_to(folder.resolve()):
        raise ContractError(
            f"{where}: its secret lies outside the domain's folder.",
            remedy="Use `file: keys/<name>.secret`.",
        )
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise ContractError(
                    f"{where}: others may read its secret.",
                    remedy=f"Keep it to yourself: chmod 600 {shown}",
                )
            return file.read(_LARGEST_SECRET)
    except OSError:
        return b""


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
