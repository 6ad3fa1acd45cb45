"""Commands whose options, but for those that may be repeated, can be given once: no value is lost without a word."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption


class OnceCommand(TyperCommand):
    """A command that refuses an option with a value that is given again, where the last one would win."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does. Raises BadParameter."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param, count in Counter(order).items():
            if not isinstance(param, TyperOption) or param.is_flag or param.multiple or param.count:
                continue
            if count > 1:
                raise typer.BadParameter(f"was given {count} times. Give one.", ctx=ctx, param=param)
        return super().parse_args(ctx, args)
