"""Both doors, opened by unmodified pyvisa and pyvisa-py."""

from collections.abc import Callable

import pytest
import pyvisa

from jackfield.emulator.hislip import HislipServer
from jackfield.emulator.loop import Loop
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scope_keysight import KeysightScope
from jackfield.emulator.socket_door import serve_socket

from .conftest import Ramp, open_visa


def serve(scope: KeysightScope, loop: Loop) -> dict[str, str]:
    def answerer(message: str, answer: Callable[[bytes], None]) -> None:
        reply = scope.core.execute(message)
        if reply is not None:
            answer(reply + b"\n")

    hislip = HislipServer(loop, answerer, lambda: scope.core.status_byte)
    port = serve_socket(loop, answerer)
    return {
        "hislip": f"TCPIP::127.0.0.1::hislip0,{hislip.port}::INSTR",
        "socket": f"TCPIP::127.0.0.1::{port}::SOCKET",
    }


@pytest.mark.parametrize("door", ["hislip", "socket"])
def test_queries_and_a_large_block(loop: Loop, visa: pyvisa.ResourceManager, door: str, ramp: Ramp) -> None:
    scope = KeysightScope(Randomness("jf16", "ideal", 1))
    resources = serve(scope, loop)
    for command in (":TRIG:SOUR EXT", ":TRIG:LEV 1", ":TIM:RANG 10ms", ":SING"):
        scope.core.execute(command)
    scope.trigger(ramp)
    loop.start()  # type: ignore[attr-defined]
    session = open_visa(visa, resources[door])
    assert session.query("*IDN?").startswith("KEYSIGHT TECHNOLOGIES,DSOX")
    assert session.query(":OPERegister:CONDition?") == "0"
    session.write(":WAVeform:FORMat WORD;POINts:MODE RAW;:WAVeform:POINts 1000000")
    session.write(":WAVeform:DATA?")
    header = session.read_bytes(10)
    assert header == b"#802000000"
    assert len(session.read_bytes(2_000_001)) == 2_000_001
    assert session.query("SYST:ERR?") == '+0,"No error"'
    session.close()


def test_hislip_status_clear_and_two_clients(loop: Loop, visa: pyvisa.ResourceManager) -> None:
    resources = serve(KeysightScope(Randomness("jf16", "ideal", 1)), loop)
    loop.start()  # type: ignore[attr-defined]
    first, second = open_visa(visa, resources["hislip"]), open_visa(visa, resources["hislip"])
    first.write("*CLS;*ESE 32")
    second.write("NONSENSE")
    assert second.query("*ESE?") == "32"
    assert first.read_stb() == 0x20
    first.clear()
    assert first.query("SYST:ERR?") == '-113,"Undefined header"'
    first.close()
    second.close()


def test_a_malformed_hislip_header_ends_the_connection(loop: Loop) -> None:
    import socket

    resources = serve(KeysightScope(Randomness("jf16", "ideal", 1)), loop)
    loop.start()  # type: ignore[attr-defined]
    port = int(resources["hislip"].split(",")[1].split("::")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        received = b""
        while piece := connection.recv(4096):
            received += piece
    assert received[:4] == b"HS\x02\x01"
