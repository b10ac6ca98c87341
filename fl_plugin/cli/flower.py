"""`fl flower`: domains on machines of their own, with Flower carrying the messages."""

import os
import sys
from pathlib import Path

import click

from fl_plugin.cli.answering import end, folder_of, until_stopped
from fl_plugin.cli.listing import ListingGroup
from fl_plugin.cli.log import logged
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.train import train_study
from fl_plugin.errors import UsageError

PORT = 18_200
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 named to be refused without --host


@click.group(cls=ListingGroup)
def flower() -> None:
    """Train across machines: start the SuperLink, admit nodes, run.

    Example: fl flower up
    """


@flower.command()
@click.option(
    "--listen",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where nodes are let in; 0.0.0.0 for every address of this machine.",
)
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65_535))
@click.option(
    "--host",
    default="",
    metavar="NAME",
    help="The name or address that nodes call this machine by; --listen unless named.",
)
@click.option("--detach", is_flag=True, help="In the background; see fl flower stop.")
@logged
@verb
def up(session: Session, listen: str, port: int, host: str, *, detach: bool) -> None:
    """Run the SuperLink of this mesh until it is stopped.

    The first time it makes the mesh's authority and the key that signs what the
    coordinator asks. Give the domains flower/invitation.json.

    Example: fl flower up --listen 0.0.0.0 --host mesh.bank.example
    """
    _check_installed()
    from fl_plugin.flower.background import running  # noqa: PLC0415
    from fl_plugin.flower.forwarding import Address  # noqa: PLC0415
    from fl_plugin.flower.link import Link  # noqa: PLC0415
    from fl_plugin.flower.places import LinkPlace  # noqa: PLC0415

    root = session.mesh.root
    place = LinkPlace(root)
    if not host and listen in _EVERYWHERE:
        raise UsageError(
            f"{listen} is no address that a node could call.",
            remedy="Name this machine as nodes call it: --host mesh.bank.example",
        )
    if detach:
        words = ["up", "--project", os.fspath(root), "--listen", listen]
        words += ["--port", str(port), "--host", host]
        _started(session, words, place.folder)
        return
    with running(place.folder, "The SuperLink of this mesh"):
        link = Link(root, Address(listen, port), host or listen)
        until_stopped(link.stop)
        link.serve(lambda: _say(session, f"Nodes may join: {place.invitation}"))
    end(session)


@flower.command()
@click.option("--domain", required=True, metavar="NAME", help="For which domain.")
@click.option(
    "--join",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The invitation; flower/invitation.json of the mesh unless named.",
)
@click.option("--detach", is_flag=True, help="In the background; see fl flower stop.")
@logged
@verb
def node(session: Session, domain: str, join: Path | None, *, detach: bool) -> None:
    """Answer for DOMAIN over Flower until it is stopped.

    Run it as the domain's own user, on the domain's own machine. The first time it
    makes a certificate; it waits until that is admitted.

    Example: fl flower node --domain consumer_banking --join invitation.json
    """
    _check_installed()
    from fl_plugin.flower.places import NodePlace  # noqa: PLC0415

    root = session.project.resolve()
    folder = folder_of(root, domain)
    file = join or root / "flower" / "invitation.json"
    if detach:
        words = ["node", "--project", os.fspath(root), "--domain", domain]
        words += ["--join", os.fspath(file.resolve())]
        _started(session, words, NodePlace(folder).folder)
        return
    _serve(session, folder, file)
    end(session, domain=domain)


def _serve(session: Session, folder: Path, file: Path) -> None:
    from fl_plugin.flower.background import running  # noqa: PLC0415
    from fl_plugin.flower.invitation import read_invitation  # noqa: PLC0415
    from fl_plugin.flower.node import FlowerNode  # noqa: PLC0415
    from fl_plugin.party.heard import untold  # noqa: PLC0415

    invitation, log = read_invitation(file), session.log
    with running(folder / "flower", f"The node of {folder.name}"):
        each = log.event if log.lines else untold
        serving = FlowerNode(folder, invitation, log.say, each)
        until_stopped(serving.stop)
        serving.serve(lambda: _say(session, f"The node of {folder.name} has joined."))


@flower.command()
@click.option("--domain", required=True, metavar="NAME", help="For which domain.")
@click.argument("certificate", type=click.Path(dir_okay=False, path_type=Path))
@verb
def admit(session: Session, domain: str, certificate: Path) -> None:
    """Let the node with CERTIFICATE answer for DOMAIN.

    Whoever it is admitted for is whom it speaks for: take the file from the domain's
    team by a way that shows that it is theirs.

    Example: fl flower admit --domain consumer_banking node.crt
    """
    _check_installed()
    from fl_plugin.flower.admission import admit as let_in  # noqa: PLC0415
    from fl_plugin.flower.places import LinkPlace  # noqa: PLC0415

    let_in(LinkPlace(session.mesh.root), domain, certificate)
    session.answer({"admitted": domain}, [f"The node of {domain} is admitted."])


@flower.command()
@click.option("--domain", required=True, metavar="NAME", help="Of which domain.")
@verb
def dismiss(session: Session, domain: str) -> None:
    """Let the node of DOMAIN in no more.

    Example: fl flower dismiss --domain consumer_banking
    """
    _check_installed()
    from fl_plugin.flower.admission import dismiss as shut_out  # noqa: PLC0415
    from fl_plugin.flower.places import LinkPlace  # noqa: PLC0415

    shut_out(LinkPlace(session.mesh.root), domain)
    session.answer({"dismissed": domain}, [f"The node of {domain} is shut out."])


@flower.command()
@click.argument("study")
@logged
@verb
def run(session: Session, study: str) -> None:
    """Train STUDY over Flower: fl train with the engine flower.

    Example: fl flower run credit_risk
    """
    train_study(session, study, "flower")


@flower.command()
@verb
def stop(session: Session) -> None:
    """End what runs here in the background: SuperLink and nodes.

    A run that goes on is interrupted, and can be resumed: fl runs resume.

    Example: fl flower stop
    """
    from fl_plugin.flower.background import stop as end_at  # noqa: PLC0415
    from fl_plugin.flower.places import LinkPlace, NodePlace  # noqa: PLC0415

    root = session.project.resolve()
    places = {
        d.parent.name: NodePlace(d.parent).folder
        for d in sorted((root / "domains").glob("*/node.yml"))
    }
    ended = [name for name, folder in places.items() if end_at(folder)]
    link = end_at(LinkPlace(root).folder)
    shown = [f"The node of {name} has ended." for name in ended]
    shown += ["The SuperLink has ended."] if link else []
    session.answer(
        {"superlink": link, "nodes": ended}, shown or ["Nothing of Flower runs here."]
    )


def _started(session: Session, words: list[str], folder: Path) -> None:
    from fl_plugin.flower.background import start  # noqa: PLC0415

    # The first line that it says is this verb's answer, so it is one for people.
    said = start([*words, "--log-format", "text"], folder)
    session.answer({"said": said}, [said])


def _check_installed() -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("flwr") is None:
        raise UsageError(
            "Flower is not installed.",
            remedy="Install it: pip install 'data-mesh-learning[flower]'",
        )


def _say(session: Session, words: str) -> None:
    session.log.event("ready", {})
    click.echo('{"ready": true}' if session.as_json else words)
    sys.stdout.flush()
