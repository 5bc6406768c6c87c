import socket
from collections.abc import Iterator

import pytest

from jackfield.errors import LinkError
from jackfield.link import open_transport


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


def test_bytes_pass_and_the_end_is_an_error(server: socket.socket) -> None:
    url = f"socket://127.0.0.1:{server.getsockname()[1]}"
    with open_transport(url) as port:
        connection, _ = server.accept()
        with connection:
            assert port.read(0.0) == b""
            assert port.read(0.001) == b""
            port.write(b"\0\1")
            assert connection.recv(2) == b"\0\1"
            connection.sendall(b"\2")
            assert port.read(5) == b"\2"
        with pytest.raises(LinkError, match="the other side closed it"):
            port.read(5)
        assert port.byte_s == 0
        assert port.name == url


def test_a_board_is_for_one_process(server: socket.socket) -> None:
    url = f"socket://127.0.0.1:{server.getsockname()[1]}"
    with open_transport(url), pytest.raises(LinkError, match="in use by process"):
        open_transport(url)


def test_nobody_listens(server: socket.socket) -> None:
    port = server.getsockname()[1]
    server.close()
    with pytest.raises(LinkError, match=f"nothing answers at socket://127.0.0.1:{port}"):
        open_transport(f"socket://127.0.0.1:{port}")
