"""Where the console begins: the program is imported where Ctrl-C is no error already."""

from __future__ import annotations

import sys


def run() -> None:
    """The whole program. Always ends in SystemExit with one of the exit codes."""
    try:
        from nlpseq.cli import main

        main.run()
    except KeyboardInterrupt:
        sys.exit(130)
