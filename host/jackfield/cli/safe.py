"""`jackfield safe`: outputs off, now."""

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, Port, Verbose
from jackfield.cli.output import Output
from jackfield.errors import DesignError

__all__ = ["register"]

BenchFileOption = Annotated[Path, typer.Option("--bench", metavar="FILE", help="The bench file that names the board.")]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(safe))


def safe(
    port: Port = "", bench: BenchFileOption = Path("bench.toml"), as_json: Json = False, verbose: Verbose = False
) -> None:
    """Bring the board into its safe state at once.

    Sources of the bench first, then the board: cells disabled, trims zero, preset switches open, probes at
    ground. The board keeps its configuration.
    """
    from jackfield.session import make_safe

    output = Output(as_json)
    url, spec, sources = (port, "", False) if port else _board_of(bench)
    try:
        if sources:
            _sources_off(bench)
    finally:
        make_safe(url, spec)
        output.say(f"the board at {url} is safe")
    output.result({"url": url, "safe": True})


def _board_of(bench: Path) -> tuple[str, str, bool]:
    """Where the board is, its spec if there is one, and whether sources are wired to it.

    Nothing else of the file may stand in the way.
    """
    from jackfield.session import load_spec

    try:
        values: Any = tomllib.loads(bench.read_text(encoding="utf-8"))
        name = str(values["board"].get("spec", ""))
        spec = str(bench.parent / name) if name.endswith(".toml") else name
        with suppress(DesignError):
            load_spec(spec)
            return str(values["board"]["url"]), spec, "smu" in values.get("instruments", {})
        return str(values["board"]["url"]), "", "smu" in values.get("instruments", {})
    except FileNotFoundError as error:
        raise DesignError(f"{bench} does not exist; name the bench with --bench, or the board with --port") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise DesignError(f"{bench} names no board ({error}); name it with --port serial:///dev/...") from error


def _sources_off(bench: Path) -> None:
    from jackfield.session import open_bench

    with open_bench(bench):
        pass  # opening switches the sources off before it touches the board
