"""What verbs print: text and tables for people, or exactly one JSON object on stdout."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress

__all__ = ["Advance", "Output", "print_json"]


class Advance(Protocol):
    """Tells how far a job is: `done` of `total` steps."""

    def __call__(self, done: int, total: int) -> None: ...


class Output:
    """Where a verb prints; with `as_json` people's lines are dropped and `result` alone reaches stdout."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._bar: Progress | None = None

    def say(self, text: str) -> None:
        """One line for people; a bar makes way for it."""
        if self.as_json:
            return
        if self._bar is not None:
            self._bar.stop()
        typer.echo(text)
        if self._bar is not None:
            self._bar.start()

    def warn(self, text: str) -> None:
        """One line on stderr, with or without JSON."""
        typer.echo(f"warning: {text}", err=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table for people; numbers stand as they are given."""
        if self.as_json:
            return
        from rich.box import SIMPLE
        from rich.console import Console
        from rich.table import Column, Table

        # Folded, not cut, where the terminal is narrow.
        heads = [Column(name, overflow="fold") for name in columns]
        table = Table(*heads, title=title, title_justify="left", box=SIMPLE)
        for row in rows:
            table.add_row(*(str(value) for value in row))
        # Nothing is cut where the output is a file or a pipe.
        Console(markup=False, width=None if sys.stdout.isatty() else 160).print(table)

    def result(self, values: Mapping[str, Any]) -> None:
        """The one object of `--json`; nothing for people."""
        if self.as_json:
            print_json(values)

    @contextmanager
    def progress(self, what: str, below: "Callable[[], RenderableType] | None" = None) -> Iterator[Advance]:
        """A bar with the time left, on stderr and only on a terminal; call the yielded function as it goes.

        What `below` returns is drawn under the bar, anew each time.
        """
        if not sys.stderr.isatty():
            yield lambda done, total: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        class Bar(Progress):
            def get_renderables(self) -> "Iterable[RenderableType]":
                yield self.make_tasks_table(self.tasks)
                if below is not None:
                    yield below()

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        console = Console(stderr=True)
        bar = Bar(*columns, TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False)
        task = bar.add_task(what, total=None)
        with bar:
            self._bar = bar
            try:
                yield lambda done, total: bar.update(task, completed=done, total=total)
            finally:
                self._bar = None


def print_json(values: Mapping[str, Any]) -> None:
    """`values` as one line of strict JSON; what is not finite becomes null."""
    typer.echo(json.dumps(_plain(values), allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
