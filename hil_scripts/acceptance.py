"""The long forms of everything, one after the other, and a table at the end: `make acceptance`.

Exit status 1 where one of them fails. What each printed is kept in acceptance/.
"""

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "acceptance"
JACKFIELD = (sys.executable, "-m", "jackfield.cli")


def main() -> int:
    """Run every job and print the table."""
    KEPT.mkdir(exist_ok=True)
    rows = [(name, *_run(name, command)) for name, command in _jobs()]
    width = max(len(name) for name, *_ in rows)
    for name, status, seconds in rows:
        sys.stdout.write(f"{name:{width}}  {'holds' if status == 0 else f'FAILED ({status})':12}  {seconds:7.0f} s\n")
    return 0 if all(status == 0 for _, status, _ in rows) else 1


def _jobs() -> Iterator[tuple[str, list[str]]]:
    yield "tests", [sys.executable, "-m", "pytest", "-q"]
    fuzz = ("tests/link/test_link_fuzz.py", "--timeout", "7200")
    yield "fuzz", ["env", "JACKFIELD_FUZZ_EXAMPLES=100000", sys.executable, "-m", "pytest", "-q", *fuzz]
    yield "readme", [sys.executable, __file__, "--readme"]
    for subject in sorted(path.stem for path in (ROOT / "hil_scripts" / "benchmarks").glob("[a-z]*.py")):
        yield f"benchmark {subject}", [sys.executable, str(ROOT / "hil_scripts" / "benchmark.py"), subject]


def _run(name: str, command: list[str]) -> tuple[int, float]:
    begin = time.monotonic()
    sys.stdout.write(f"{name} ...\n")
    sys.stdout.flush()
    with (KEPT / f"{name.replace(' ', '-')}.txt").open("w") as sink:
        status = subprocess.run(command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, check=False).returncode
    return status, time.monotonic() - begin


def readme() -> int:
    """Run README's commands in order in a folder of their own; 0 where all end well."""
    import tempfile

    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    every = [line for block in blocks for line in block.splitlines() if line.startswith("jackfield ")]
    lines = [line for line in every if "FOLDER" not in line]  # the user's own files
    with tempfile.TemporaryDirectory() as folder:
        (desk := Path(folder)).joinpath("x.csv").write_text(_inputs())
        emulator: subprocess.Popen[str] | None = None
        try:
            for line in lines:
                words = [*JACKFIELD, *shlex.split(line, comments=True)[1:]]
                if words[3] == "emulate":
                    emulator = subprocess.Popen([*words, "--json"], cwd=desk, stdout=subprocess.PIPE, text=True)
                    assert emulator.stdout is not None
                    emulator.stdout.readline()
                elif (status := subprocess.run(words, cwd=desk, check=False).returncode) != 0:
                    sys.stdout.write(f"{line}: exit status {status}\n")
                    return status
        finally:
            if emulator is not None:
                emulator.terminate()
                emulator.wait(timeout=20)
    return 0


def _inputs() -> str:
    """Three digits as a user would give them: one row an input, one column an input node."""
    from jackfield.data import digits_split

    rows = digits_split().x_test[:3]
    return "".join(",".join(f"{value:g}" for value in row) + "\n" for row in rows)


if __name__ == "__main__":
    sys.exit(readme() if "--readme" in sys.argv else main())
