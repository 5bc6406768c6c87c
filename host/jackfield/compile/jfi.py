"""Image files, `NAME.jfi`: a TOML header without blank lines, a blank line, the payloads of the passes' images.

Most values of the header are lists with one item a pass. Its last line is the SHA-256 of all other bytes.
"""

import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jackfield.board import to_toml
from jackfield.errors import DesignError

__all__ = ["FORMAT", "ImageFile", "read_image_file", "write_image_file"]

FORMAT = 3
_COMMON = {
    "spec": str,
    "spec_digest": str,
    "record": str,
    "record_provenance": str,
    "volts_per_unit": float,
    "preset_gain": list,
    "preset_offset_V": list,
    "droop_per_s": list,
}
_OF_A_PASS = ("image_digest", "seconds_per_unit", "steps", "scan", "clamp", "inputs", "outputs")
_KEYS = {"format": int, "file_digest": str, **_COMMON, **dict.fromkeys(_OF_A_PASS, list)}
_DIGEST_LINE = b'\nfile_digest = "'


@dataclass(frozen=True)
class ImageFile:
    """`headers[pass]`, each with what all passes share too, and the images' `payloads[pass]`."""

    headers: tuple[Mapping[str, Any], ...]
    payloads: tuple[bytes, ...]

    @property
    def spec_name(self) -> str:
        """The board that the images are for."""
        return str(self.headers[0]["spec"])


def write_image_file(path: Path | str, file: ImageFile) -> Path:
    """Write images to `path`, which gets the ending .jfi; under the name `.part` first, so no half file remains.

    Raises DesignError where the file cannot be written.
    """
    target = Path(path).with_suffix(".jfi")
    part = target.with_name(target.name + ".part")
    header = {"format": FORMAT} | {key: file.headers[0][key] for key in _COMMON}
    header |= {key: [of_pass[key] for of_pass in file.headers] for key in _OF_A_PASS}
    head, payload = to_toml(header).encode().removesuffix(b"\n"), b"".join(file.payloads)
    try:
        with part.open("wb") as stream:
            stream.write(head + _DIGEST_LINE + _digest(head, payload).encode() + b'"\n\n' + payload)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError as error:
        raise DesignError(f"image {target} cannot be written: {error.strerror}; choose another place") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def read_image_file(path: Path | str) -> ImageFile:
    """The images in the file at `path`.

    Raises DesignError where the file is missing, no image, of another format, damaged, or a key of its header is
    missing, unknown or of a wrong type.
    """
    source = Path(path)
    try:
        head, gap, payload = source.read_bytes().partition(b"\n\n")
    except OSError as error:
        raise DesignError(f"image {source} cannot be read: {error.strerror}; compile a circuit first") from error
    try:
        header = tomllib.loads(head.decode() if gap else "")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DesignError(f"{source} is no image: {error}; write it with `jackfield compile`") from error
    if header.get("format") != FORMAT:
        raise DesignError(f"{source} is no image of format {FORMAT}; write it with `jackfield compile`")
    if header.get("file_digest") != _digest(head.rpartition(_DIGEST_LINE)[0], payload):
        raise DesignError(f"image {source} is damaged: its digest does not match; compile the circuit again")
    return ImageFile(*_passes(source, header, payload))


def _digest(head: bytes, payload: bytes) -> str:
    return hashlib.sha256(head + b"\n\n" + payload).hexdigest()


def _passes(
    source: Path, header: Mapping[str, Any], payload: bytes
) -> tuple[tuple[Mapping[str, Any], ...], tuple[bytes, ...]]:
    wrong = {key for key, kind in _KEYS.items() if not isinstance(header.get(key), kind)} | (set(header) - set(_KEYS))
    columns: Sequence[Any] = [] if wrong else [header[key] for key in _OF_A_PASS]
    count = min(map(len, columns), default=0)
    wrong |= {key for key, column in zip(_OF_A_PASS, columns, strict=False) if not 1 <= len(column) == count}
    if wrong or len(payload) % count:
        what = repr(min(wrong)) if wrong else "its payload"
        raise DesignError(f"image {source}: {what} is missing, unknown or of a wrong type; compile again")
    common, size = {key: header[key] for key in _COMMON}, len(payload) // count
    headers = (common | dict(zip(_OF_A_PASS, values, strict=True)) for values in zip(*columns, strict=True))
    return tuple(headers), tuple(payload[size * k : size * (k + 1)] for k in range(count))
