"""A board's constants as C, for the firmware that runs on it."""

import re

import numpy as np
from numpy.typing import NDArray

from jackfield.board.parts import CellGroup
from jackfield.board.scale import CodeScale
from jackfield.board.spec import BoardSpec
from jackfield.errors import DesignError

__all__ = ["c_header"]

NAME_BYTES = 16
PER_LINE = 16

TYPES = """\
typedef struct {
    uint8_t bits;
    uint16_t least, most;
    const uint16_t *nodes; /* a listed route's nodes: most + 1 a cell */
} jf_field;

typedef struct {
    uint32_t first, cells, cell_bits;
    uint8_t fields; /* enable, source, destination, parameters */
    const jf_field *field;
} jf_group;
"""


def c_header(spec: BoardSpec) -> str:
    """The text of `jf_board.h` for board `spec`: sizes, limits, times, and the fields of its image.

    Raises DesignError where the firmware cannot say the spec's name.
    """
    if not re.fullmatch(rf"[\w.+-]{{1,{NAME_BYTES}}}", spec.name, re.ASCII):
        raise DesignError(f"the name {spec.name!r} does not fit a hello; take up to {NAME_BYTES} letters and digits")
    lines = [
        f"/* Board {spec.name}, spec digest {spec.digest[:12]}: written by `jackfield boards header`; do not edit. */",
        "#ifndef JF_BOARD_H",
        "#define JF_BOARD_H",
        "",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "",
        *(f"#define JF_{name} {value}" for name, value in _constants(spec)),
        "",
        "#ifdef JF_BOARD_TABLES",
        "",
        *TYPES.splitlines(),
        "",
        *(line for group in spec.groups for line in _group(group)),
        "static const jf_group jf_groups[JF_GROUPS] = {",
        *(
            f"    {{{g.first}u, {g.count}u, {g.cell_bits}u, {3 + len(g.parameters)}, jf_{g.name}}},"
            for g in spec.groups
        ),
        "};",
        f"static const jf_field jf_trim = {_field(spec.nodes.trim)};",
        "",
        "#endif",
        "#endif",
    ]
    return "\n".join([*lines, ""])


def _constants(spec: BoardSpec) -> list[tuple[str, str]]:
    nodes, run, probe, link = spec.nodes, spec.run, spec.probe, spec.link
    digest = ", ".join(f"0x{byte:02X}" for byte in bytes.fromhex(spec.digest))
    bank_bits = sum(group.count * group.cell_bits for group in spec.groups) + nodes.count * nodes.trim.bits
    least, most = nodes.preset.code_range
    return [
        ("SPEC_NAME", f'"{spec.name}"'),
        ("SPEC_DIGEST", f"{{{digest}}}"),
        ("NODES", f"{nodes.count}u"),
        ("CELLS", f"{spec.cell_count}u"),
        ("GROUPS", f"{len(spec.groups)}u"),
        ("MOST_PARAMETERS", f"{max(len(group.parameters) for group in spec.groups)}u"),
        ("BANKS", f"{run.banks}u"),
        ("BANK_BITS", f"{bank_bits}u"),
        ("IMAGE_BYTES", f"{spec.payload_bytes}u"),
        ("PRESET_LEAST", f"{least}u"),
        ("PRESET_MOST", f"{most}u"),
        ("PRESET_REST", f"{nodes.preset.middle}u"),
        ("INPUTS", f"{run.inputs}u"),
        *_drive(spec),
        ("PROBES", f"{probe.count}u"),
        ("SEQUENCE_DEPTH", f"{run.sequence_depth}u"),
        ("RUN_LEAST_TICKS", f"{round(run.min_s / run.tick_s)}u"),
        ("RUN_MOST_TICKS", f"{round(run.max_s / run.tick_s)}u"),
        ("TICK_NS", _nanoseconds(run.tick_s)),
        ("BANK_SWITCH_NS", _nanoseconds(run.bank_switch_s)),
        ("SETTLE_NS", _nanoseconds(nodes.preset_settle_s)),
        ("SLOT_NS", _nanoseconds(probe.slot_s)),
        ("TRIGGER_NS", _nanoseconds(probe.trigger.width_s)),
        ("FRAME_BYTES", f"{link.frame_bytes}u"),
        ("WINDOW", f"{link.window}u"),
        ("WATCHDOG_MS", f"{round(link.watchdog_s * 1000)}u"),
        ("BAUD", f"{{{', '.join(f'{baud}u' for baud in link.baud)}}}"),
    ]


def _drive(spec: BoardSpec) -> list[tuple[str, str]]:
    """What can go on during a run; a board that cannot inject has 0 points."""
    injection = spec.nodes.injection
    clamp = [("HAS_CLAMP", str(int(spec.nodes.clamp)))]
    if injection is None:
        return [*clamp, ("INJECTION_POINTS", "0u")]
    least, most = injection.dac.code_range
    return [
        *clamp,
        ("INJECTION_POINTS", f"{injection.points}u"),
        ("INJECTION_LEAST", f"{least}u"),
        ("INJECTION_MOST", f"{most}u"),
        ("INJECTION_REST", f"{injection.dac.middle}u"),
    ]


def _nanoseconds(seconds: float) -> str:
    return f"{round(seconds * 1e9)}u"


def _group(group: CellGroup) -> list[str]:
    reach, lines, fields = group.reach, [], ["{1, 0, 1, NULL}"]
    ends = (
        ("sources", reach.source_bits, reach.source_lists),
        ("destinations", reach.destination_bits, reach.destination_lists),
    )
    for name, bits, lists in ends:
        nodes = "NULL" if lists is None else f"jf_{group.name}_{name}"
        most = reach.nodes if lists is None else lists.shape[1] - 1
        fields.append(f"{{{bits}, 0, {most}, {nodes}}}")
        if lists is not None:
            lines += _nodes(nodes, lists)
    fields += [_field(scale) for scale in group.parameters.values()]
    return [*lines, f"static const jf_field jf_{group.name}[] = {{", *(f"    {field}," for field in fields), "};"]


def _field(scale: CodeScale) -> str:
    return f"{{{scale.bits}, {scale.code_range[0]}, {scale.code_range[1]}, NULL}}"


def _nodes(name: str, lists: NDArray[np.int64]) -> list[str]:
    flat = [str(node) for node in lists.ravel()]
    rows = [", ".join(flat[i : i + PER_LINE]) for i in range(0, len(flat), PER_LINE)]
    return [f"static const uint16_t {name}[] = {{", *(f"    {row}," for row in rows), "};"]
