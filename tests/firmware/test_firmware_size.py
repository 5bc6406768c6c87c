"""The core stays small: all lines that somebody wrote, and Thumb code of a Cortex-M3 with every feature."""

import subprocess
from pathlib import Path

import pytest

from jackfield.board import BoardSpec, c_header
from jackfield.testing.firmware import ARM_GCC, firmware_sources, missing_tools, thumb_bytes


def test_lines() -> None:
    """Blank lines and comments, too; not the header that generate.py writes; what only some boards can do apart."""
    files = [path for path in (firmware_sources() / "core").iterdir() if path.name != "jf_protocol.h"]
    lines = {path.name: len(path.read_text().splitlines()) for path in files}
    assert 30 < lines.pop("jf_drive.c") < 100
    assert 500 < sum(lines.values()) < 1520


@pytest.mark.skipif(bool(missing_tools(ARM_GCC)), reason=missing_tools(ARM_GCC))
@pytest.mark.parametrize("name", ["jf16", "jf96", "jf16w"])
def test_thumb_code(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    spec: BoardSpec = request.getfixturevalue(name)
    assert 4096 < thumb_bytes(spec, tmp_path) < 16 * 1024


PORT = """
#define JF_FLASH_SLOT_BYTES 0
#define JF_FLASH_MS 0
#define JF_STEP_BYTES 0
#define JF_HAS_BAUD 0
#define JF_REPLY_MS 250u
"""
FULL = """
#define JF_FLASH_PAGE_BYTES 256u
#define JF_FLASH_SECTOR_BYTES 4096u
#define JF_FLASH_SLOT_BYTES 131072u
#define JF_FLASH_MS 3000u
#define JF_STEP_BYTES 4096u
#define JF_HAS_BAUD 1
#define JF_REPLY_MS 250u
"""


@pytest.mark.skipif(bool(missing_tools("gcc")), reason=missing_tools("gcc"))
@pytest.mark.parametrize("port", [PORT, FULL], ids=["without_flash", "everything"])
def test_the_template_builds(port: str, jf96: BoardSpec, tmp_path: Path) -> None:
    (tmp_path / "jf_port.h").write_text(port)
    (tmp_path / "jf_board.h").write_text(c_header(jf96))
    sources = firmware_sources()
    files = [*(sources / "core").glob("*.c"), sources / "hal_template.c"]
    words = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{tmp_path}", f"-I{sources / 'core'}"]
    subprocess.run([*words, *map(str, files), "-o", str(tmp_path / "port")], check=True)
