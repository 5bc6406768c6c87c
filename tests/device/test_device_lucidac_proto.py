"""LUCIDAC in protobuf, against the vendor's dummy: its run, and each error that it can inject."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from jackfield.board import ConfigImage, RunProgram
from jackfield.device import LucidacProtoBoard
from jackfield.device.lucidac_proto import ProtoTalk
from jackfield.device.proto_frames import varint
from jackfield.errors import BoardError, JackfieldError, LinkError
from jackfield.link import SocketTransport
from jackfield.session import load_spec

DUMMIES = """
import asyncio, contextlib, json
from pybrid.mock import DummyDAC, DummyDACConfig
from pybrid.mock.config import DummyDACErrorStage
async def main():
    ports = {}
    async with contextlib.AsyncExitStack() as stack:
        for stage in DummyDACErrorStage:
            config = DummyDACConfig(lucidac_mode=True, error_stage=stage)
            dummy = await stack.enter_async_context(DummyDAC("127.0.0.1", 0, config))
            ports[stage.value] = dummy._server.sockets[0].getsockname()[1]
        print(json.dumps(ports), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
SPEC = load_spec("lucidac-2025")
PROGRAM = RunProgram(steps=((0, 1000),), scan=tuple((node,) for node in range(1, 9)))


@pytest.fixture(scope="module")
def dummies() -> Iterator[dict[str, int]]:
    """Ports of dummies by the error that each injects, in one process."""
    command = [sys.executable, "-c", DUMMIES]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdout.close()
    finally:
        process.terminate()
        process.wait(timeout=10)


def image() -> ConfigImage:
    made = ConfigImage.safe(SPEC)
    made.enable[0, :2] = True
    made.source[0, :2], made.destination[0, :2] = (1, 16), (2, 3)
    made.codes["coefficient"][0, :2] = (1000, 3000)
    made.codes["upscale"][0, 1] = 1
    return made


def test_a_board_that_is_only_asked_who_it_is(dummies: dict[str, int]) -> None:
    with SocketTransport("127.0.0.1", dummies["NONE"]) as transport:
        hello = LucidacProtoBoard.identify(transport)
    assert (hello.spec_name, bool(hello.board_id)) == ("lucidac-2025", True)


def test_a_run_of_the_dummy(dummies: dict[str, int]) -> None:
    with LucidacProtoBoard(SocketTransport("127.0.0.1", dummies["NONE"]), SPEC) as board:
        assert board.hello.board_id
        assert board.apply(image()).verified
        assert board.read_image().digest(SPEC) == image().digest(SPEC)
        board.load_inputs(np.full((2, 16), 2048))
        read = board.read_nodes(replace(PROGRAM, count=2))
        t_s, volts = board.watch_nodes(replace(PROGRAM, mode="watch"))
    # The dummy shows a sine in each channel, an eighth of a turn behind the one before.
    phases = np.arange(8) * 2 * np.pi / 8
    assert np.abs(volts - np.sin(t_s + phases[:, None])).max() < 0.01
    assert np.abs(read.values_V - np.sin(phases)).max() < 0.01


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ("AT_EXTRACT", BoardError, "refuses extract_command: Extract error"),
        ("AT_CONFIGURE", BoardError, "refuses config_command: Configuration error"),
        ("AT_START_RUN", BoardError, "refuses start_run_command: Start run error"),
        ("DURING_RUN", BoardError, "the run ended with an error"),
        ("DROP_TAKEOFF_STATE", LinkError, "went on from TAKE_OFF, it was in NEW last: a message is lost"),
        ("DROP_DONE_STATE", LinkError, "does not say that the run has ended"),
        ("FEWER_SAMPLES", LinkError, "samples have come in time; run it again"),
    ],
)
def test_each_injected_error_is_told_in_time(
    dummies: dict[str, int], error: str, kind: type[JackfieldError], message: str
) -> None:
    def read() -> None:
        board = LucidacProtoBoard(transport, SPEC)
        assert isinstance(board._talk, ProtoTalk)
        board._talk.slack_s = 1.0
        board.apply(image())
        board.read_nodes(PROGRAM)

    with SocketTransport("127.0.0.1", dummies[error]) as transport:
        begin = transport.now()
        with pytest.raises(kind, match=message):
            read()
        assert transport.now() - begin < 5.0  # slack, replies, a busy machine


def test_lengths_are_varints() -> None:
    assert varint(1) == b"\x01"
    assert varint(300) == b"\xac\x02"  # the example of the protobuf encoding page
