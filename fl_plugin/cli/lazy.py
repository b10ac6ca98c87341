"""Groups whose verbs are imported when one of them is looked at.

Each verb is a file; a group lists its verbs and where they live, so that `--help` need
not import what it does not show.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import click
from click.exceptions import NoSuchCommand


class LazyGroup(click.Group):
    """A group with verbs in files of their own, beside those that it holds itself.

    Args:
        verbs: Verb to module, in the order to list them; the module holds the command
            under the verb's name, or under `<verb>_verb` where that is taken.
    """

    def __init__(
        self, *args: Any, verbs: Mapping[str, str] | None = None, **words: Any
    ) -> None:
        super().__init__(*args, **words)
        self.verbs = dict(verbs or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the work."""
        return [*super().list_commands(ctx), *self.verbs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb: the command in its file that goes by the verb's name."""
        if cmd_name not in self.verbs:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(self.verbs[cmd_name])
        for name in (f"{cmd_name}_verb", cmd_name):
            command = getattr(module, name, None)
            if isinstance(command, click.Command):
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest from the verbs here, which click does not know yet."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            known = self.list_commands(ctx)
            raise NoSuchCommand(error.command_name, None, known, ctx) from None
