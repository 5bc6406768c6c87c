"""Writes what follows from protocol.toml: tables for Python and C, those of PROTOCOL.md, generated golden frames.

python firmware_config/generate.py            writes
python firmware_config/generate.py --check    exit status 1, naming the files, where something is stale
"""

import struct
import sys
import tomllib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BOARDS = HERE / "jackfield_boards"
LINK = HERE.parent / "host" / "jackfield" / "link"
PAGE = HERE / "PROTOCOL.md"
HEADER = HERE / "firmware" / "core" / "jf_protocol.h"

Table = dict[str, Any]
STRUCT = {"u8": "B", "u16": "H", "u32": "I", "i16": "h"}
WARNING = "Generated from protocol.toml by generate.py; do not edit."


def outputs(protocol: Table) -> dict[Path, str]:
    """Every generated file with its text."""
    return {
        LINK / "numbers.py": numbers_module(protocol),
        LINK / "messages.py": messages_module(protocol),
        HEADER: c_header(protocol),
        PAGE: page(protocol, PAGE.read_text(encoding="utf-8")),
        BOARDS / "golden" / "generated" / "frames.txt": golden(protocol),
    }


def messages(protocol: Table) -> list[Table]:
    """Requests, their answers and notices, each with class, number, fields, tail, pure and feature."""
    found = []
    for request in protocol["request"]:
        found.append(request)
        if "answer" in request:
            answer = {"name": request["name"] + "_answer", "number": request["number"] | 0x80}
            answer |= {"fields": request["answer"], "tail": request.get("answer_tail")}
            found.append(answer | {"doc": f"The board's answer to {request['name']}."})
    absent = {"tail": None, "pure": False, "busy": False, "feature": None}
    return [absent | entry for entry in found + protocol["notice"]]


def class_name(name: str) -> str:
    """`stage_begin` -> `StageBegin`; notices end in Notice, because Error alone would mislead."""
    title = "".join(part.title() for part in name.split("_"))
    return title + "Notice" if name in ("ack", "nak", "error", "done") else title


def struct_format(fields: list[Table]) -> str:
    """The `struct` format of fixed fields."""
    return "<" + "".join(STRUCT.get(f["type"]) or f"{_size(f['type'])}s" for f in fields)


def _size(kind: str) -> int:
    return int(kind.removeprefix("text").removeprefix("bytes"))


def numbers_module(protocol: Table) -> str:
    """The enumerations, and the table of error messages."""
    lines = [f'"""Numbers inside the fields of messages. {WARNING}"""', "", "from enum import IntEnum, IntFlag", ""]
    names = sorted([*(class_name(name) for name in protocol["enum"]), "ERROR_TEXT", "PROTOCOL_VERSION"])
    lines += ["__all__ = [", *(f'    "{name}",' for name in sorted(names, key=_all_order)), "]", ""]
    lines += [f"PROTOCOL_VERSION = {protocol['version']}", ""]
    for name, enum in protocol["enum"].items():
        base = "IntFlag" if name == "feature" else "IntEnum"
        lines += ["", f"class {class_name(name)}({base}):", f'    """{enum["doc"]}."""', ""]
        lines += [f"    {entry['name'].upper()} = {entry['value']}" for entry in enum["values"]] + [""]
    lines += ["", "ERROR_TEXT = {"]
    lines += [f'    ErrorCode.{e["name"].upper()}: "{e["doc"]}",' for e in protocol["enum"]["error_code"]["values"]]
    return "\n".join([*lines, "}", ""])


def messages_module(protocol: Table) -> str:
    """One tuple class a message, and the table of their layouts."""
    entries = messages(protocol)
    names = [class_name(entry["name"]) for entry in entries] + ["LAYOUTS", "REPLY_HEADER", "REQUEST_HEADER"]
    lines = [f'"""The payloads of all messages, in wire order. {WARNING}"""', ""]
    lines += ["from typing import Final, NamedTuple", "", "from jackfield.link.layout import Layout", ""]
    lines += ["__all__ = [", *(f'    "{name}",' for name in sorted(names, key=_all_order)), "]", ""]
    for side in ("request", "reply"):
        lines.append(f'{side.upper()}_HEADER: Final = "{struct_format(protocol["header"][side])}"')
    for entry in entries:
        lines += ["", "", f"class {class_name(entry['name'])}(NamedTuple):", f'    """{entry["doc"]}"""', ""]
        lines += [f"    {field['name']}: {_python_type(field['type'])}  # {field['doc']}" for field in entry["fields"]]
        lines += [f"    {entry['tail']}: bytes"] if entry["tail"] else []
        if not entry["fields"] and not entry["tail"]:
            lines.pop()
    lines += ["", "", "LAYOUTS: Final[dict[type[tuple[object, ...]], Layout]] = {"]
    return "\n".join([*lines, *(_layout_line(entry) for entry in entries), "}", ""])


def _layout_line(entry: Table) -> str:
    texts = tuple(i for i, field in enumerate(entry["fields"]) if field["type"].startswith("text"))
    return (
        f'    {class_name(entry["name"])}: Layout("{entry["name"]}", 0x{entry["number"]:02X}, '
        f'"{struct_format(entry["fields"])}", {texts}, {bool(entry["tail"])}, {entry["pure"]}),'
    )


def _python_type(name: str) -> str:
    return "str" if name.startswith("text") else "bytes" if name.startswith("bytes") else "int"


def _all_order(name: str) -> tuple[int, str]:
    """The order in which ruff wants `__all__`: constants, then classes."""
    return (0 if name.isupper() else 1, name)


def c_header(protocol: Table) -> str:
    """Numbers, sizes and offsets for the firmware, and the table of requests."""
    lines = [f"/* {WARNING} */", "#ifndef JF_PROTOCOL_H", "#define JF_PROTOCOL_H", ""]
    lines += [f"#define JF_PROTOCOL_VERSION {protocol['version']}"]
    for side in ("request", "reply"):
        fields = protocol["header"][side]
        lines += [f"#define JF_{side.upper()}_HEADER_BYTES {_bytes(fields)}u", *_offsets(side, fields)]
    for entry in messages(protocol):
        name = entry["name"].upper()
        lines += ["", f"/* {entry['doc']} */", f"#define JF_{name} 0x{entry['number']:02X}u"]
        lines += [f"#define JF_{name}_BYTES {_bytes(entry['fields'])}u", *_offsets(name, entry["fields"])]
    for name, enum in protocol["enum"].items():
        lines += ["", f"/* {enum['doc']} */"]
        lines += [f"#define JF_{name.upper()}_{e['name'].upper()} {e['value']}u" for e in enum["values"]]
    columns = "name, number, bytes of the fixed fields, tail follows, pure question, refused in a run, feature"
    lines += ["", f"/* X({columns}) */"]
    lines += ["#define JF_REQUESTS(X) \\", " \\\n".join(f"    X({_c_row(entry)})" for entry in protocol["request"])]
    return "\n".join([*lines, "", "#endif", ""])


def _c_row(entry: Table) -> str:
    feature = f"JF_FEATURE_{entry['feature'].upper()}" if entry.get("feature") else "0"
    marks = f"{int('tail' in entry)}, {int(entry.get('pure', False))}, {int(entry.get('busy', False))}"
    return f"{entry['name']}, 0x{entry['number']:02X}, {_bytes(entry['fields'])}, {marks}, {feature}"


def _bytes(fields: list[Table]) -> int:
    return struct.calcsize(struct_format(fields))


def _offsets(name: str, fields: list[Table]) -> list[str]:
    return [f"#define JF_{name.upper()}_{f['name'].upper()} {_bytes(fields[:i])}u" for i, f in enumerate(fields)]


def page(protocol: Table, text: str) -> str:
    """PROTOCOL.md with the tables between its markers written anew."""
    tables: dict[str, Callable[[Table], list[str]]] = {
        "headers": _header_tables,
        "messages": _message_tables,
        "numbers": _number_tables,
    }
    for name, table in tables.items():
        start, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        before, rest = text.split(start)
        text = before + start + "\n" + "\n".join(table(protocol)) + "\n" + end + rest.split(end)[1]
    return text


def _rows(fields: list[Table], tail: str | None) -> list[str]:
    rows = ["| field | type | meaning |", "|---|---|---|"]
    rows += [f"| `{field['name']}` | {field['type']} | {field['doc']} |" for field in fields]
    return [*rows, *([f"| `{tail}` | rest of the payload | see below |"] if tail else []), ""]


def _header_tables(protocol: Table) -> list[str]:
    lines = []
    for side, who in (("request", "Host to board"), ("reply", "Board to host")):
        lines += [f"{who}:", "", *_rows(protocol["header"][side], None)]
    return lines


def _message_tables(protocol: Table) -> list[str]:
    lines = []
    for entry in messages(protocol):
        marks = ["a pure question"] if entry["pure"] else []
        marks += ["refused while a run lasts"] if entry["busy"] else []
        marks += [f"needs feature `{entry['feature']}`"] if entry["feature"] else []
        title = f"#### `{entry['name']}` {entry['number']:#04x}" + (f" ({', '.join(marks)})" if marks else "")
        lines += [title, "", entry["doc"], ""]
        lines += _rows(entry["fields"], entry["tail"]) if entry["fields"] or entry["tail"] else ["No payload.", ""]
    return lines


def _number_tables(protocol: Table) -> list[str]:
    lines = []
    for name, enum in protocol["enum"].items():
        lines += [f"#### {enum['doc']} (`{name}`)", "", "| number | name | meaning |", "|---|---|---|"]
        lines += [f"| {entry['value']} | `{entry['name']}` | {entry['doc']} |" for entry in enum["values"]] + [""]
    return lines


def golden(protocol: Table) -> str:
    """One frame of each message, its fields filled with a pattern that shows every byte's place."""
    lines = [f"# {WARNING}", "# message | frame before COBS, without CRC | frame on the wire"]
    for entry in messages(protocol):
        side = "request" if entry["number"] < 0x80 else "reply"
        body = bytes([entry["number"]])
        for position, field in enumerate(protocol["header"][side][1:] + entry["fields"]):
            body += _pattern(field["type"], position + 1)
        body += bytes(range(8)) if entry["tail"] else b""
        lines.append(f"{entry['name']} | {body.hex()} | {on_wire(body).hex()}")
    return "\n".join([*lines, ""])


def on_wire(body: bytes) -> bytes:
    """CRC-32, COBS, delimiter, spelled out here so that the stack's own framing is held to something else.

    For bodies below 250 bytes: a full block at the very end would get a needless empty one.
    """
    block, wire = bytearray(), bytearray()
    for byte in body + zlib.crc32(body).to_bytes(4, "little") + b"\0":
        if byte:
            block.append(byte)
        if not byte or len(block) == 254:
            wire += bytes([len(block) + 1]) + block
            block.clear()
    return bytes(wire + b"\0")


def _pattern(kind: str, position: int) -> bytes:
    if kind.startswith("text"):
        return b"BOARD-7".ljust(_size(kind), b"\0")
    size = {"u8": 1, "u16": 2, "i16": 2, "u32": 4}.get(kind) or _size(kind)
    return bytes((position * 16 + byte) % 128 for byte in range(size))


def main(arguments: list[str]) -> int:
    """Write the files, or with --check only compare them."""
    protocol = tomllib.loads((BOARDS / "protocol.toml").read_text(encoding="utf-8"))
    texts = outputs(protocol)
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" not in arguments:
            path.write_text(texts[path], encoding="utf-8")
        sys.stdout.write(f"{'stale' if '--check' in arguments else 'written'}: {path.relative_to(HERE.parent)}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
