"""The reference firmware (firmware_config/firmware), built for this machine and for QEMU's."""

import ctypes
import re
import select
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from jackfield.board import BoardSpec, c_header
from jackfield.errors import LinkError
from jackfield_boards import spec_folder

__all__ = [
    "ARM_GCC",
    "QEMU",
    "FirmwareLibrary",
    "build_library",
    "build_process",
    "build_thumb",
    "firmware_in_qemu",
    "firmware_process",
    "firmware_sources",
    "missing_tools",
    "thumb_bytes",
]

WARNINGS: Final = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wno-sign-conversion", "-Wshadow")
SANITIZERS: Final = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
THUMB: Final = ("-mcpu=cortex-m3", "-mthumb", "-Os", "-ffunction-sections", "-fdata-sections")
ARM_GCC: Final = "arm-none-eabi-gcc"
ARM_SIZE: Final = "arm-none-eabi-size"
QEMU: Final = "qemu-system-arm"
MACHINE: Final = ("-M", "mps2-an385", "-display", "none", "-serial", "chardev:line", "-monitor", "stdio")
CHARDEV: Final = "socket,id=line,host=127.0.0.1,port=0,server=on,wait=off,nodelay=on"
START_S: Final = 10.0


def firmware_sources() -> Path:
    """The folder of the firmware, in a checkout of the repository."""
    return spec_folder().parent / "firmware"


def missing_tools(*programs: str) -> str:
    """Why a build cannot be made here, or an empty text."""
    missing = [program for program in programs if shutil.which(program) is None]
    return f"{', '.join(missing)} not installed" if missing else ""


def build_library(spec: BoardSpec, folder: Path, options: Sequence[str] = ()) -> Path:
    """Compile the firmware of board `spec` as a shared library in `folder`."""
    return _build(spec, folder, f"{spec.name}.so", ("-O2", "-shared", "-fPIC", *options), ("model.c", "library.c"))


def build_process(spec: BoardSpec, folder: Path) -> Path:
    """Compile it as a process on a pseudo-terminal, with address and undefined-behaviour sanitizers."""
    return _build(spec, folder, spec.name, ("-O1", *SANITIZERS), ("model.c", "process.c"))


def build_thumb(spec: BoardSpec, folder: Path) -> Path:
    """Compile it for the Cortex-M3 of QEMU's mps2-an385."""
    script = firmware_sources() / "qemu" / "mps2.ld"
    options = (*THUMB, "-nostartfiles", "-Wl,--gc-sections", "-T", str(script))
    return _compile(ARM_GCC, spec, folder, f"{spec.name}.elf", options, ("qemu/hal_mps2.c", "host/model.c"))


def thumb_bytes(spec: BoardSpec, folder: Path) -> int:
    """Code and constants of the core alone in Thumb instructions, with everything that a port can switch on."""
    options = (*THUMB, "-r", "-nostdlib")
    core = _compile(ARM_GCC, spec, folder, "core.o", options, ["qemu/jf_port.h"])
    sizes = subprocess.run([ARM_SIZE, str(core)], check=True, capture_output=True, text=True).stdout.split("\n")[1]
    text, data = sizes.split()[:2]
    return int(text) + int(data)


def _build(spec: BoardSpec, folder: Path, name: str, options: Sequence[str], port: Sequence[str]) -> Path:
    return _compile("gcc", spec, folder, name, options, [f"host/{file}" for file in port])


def _compile(
    compiler: str, spec: BoardSpec, folder: Path, name: str, options: Sequence[str], port: Sequence[str]
) -> Path:
    """The core and the files `port` of the port in the first one's folder; the program, in `folder`."""
    sources = firmware_sources()
    (folder / "jf_board.h").write_text(c_header(spec), encoding="utf-8")
    files = [*sorted((sources / "core").glob("*.c")), *(sources / file for file in port)]
    places = (folder, (sources / port[0]).parent, sources / "host", sources / "core")
    includes = [f"-I{path}" for path in places]
    words = [compiler, *WARNINGS, *options, *includes, *map(str, files), "-o", str(folder / name)]
    subprocess.run(words, check=True)
    return folder / name


class FirmwareLibrary:
    """The firmware in this process; a LoopbackTransport takes it for a board. Power is on after the constructor."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        self._library.library_sent.restype = ctypes.c_void_p
        self._library.library_flash.restype = ctypes.c_void_p
        self._library.library_exchange.restype = ctypes.c_bool
        self._library.library_live.restype = ctypes.c_bool
        self._library.library_trim.restype = ctypes.c_uint16
        self._library.library_operations.restype = ctypes.c_uint32
        self._library.library_misuses.restype = ctypes.c_uint32
        self.flash = b"\xff" * self._flash()[1]
        self.powered = False
        self.power_on()

    def power_on(self, reason: int = 1, failed_test: int = 0) -> None:
        """Start, with what is in flash and nothing else; `reason` as in status, `failed_test` of a self-test."""
        self._library.library_power_on(reason, failed_test)
        self.powered = True

    def cut(self, operation: int, done: int) -> None:
        """Let the power fail in the `operation`th flash operation from now (0: never), `done` bytes of it done."""
        self._library.library_cut(operation, done)

    def receive(self, data: bytes) -> bytes:
        """What the board sends after `data`; nothing, and `powered` is false, where the power failed."""
        self.powered = self._library.library_exchange(data, ctypes.c_size_t(len(data)))
        count = ctypes.c_size_t()
        place = self._library.library_sent(ctypes.byref(count))
        return ctypes.string_at(place, count.value)

    def tick(self) -> bytes:
        """What is due."""
        return self.receive(b"")

    def clock(self, now_s: float) -> None:
        """Set the board's clock."""
        self._library.library_clock(round(now_s * 1000) & 0xFFFFFFFF)

    def endless(self, endless: bool) -> None:
        """Whether runs go on until they are stopped."""
        self._library.library_endless(endless)

    @property
    def operations(self) -> int:
        """Flash operations since the last `cut`."""
        return int(self._library.library_operations())

    @property
    def misuses(self) -> int:
        """Bytes of flash that were programmed without having been erased."""
        return int(self._library.library_misuses())

    @property
    def baud(self) -> int:
        """The rate that the board asked its line for last, 0 if it never did."""
        return int(self._library.library_baud())

    @property
    def live(self) -> bool:
        """Whether outputs are live."""
        return bool(self._library.library_live())

    def cell(self, bank: int, cell: int, parameters: int) -> list[int]:
        """What a cell got last: enable, source node, destination node, parameters."""
        values = (ctypes.c_uint16 * (3 + parameters))()
        self._library.library_cell(bank, ctypes.c_uint32(cell), values)
        return list(values)

    def trim(self, bank: int, node: int) -> int:
        """The trim code that `node` got last."""
        return int(self._library.library_trim(bank, node))

    def _flash(self) -> tuple[int, int]:
        count = ctypes.c_size_t()
        return self._library.library_flash(ctypes.byref(count)), count.value

    @property
    def flash(self) -> bytes:
        """The flash's bytes, both slots."""
        return ctypes.string_at(*self._flash())

    @flash.setter
    def flash(self, data: bytes) -> None:
        place, count = self._flash()
        assert len(data) == count
        ctypes.memmove(place, data, count)


@contextmanager
def firmware_in_qemu(program: Path) -> Iterator[str]:
    """The URL of the serial line, a socket on loopback, of the machine that runs `program`."""
    words = [QEMU, *MACHINE, "-chardev", CHARDEV, "-kernel", str(program)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    with process:
        try:
            process.stdin.write("info chardev\n")
            process.stdin.flush()
            found = (re.search(r"line: .*tcp:127\.0\.0\.1:(\d+)", line) for line in process.stdout)
            port = next((place[1] for place in found if place), "0")
            yield f"socket://127.0.0.1:{port}"
        finally:
            process.kill()


@contextmanager
def firmware_process(program: Path) -> Iterator[str]:
    """The port that the process `program` answers on; at the end it must have been content with itself.

    Raises LinkError, with what it printed, where a sanitizer ended it.
    """
    process = subprocess.Popen(
        [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    with process:
        try:
            ready, _, _ = select.select([process.stdout], [], [], START_S)
            yield process.stdout.readline().strip() if ready else ""
        finally:
            process.stdin.close()
            try:
                process.wait(START_S)
            except subprocess.TimeoutExpired:
                process.kill()
            complaint = process.stderr.read()
    if process.returncode or complaint:
        raise LinkError(f"the firmware ended with status {process.returncode}: {complaint}")
