"""Whole benches on the emulator: what is opened, what is refused, how it ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from jackfield.bench import Bench
from jackfield.board import ConfigImage, RunProgram
from jackfield.device import AbstractBoard
from jackfield.errors import BoardError, DesignError, InstrumentError, LinkError
from jackfield.session import RunningEmulator, load_spec, make_safe, open_bench, open_board, running_emulator

URL = "emulator://jf16?profile=modules&seed=3"
PROGRAM = RunProgram(steps=((0, 50),), scan=((1, 2), (3, 4)))


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator(URL) as running:
        yield running


@pytest.fixture
def bench_file(emulator: RunningEmulator, tmp_path: Path) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(emulator.bench_toml)
    return path


def _configure_then(bench_file: Path, act: Callable[[Bench[AbstractBoard]], object]) -> None:
    with open_bench(bench_file) as bench:
        bench.board.apply(ConfigImage.safe(bench.spec))
        act(bench)


def test_a_bench_file_opens_and_reads(emulator: RunningEmulator, bench_file: Path, tmp_path: Path) -> None:
    with open_bench(bench_file, log_folder=tmp_path) as bench:
        assert bench.board.hello.board_id == emulator.board_id
        bench.board.apply(ConfigImage.safe(bench.spec))
        codes = bench.spec.nodes.preset.code(np.full((3, bench.spec.nodes.count), 0.5))
        read = bench.measure(codes, PROGRAM)
        assert np.abs(read.values_V - 0.5).max() < 0.05
        assert not bench.board.status().safe
    frames = [json.loads(line) for line in (tmp_path / "link.jsonl").read_text().splitlines()]
    lines = [json.loads(line) for line in (tmp_path / "visa.jsonl").read_text().splitlines()]
    assert {"sent", "received"} <= {key for frame in frames for key in frame}
    assert any(line.get("write") == ":SINGle" for line in lines)
    with open_board(emulator.board_url) as board:
        assert board.status().safe


def test_an_exception_leaves_the_board_safe_and_the_instruments_free(bench_file: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            _configure_then(bench_file, lambda bench: 1 / 0)
    with open_bench(bench_file) as bench:
        assert bench.board.status().safe


def test_an_unknown_board_is_asked_who_it_is(emulator: RunningEmulator) -> None:
    with open_board(emulator.board_url) as board:
        assert board.spec.digest == load_spec("jf16").digest
    make_safe(emulator.board_url)


def test_another_spec_or_id_than_the_board_has_is_refused(emulator: RunningEmulator, bench_file: Path) -> None:
    with pytest.raises(BoardError, match=r"jf96"), open_board(emulator.board_url, "jf96"):
        pass
    bench_file.write_text(emulator.bench_toml.replace(emulator.board_id, "FFFF-9999"))
    with pytest.raises(BoardError, match=r"names board FFFF-9999, board .* is connected"), open_bench(bench_file):
        pass


@pytest.mark.parametrize(
    ("old", "new", "error", "complaint"),
    [
        (
            "keysight-34465a",
            "keysight-3446",
            DesignError,
            r"no instrument driver 'keysight-3446' is",
        ),
        ("keysight-34465a", "keysight-infiniivision", DesignError, r"is no AbstractVoltmeter; correct the driver"),
        ("attenuation = 1", "attenuation = 10", InstrumentError, r"attenuation 1, the bench file says 10"),
        ("board_probe = 2", "board_probe = 3", DesignError, r"board probe 2 is on no oscilloscope channel"),
        ('source = "EXT"', 'source = "CH4"', InstrumentError, r"saw no trigger within .* check the cable"),
    ],
)
def test_a_bench_that_is_not_what_its_file_says(
    emulator: RunningEmulator, bench_file: Path, old: str, new: str, error: type[Exception], complaint: str
) -> None:
    bench_file.write_text(emulator.bench_toml.replace(old, new, 1))
    with pytest.raises(error, match=complaint):
        _configure_then(bench_file, lambda bench: bench.read(PROGRAM))


def test_one_bench_one_process(bench_file: Path) -> None:
    with open_bench(bench_file), pytest.raises((LinkError, InstrumentError), match=r"in use by process"):
        _configure_then(bench_file, lambda bench: None)


def test_files_and_emulators_that_do_not_exist(tmp_path: Path) -> None:
    with (
        pytest.raises(DesignError, match=r"bench file .*none.toml cannot be read: .*BRINGUP"),
        open_bench(tmp_path / "none.toml"),
    ):
        pass
    with pytest.raises(BoardError, match=r"ended with status 1: .*cmoss"), open_bench("emulator://jf16?profile=cmoss"):
        pass


def test_the_emulator_of_a_url_lives_as_long_as_the_bench() -> None:
    before = set(psutil.Process().children())
    with open_bench(URL) as bench:
        (child,) = set(psutil.Process().children()) - before
        assert "jackfield.emulator" in child.cmdline()
        assert bench.board.hello.spec_name == "jf16"
    assert not child.is_running()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_leaves_the_board_safe(emulator: RunningEmulator, bench_file: Path) -> None:
    script = (
        "import sys, signal\n"
        "from jackfield.board import ConfigImage, RunProgram\n"
        "from jackfield.session import open_bench\n"
        f"with open_bench({str(bench_file)!r}) as bench:\n"
        "    bench.board.apply(ConfigImage.safe(bench.spec))\n"
        f"    bench.read({PROGRAM!r})\n"
        "    print(bench.board.status().state, flush=True)\n"
        "    signal.pause()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"idle"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert b"KeyboardInterrupt" in errors
    with open_board(emulator.board_url) as board:
        assert board.status().safe


def test_neither_torch_nor_pyvisa_is_needed_to_make_a_board_safe(emulator: RunningEmulator) -> None:
    script = (
        "import sys\nfrom jackfield.session import make_safe\n"
        f"make_safe({emulator.board_url!r})\n"
        "print([name for name in ('torch', 'pyvisa') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)
    assert done.stdout.strip() == b"[]"
