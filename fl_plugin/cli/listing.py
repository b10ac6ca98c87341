"""A group of verbs that lists when it is called by itself."""

import click


class ListingGroup(click.Group):
    """`fl models` and `fl models credit_risk` mean `fl models list ...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before words that name no verb of this group."""
        asks_for_help = args[:1] and args[0] in self.get_help_option_names(ctx)
        if not asks_for_help and not (args and args[0] in self.commands):
            args = ["list", *args]
        return super().parse_args(ctx, args)
