"""Image files, `NAME.jfi`: a TOML header without blank lines, a blank line, the image's payload."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jackfield.board import to_toml
from jackfield.errors import DesignError

__all__ = ["FORMAT", "read_image_file", "write_image_file"]

FORMAT = 1
_KEYS = {
    "format": int,
    "spec": str,
    "spec_digest": str,
    "image_digest": str,
    "record": str,
    "record_provenance": str,
    "volts_per_unit": float,
    "seconds_per_unit": list,
    "steps": list,
    "scan": list,
    "inputs": list,
    "outputs": list,
    "preset_gain": list,
    "preset_offset_V": list,
}


def write_image_file(path: Path | str, header: Mapping[str, Any], payload: bytes) -> Path:
    """Write an image to `path`, which gets the ending .jfi; under the name `.part` first, so no half file remains.

    Raises DesignError where the file cannot be written.
    """
    target = Path(path).with_suffix(".jfi")
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(to_toml({"format": FORMAT} | dict(header)).encode() + b"\n" + payload)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise DesignError(f"image {target} cannot be written: {error.strerror}; choose another place") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def read_image_file(path: Path | str) -> tuple[dict[str, Any], bytes]:
    """Header and payload of the image at `path`; the payload's digest is not looked at.

    Raises DesignError where the file is missing, no image, of another format, or a key of its header is
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
    wrong = {key for key, kind in _KEYS.items() if not isinstance(header.get(key), kind)} | (set(header) - set(_KEYS))
    if wrong:
        raise DesignError(f"image {source}: {min(wrong)!r} is missing, unknown or of a wrong type; compile again")
    return header, payload
