"""An emulated LUCIDAC, opened in the emulator's loop: a board that needs no instruments."""

import json
from pathlib import Path
from typing import Any

from jackfield.board import BoardSpec
from jackfield.emulator.loop import Loop
from jackfield.emulator.lucidac_analog import LucidacAnalog
from jackfield.emulator.lucidac_digital import LucidacDigital
from jackfield.emulator.lucidac_ports import open_ports

__all__ = ["LUCIDAC_DIALECT", "open_lucidac"]

LUCIDAC_DIALECT = "lucidac-json"


def open_lucidac(loop: Loop, spec: BoardSpec, spec_file: Path, profile: str, seed: int) -> tuple[dict[str, Any], str]:
    """What was opened, as the emulator announces it, and the truth of the draws as JSON."""
    analog = LucidacAnalog(spec, profile, seed)
    word = int(analog.randomness.words("board id", 1)[0])
    address = "-".join(f"{word >> shift & 0xFF:02X}" for shift in range(40, -8, -8))
    urls = open_ports(loop, LucidacDigital(analog, address))
    board = {"url": urls.get("usb", urls["tcp"]), "tcp": urls["tcp"], "id": address}
    lines = [f"{key} = {json.dumps(value)}" for key, value in board.items() if key != "tcp"]
    text = "\n".join(["[board]", *lines, f"spec = {json.dumps(str(spec_file))}", ""])
    return {"board": board, "bench_toml": text}, json.dumps(analog.truth(), sort_keys=True)
