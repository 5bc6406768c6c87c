"""Image files: what was saved comes back, whatever is wrong is said, nothing half-written remains."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.compile import CompiledCircuit, compile_circuit, read_image_file
from jackfield.errors import DesignError
from jackfield.physics import Circuit


@pytest.fixture
def compiled(jf96: BoardSpec, small: Circuit) -> CompiledCircuit:
    return compile_circuit(small, jf96, largest_v=2.0)


def test_a_saved_image_comes_back(tmp_path: Path, compiled: CompiledCircuit, jf96: BoardSpec) -> None:
    path = compiled.save(tmp_path / "net")
    assert [file.name for file in tmp_path.iterdir()] == ["net.jfi"]
    again = CompiledCircuit.load(path, jf96)
    assert again.image.payload(jf96) == compiled.image.payload(jf96)
    assert (again.program, again.scaling) == (compiled.program, compiled.scaling)
    assert (again.inputs, again.outputs, again.record_id) == (compiled.inputs, compiled.outputs, "")
    x = np.random.default_rng(1).random((3, 6))
    np.testing.assert_array_equal(again.input_codes(x), compiled.input_codes(x))
    assert again.save(tmp_path / "twice").read_bytes() == path.read_bytes()


def test_the_header_is_readable_without_the_spec(tmp_path: Path, compiled: CompiledCircuit, jf96: BoardSpec) -> None:
    file = read_image_file(compiled.save(tmp_path / "net.jfi"))
    assert (file.spec_name, [len(payload) for payload in file.payloads]) == ("jf96", [jf96.payload_bytes])
    assert file.headers[0]["image_digest"] == compiled.image.digest(jf96)


def test_an_image_for_another_board_is_refused(tmp_path: Path, compiled: CompiledCircuit, jf16: BoardSpec) -> None:
    with pytest.raises(DesignError, match=r"is for board jf96 .* not for jf16 .* compile the circuit for this board"):
        CompiledCircuit.load(compiled.save(tmp_path / "net"), jf16)


def test_every_byte_stands_under_the_digest(tmp_path: Path, compiled: CompiledCircuit, jf96: BoardSpec) -> None:
    path = compiled.save(tmp_path / "net")
    content = path.read_bytes()
    head = content.index(b"\n\n")
    gain = content.index(b"preset_gain = [1.0")
    for place in (gain + 15, content.index(b"file_digest") + 20, head + 2, len(content) - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(DesignError, match="is damaged: its digest does not match"):
            CompiledCircuit.load(path, jf96)
    path.write_bytes(content[:-1])
    with pytest.raises(DesignError, match="is damaged: its digest does not match"):
        CompiledCircuit.load(path, jf96)


def signed(content: bytes) -> bytes:
    """Content with the digest that belongs to it."""
    head, _, payload = content.partition(b"\n\n")
    head = head.rpartition(b'\nfile_digest = "')[0]
    digest = hashlib.sha256(head + b"\n\n" + payload).hexdigest().encode()
    return head + b'\nfile_digest = "' + digest + b'"\n\n' + payload


def test_a_file_that_is_whole_and_wrong_is_named(tmp_path: Path, compiled: CompiledCircuit, jf96: BoardSpec) -> None:
    path = compiled.save(tmp_path / "net")
    content = path.read_bytes()
    assert signed(content) == content
    for spoiled, message in (
        (content[:-100] + bytes([content[-100] ^ 4]) + content[-99:], "is not the one that its header names"),
        (content[:-1], "bytes, board jf96 takes"),
        (content.replace(b"format = 3", b"format = 9"), "no image of format 3"),
        (content.replace(b"steps = ", b"stops = "), "'steps' is missing, unknown or of a wrong type"),
        (content.replace(b"inputs = [[1", b"inputs = [[true, []"), "damaged header"),
        (content.replace(b"inputs = [[1", b"inputs = [[], [1"), "'inputs' is missing, unknown or of a wrong type"),
        (content.replace(b"scan = [[[3", b"scan = [[[97"), "node 97 is to be read"),
        (b"\x00\xff\n\n", "is no image"),
        (b"", "is no image"),
    ):
        assert spoiled != content
        path.write_bytes(signed(spoiled) if b"file_digest" in spoiled else spoiled)
        with pytest.raises(DesignError, match=message):
            CompiledCircuit.load(path, jf96)


def test_a_missing_file_and_a_missing_folder_are_named(
    tmp_path: Path, compiled: CompiledCircuit, jf96: BoardSpec
) -> None:
    with pytest.raises(DesignError, match=r"none\.jfi cannot be read: No such file"):
        CompiledCircuit.load(tmp_path / "none.jfi", jf96)
    with pytest.raises(DesignError, match=r"net\.jfi cannot be written: No such file .* choose another place"):
        compiled.save(tmp_path / "nowhere" / "net")


def test_a_failed_write_leaves_the_old_image(
    tmp_path: Path, compiled: CompiledCircuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = compiled.save(tmp_path / "net")
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DesignError, match="No space left on device"):
        compiled.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.jfi"]
