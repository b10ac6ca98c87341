"""Writes docs/reference and the list of algorithms: run it as a module.

A test fails when a page is not what stands here.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from fl_plugin.cli.algorithms import LEARNS
from fl_plugin.cli.main import CUT_PIPE, INTERRUPTED, fl
from fl_plugin.errors import MeshError, UsageError
from fl_plugin.files import whole
from fl_plugin.vertical.installed import all_algorithms

WIDTH = 88
_MADE = "<!-- Made by `python -m fl_plugin.cli.reference`; do not edit. -->"
_INTRODUCTION = """\
`fl` and `python -m fl_plugin` are the same program. With `--json` a verb prints one
JSON object on stdout, errors included: `{"error": {"code", "problem", "remedy"}}`, with
`reason` and `domain` where a domain refused. Without it, tables are drawn on a
terminal; in a pipe they are tab-separated lines without colour. `NO_COLOR` is honoured,
progress goes to stderr, and the exit codes are in [one table](exit-codes.md)."""


def pages() -> Mapping[str, str]:
    """Return the pages by file name."""
    return {
        "cli.md": _verbs_page(),
        "exit-codes.md": _codes_page(),
        "../algorithms/README.md": _algorithms_page(),
    }


def write(folder: Path) -> None:
    """Write the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        with whole(folder / name) as file:
            file.write(text.encode())


def commands() -> Iterator[tuple[str, click.Context]]:
    """Yield every verb with the words that call it, `fl` first."""
    yield from _below(click.Context(fl, info_name="fl", terminal_width=WIDTH))


def _below(context: click.Context) -> Iterator[tuple[str, click.Context]]:
    yield context.command_path, context
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            inner = click.Context(
                command, info_name=name, parent=context, terminal_width=WIDTH
            )
            yield from _below(inner)


def _verbs_page() -> str:
    parts = [
        "# Command line",
        _MADE,
        _INTRODUCTION,
    ]
    for path, context in commands():
        level = "##" if path.count(" ") <= 1 else "###"
        help_text = context.command.get_help(context)
        parts.append(f"{level} {path}\n\n```text\n{help_text}\n```")
    return "\n\n".join(parts) + "\n"


def _algorithms_page() -> str:
    lines = [
        "# Algorithms",
        "",
        _MADE,
        "",
        "A study names one: `algorithm: {name: ridge, l2: 1.0}`; `fl algorithms show",
        "NAME` prints its options. Each is one file: horizontal ones (same columns,",
        "other rows) in `fl_plugin/algorithms`, vertical ones ([same rows, other",
        "columns](../vertical.md)) in `fl_plugin/vertical`. A package of your own adds",
        "another by entry point, as does `examples/third_party_algorithm`. Linear ones",
        "learn from a matrix, trees from bins: [preparation](../preparation.md).",
        "",
        "| algorithm | mode | learns | its model equals |",
        "|---|---|---|---|",
    ]
    for algorithm in all_algorithms().values():
        if not algorithm.__module__.startswith("fl_plugin."):
            continue  # this page is about what is shipped
        learns = ", ".join(LEARNS[t] for t in algorithm.targets)
        link = f"[{algorithm.name}]({algorithm.name}.md)"
        mode, equals = algorithm.partitioning, algorithm.exact
        told = (f"{link}: {algorithm.title}", mode, learns, equals)
        lines.append(f"| {' | '.join(told)} |")
    return "\n".join(lines) + "\n"


def _codes_page() -> str:
    rows = [(0, "", "It worked.")]
    rows += [
        (kind.exit_code, kind.code, _first_sentence(kind))
        for kind in sorted(MeshError.__subclasses__(), key=lambda k: k.exit_code)
        if kind.__module__ == MeshError.__module__
    ]
    rows += [
        (
            1,
            "error, unexpected",
            "A plug-in cannot be used; or a defect of the program.",
        ),
        (INTERRUPTED, "", "Ctrl-C."),
        (CUT_PIPE, "", "Whoever read the output closed the pipe."),
    ]
    lines = [
        f"| {exit_code} | {code} | {text} |" for exit_code, code, text in sorted(rows)
    ]
    return "\n".join(
        [
            "# Exit codes",
            "",
            _MADE,
            "",
            "| Exit code | `code` in JSON | What it means |",
            "|---|---|---|",
            *lines,
            "",
            "`fl contract diff` has codes of its own: 2 where something is loosened, 1 "
            "where something breaks its consumers; with `--json` an answer has "
            "`verdict`, a failure has `error`.",
            "",
            "`fl plan` ends with 3 when a domain refuses; `fl access explain`, which "
            "only explains, with 0.",
            "",
        ]
    )


def _first_sentence(kind: type[MeshError]) -> str:
    first = (kind.__doc__ or "").strip().splitlines()[0]
    sentence = first.partition(";")[0].rstrip(".")
    if kind is UsageError:
        sentence += ", or its words are wrong"
    return f"{sentence}."


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/reference"))
