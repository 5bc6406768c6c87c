"""Whether a driver keeps to AbstractBoard, for boards that speak another protocol than PROTOCOL.md.

No cell is ever enabled; runs are played with nothing connected.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.device.abstract import AbstractBoard
from jackfield.device.conformance import CheckResult, NotHereError, UnexpectedError, expect
from jackfield.device.dialects import connect
from jackfield.errors import BoardError, DesignError, JackfieldError
from jackfield.link import AbstractTransport

__all__ = ["driver_conformance"]

PATIENCE_S = 10.0
DriverCheck = Callable[[AbstractBoard], None]


def driver_conformance(
    transport: AbstractTransport, spec: BoardSpec, told: Callable[[CheckResult], None] = lambda result: None
) -> list[CheckResult]:
    """Every check in order through the driver of the spec's dialect; the board is left safe, without a configuration.

    Owns `transport`. Raises LinkError and BoardError where no board of that type answers.
    """
    results = []
    with connect(transport, spec) as board:
        for check in CHECKS:
            outcome, reason = "passed", ""
            try:
                check(board)
            except NotHereError as absence:
                outcome, reason = "not here", str(absence)
            except (UnexpectedError, JackfieldError) as error:
                outcome, reason = "failed", str(error)
            asks = " ".join((check.__doc__ or "").split())
            results.append(CheckResult(check.__name__.strip("_"), asks, outcome, reason, ()))
            told(results[-1])
    return results


def _names_itself(board: AbstractBoard) -> None:
    """A board has an id, and is of the type that was asked for."""
    expect(bool(board.hello.board_id), "the board has no id")
    expect(board.hello.spec_digest == board.spec.digest, "hello names another spec than the driver was given")
    expect(board.hello.inputs == board.spec.run.inputs, f"hello says {board.hello.inputs} inputs, the spec has others")


def _holds_what_it_was_given(board: AbstractBoard) -> None:
    """An image is read back code by code."""
    image = _coded(board.spec, 1)
    report = board.apply(image)
    expect(report.verified, "apply does not say that what was sent was read back and compared")
    _expect_held(board, image)


def _goes_back(board: AbstractBoard) -> None:
    """Rollback brings the configuration before the last apply."""
    first, second = _coded(board.spec, 1), _coded(board.spec, 2)
    board.apply(first)
    board.apply(second)
    _expect_held(board, second)
    board.rollback()
    _expect_held(board, first)


def _refuses_foreign_images(board: AbstractBoard) -> None:
    """An image of another spec is refused, and the board keeps what it has."""
    image = _coded(board.spec, 1)
    board.apply(image)
    _expect_refusal(lambda: board.apply(replace(image, spec_digest="0" * 64)), "an image of another spec")
    _expect_held(board, image)


def _refuses_codes_out_of_range(board: AbstractBoard) -> None:
    """A code beyond its DAC is refused, and the board keeps what it has."""
    image = _coded(board.spec, 1)
    board.apply(image)
    if not board.spec.parameter_names:
        raise NotHereError("no cell has a parameter")
    wrong = image.copy()
    wrong.codes[board.spec.parameter_names[0]][0, 0] = 1 << 20
    _expect_refusal(lambda: board.apply(wrong), "a code of 2^20")
    _expect_held(board, image)


def _refuses_inputs_that_do_not_fit(board: AbstractBoard) -> None:
    """Inputs beyond the memory, of another number of nodes or out of range are refused."""
    spec = board.spec
    rest = np.full((1, spec.nodes.count), spec.nodes.preset.middle, dtype=np.int64)
    _expect_refusal(lambda: board.load_inputs(rest, first=spec.run.inputs), "an input beyond the memory")
    _expect_refusal(lambda: board.load_inputs(rest[:, :-1]), "an input for one node less")
    _expect_refusal(lambda: board.load_inputs(rest + (1 << 20)), "a preset code above its range")


def _plays_inputs(board: AbstractBoard) -> None:
    """A run of two inputs ends with two scans, nothing being connected."""
    spec = board.spec
    board.apply(_coded(spec, 1))
    rest = np.full((2, spec.nodes.count), spec.nodes.preset.middle, dtype=np.int64)
    board.load_inputs(rest)
    ticks = max(1, round(spec.run.min_s / spec.run.tick_s))
    scan = tuple((node,) if node <= spec.nodes.count else () for node in range(1, spec.probe.count + 1))
    board.start(RunProgram(steps=((0, ticks),), scan=scan, count=min(2, spec.run.inputs)))
    scans = board.finish(PATIENCE_S)
    expect(scans == min(2, spec.run.inputs), f"{scans} scans are reported of {min(2, spec.run.inputs)}")


def _refuses_runs_that_do_not_fit(board: AbstractBoard) -> None:
    """A run longer than the spec allows is refused."""
    spec = board.spec
    ticks = round(2 * spec.run.max_s / spec.run.tick_s)
    program = RunProgram(steps=((0, ticks),), scan=((1,), *((),) * (spec.probe.count - 1)))
    _expect_refusal(lambda: board.start(program), "a run of twice the longest time")


def _is_safe_when_told(board: AbstractBoard) -> None:
    """After safe the state is safe, and a new image can be applied."""
    board.apply(_coded(board.spec, 1))
    board.safe()
    expect(board.status().safe, f"the state after safe is {board.status().state}")
    board.apply(ConfigImage.safe(board.spec))


CHECKS: tuple[DriverCheck, ...] = (
    _names_itself,
    _holds_what_it_was_given,
    _goes_back,
    _refuses_foreign_images,
    _refuses_codes_out_of_range,
    _refuses_inputs_that_do_not_fit,
    _plays_inputs,
    _refuses_runs_that_do_not_fit,
    _is_safe_when_told,
)


def _coded(spec: BoardSpec, seed: int) -> ConfigImage:
    """Random codes in cells that are all disabled."""
    random, image = np.random.default_rng(seed), ConfigImage.safe(spec)
    for group in spec.groups:
        for name, scale in group.parameters.items():
            low, high = scale.code_range
            image.codes[name][:, group.members] = random.integers(low, high + 1, (spec.run.banks, group.count))
    return image


def _expect_held(board: AbstractBoard, image: ConfigImage) -> None:
    held = board.read_image().digest(board.spec)
    expect(held == image.digest(board.spec), "the board holds another image than the one it was given last")


def _expect_refusal(action: Callable[[], object], what: str) -> None:
    try:
        action()
    except (DesignError, BoardError):
        return
    raise UnexpectedError(f"{what} was taken")
