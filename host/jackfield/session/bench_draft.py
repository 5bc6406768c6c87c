"""A bench file from what was found; what could not be found out is said, in the file and to the caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jackfield.errors import DesignError
from jackfield.session.discovery import Discovery, FoundInstrument
from jackfield.session.specs import load_spec

if TYPE_CHECKING:
    from jackfield.board import BoardSpec

__all__ = ["BenchDraft", "draft_bench"]

ROLES = ("scope", "dmm", "scanner", "smu")


@dataclass(frozen=True)
class BenchDraft:
    """The text of a bench file, what in it is assumed, and what was found that it leaves out."""

    text: str
    assumed: tuple[str, ...]
    left_out: tuple[str, ...]


def draft_bench(found: Discovery, backend: str) -> BenchDraft:
    """One board with the instruments found.

    Raises DesignError where there is no board, or more than one of a kind: which belongs to the bench is not guessed.
    """
    if len(found.boards) != 1:
        listed = "; ".join(f"{board.board_id} ({board.spec}) at {board.url}" for board in found.boards)
        raise DesignError(
            f"{len(found.boards)} boards answer{': ' + listed if listed else ''}; "
            + ("name one with --port" if found.boards else "plug one in, or name its port with --port")
        )
    board = found.boards[0]
    roles, left_out = _roles(found.instruments)
    spec = load_spec(board.spec)
    assumed: list[str] = []
    parts = [f'[board]\nurl = "{board.url}"\nspec = "{board.spec}"\nid = "{board.board_id}"\n']
    writers = {"scope": _scope, "dmm": _dmm, "scanner": _scanner, "smu": _smu}
    for role in ROLES:
        if role in roles:
            parts.append(writers[role](roles[role], spec, backend, assumed))
    head = "".join(f"# assumed, not found out: {line}\n" for line in assumed)
    check = "# jackfield bench check --bench FILE proves the wiring.\n" if assumed else ""
    return BenchDraft("\n".join([head + check, *parts]), tuple(assumed), tuple(left_out))


def _roles(instruments: Sequence[FoundInstrument]) -> tuple[dict[str, FoundInstrument], list[str]]:
    from jackfield.bench import AbstractDigitizer, AbstractScanner, AbstractSource, AbstractVoltmeter

    kinds = {"scope": AbstractDigitizer, "dmm": AbstractVoltmeter, "scanner": AbstractScanner, "smu": AbstractSource}
    roles: dict[str, FoundInstrument] = {}
    left_out: list[str] = []
    for instrument in instruments:
        fitting = [
            role for role, kind in kinds.items() if any(issubclass(d, kind) for d in instrument.drivers.values())
        ]
        if not fitting:
            left_out.append(f"{instrument.resource} is {instrument.identity!r}: no driver knows it")
            continue
        if len(instrument.drivers) > 1:
            raise DesignError(
                f"{instrument.resource} is {instrument.identity!r}, which the drivers "
                f"{', '.join(sorted(instrument.drivers))} all know; write its table by hand"
            )
        if fitting[0] in roles:
            raise DesignError(
                f"{roles[fitting[0]].resource} and {instrument.resource} both could be the {fitting[0]}; "
                "name the bench's own instruments with --resource"
            )
        roles[fitting[0]] = instrument
    return roles, left_out


def _head(role: str, found: FoundInstrument, backend: str) -> str:
    driver = next(iter(found.drivers))
    return (
        f"# {found.identity}\n[instruments.{role}]\n"
        f'driver = "{driver}"\nresource = "{found.resource}"\nbackend = "{backend}"\n'
    )


def _scope(found: FoundInstrument, spec: "BoardSpec", backend: str, assumed: list[str]) -> str:
    pulse = spec.probe.trigger
    source = getattr(next(iter(found.drivers.values())), "usual_trigger", "EXT")
    assumed += [f"board probe {n} is on channel {n}, attenuation 1, DC, 1 Mohm" for n in range(1, spec.probe.count + 1)]
    assumed.append(f"the board's trigger jack is on {source}")
    channels = "".join(
        f"\n[[instruments.scope.channels]]\nchannel = {n}\nboard_probe = {n}\nattenuation = 1\n"
        'coupling = "DC"\nimpedance_ohm = 1e6\nbandwidth_limit = true\n'
        for n in range(1, spec.probe.count + 1)
    )
    trigger = (
        f'\n[instruments.scope.trigger]\nsource = "{source}"\nlevel_V = {pulse.level_V!r}\nslope = "{pulse.edge}"\n'
    )
    return _head("scope", found, backend) + 'mode = "high-resolution"\n' + channels + trigger


def _dmm(found: FoundInstrument, spec: "BoardSpec", backend: str, assumed: list[str]) -> str:
    assumed.append("the multimeter is on the board's reference jack")
    return _head("dmm", found, backend) + 'jack = "reference"\nnplc = 10\n'


def _scanner(found: FoundInstrument, spec: "BoardSpec", backend: str, assumed: list[str]) -> str:
    jacks = ["reference", *(f"probe {n}" for n in range(1, spec.probe.count + 1))]
    assumed.append(f"scanner channels 101 to {100 + len(jacks)} are on {', '.join(jacks)}")
    channels = "".join(
        f'\n[[instruments.scanner.channels]]\nchannel = {101 + n}\njack = "{jack}"\n' for n, jack in enumerate(jacks)
    )
    return _head("scanner", found, backend) + "nplc = 10\n" + channels


def _smu(found: FoundInstrument, spec: "BoardSpec", backend: str, assumed: list[str]) -> str:
    """Commented out: how much it may drive is nothing to find out."""
    assumed.append("the source is not to be used: give it limit_A and limit_V and take the comment signs away")
    text = _head("smu", found, backend) + "limit_A = ...\nlimit_V = ...\n"
    return "".join(f"# {line}\n" for line in text.splitlines())
