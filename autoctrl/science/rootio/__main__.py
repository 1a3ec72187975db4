"""The command ``python -m autoctrl.science.rootio``: merge or compare trees."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoctrl.errors import AutoctrlError
from autoctrl.science.rootio import check_alignment, merge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = "python -m autoctrl.science.rootio"
FILE = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def rootio() -> None:
    """Merge the trees of ROOT files, or compare a tree with its friend."""


@rootio.command("merge", epilog=f"Example: {PROGRAM} merge all.root part0.root part1.root")
@click.argument("output", type=FILE)
@click.argument("parts", metavar="PART...", type=FILE, nargs=-1, required=True)
@click.option("--entries", type=int, help="How many entries every joined tree must have.")
def merge_parts(output: Path, parts: tuple[Path, ...], entries: int | None) -> None:
    """Write the entries of all parts, given in order, to OUTPUT.

    OUTPUT appears only when it is complete.
    """
    _say(merge(parts, output, entries=entries))


@rootio.command("check", epilog=f"Example: {PROGRAM} check reco.root reco_Friend.root")
@click.argument("events", type=FILE)
@click.argument("friends", type=FILE)
def check_friends(events: Path, friends: Path) -> None:
    """Compare the tree Events of a file, entry by entry, with the tree Friends of another."""
    _say({"Friends": check_alignment(events, friends)})


def _say(counts: Mapping[str, int]) -> None:
    click.echo(", ".join(f"{name}: {count} entries" for name, count in counts.items()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; an error is one paragraph on standard error."""
    try:
        rootio.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AutoctrlError as error:
        click.echo(f"{PROGRAM}: {error}", err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
