"""From a circuit to the image of a board, and from an image and a record to the twin."""

from jackfield.compile.board_circuit import board_circuit, steps_to_follow
from jackfield.compile.compiled import CompiledCircuit
from jackfield.compile.compiler import compile_circuit
from jackfield.compile.findings import Finding, check_spec
from jackfield.compile.jfi import read_image_file
from jackfield.compile.known import KnownBoard, uncertainties
from jackfield.compile.lane_known import KnownLanes
from jackfield.compile.lane_machine import LaneParameters, LaneSettings, lane_response
from jackfield.compile.lane_twin import LaneTwin
from jackfield.compile.lanes import check_fit, is_lane_board
from jackfield.compile.lower import LoweredSlice, lower
from jackfield.compile.passes import CompiledPasses, compile_passes
from jackfield.compile.passes_twin import CarryCost, PassesTwin, twin_of_passes
from jackfield.compile.patch_list import patch_list
from jackfield.compile.patch_twin import PatchTwin
from jackfield.compile.phasor_tiles import PhasorTile, compile_phasors
from jackfield.compile.place import Placement, place
from jackfield.compile.report import QuantisationReport
from jackfield.compile.resonators_known import KnownResonators, nominal_answer
from jackfield.compile.scaling import Scaling, choose_scaling
from jackfield.compile.twin import Twin, twin

__all__ = [
    "CarryCost",
    "CompiledCircuit",
    "CompiledPasses",
    "Finding",
    "KnownBoard",
    "KnownLanes",
    "KnownResonators",
    "LaneParameters",
    "LaneSettings",
    "LaneTwin",
    "LoweredSlice",
    "PassesTwin",
    "PatchTwin",
    "PhasorTile",
    "Placement",
    "QuantisationReport",
    "Scaling",
    "Twin",
    "board_circuit",
    "check_fit",
    "check_spec",
    "choose_scaling",
    "compile_circuit",
    "compile_passes",
    "compile_phasors",
    "is_lane_board",
    "lane_response",
    "lower",
    "nominal_answer",
    "patch_list",
    "place",
    "read_image_file",
    "steps_to_follow",
    "twin",
    "twin_of_passes",
    "uncertainties",
]
