"""An emulated AN231E04 board behind its ABK protocol, by its own code: a 40-byte buffer, XOFF, checks, a converter."""

from collections.abc import Callable

__all__ = ["AbkEmulator"]

STX, ETX, XON, XOFF = 0x02, 0x03, 0x11, 0x13
BUFFER = 40
SYNC_ZEROS = 5
LETTERS = (ord("0"), ord("1"), ord("R"))


class AbkEmulator:
    """`receive` takes bytes and returns what the board says; `drain` says how many of them it has worked off since.

    `reads` maps a converter input to volts; `primary` and `changes` hold what was configured. A chip takes a primary
    configuration only behind its five zero bytes and with one after it, a change only on top of a primary one.
    """

    def __init__(self, reads: Callable[[str, int], float], chips: str = "AN231E04") -> None:
        self._reads = reads
        self._chips = chips
        self._frame = bytearray()
        self._buffered = 0
        self._off = False
        self._answer = "0"
        self.primary: bytes | None = None
        self.changes: list[bytes] = []
        self.lost = 0

    def receive(self, data: bytes) -> bytes:
        """What the board says to `data`: XOFF when its buffer is full, XON when there is room, answers."""
        said = bytearray()
        for byte in data:
            if byte == STX:
                self._frame.clear()
                self._buffered = 0
            self._take(byte)
            if byte == ETX:
                said += self._act(bytes(self._frame[1:-1]))
                self._frame.clear()
                self._buffered = 0
        if self._buffered >= BUFFER and not self._off:
            self._off = True
            said.append(XOFF)
        return bytes(said)

    def drain(self) -> bytes:
        """The chip has taken what was in the buffer."""
        self._buffered = 0
        off, self._off = self._off, False
        return bytes([XON]) if off else b""

    def _take(self, byte: int) -> None:
        loading = len(self._frame) >= 6 and self._frame[1] in LETTERS
        if loading and byte != ETX:
            self._buffered += 1
            if self._buffered > 2 * BUFFER:
                self.lost += 1  # nobody had time to make room
                return
        self._frame.append(byte)

    def _act(self, body: bytes) -> bytes:
        command, rest = body[:1].decode("latin-1"), body[1:].decode("latin-1")
        if command in ("0", "1", "R"):
            self._answer = self._load(command, rest)
            return b""
        answers = {"?": self._answer, "#": "ABK 3.0", "T": self._chips}
        if command in answers:
            return answers[command].encode() + b"\x03"
        if command in ("A", "V") and len(rest) == 2:
            code = round(self._reads(command, int(rest, 16)) * 1024 / 3.3)
            return f"{min(max(code, 0), 1023):04X}".encode() + b"\x03"
        self._answer = "1"
        return b""

    def _load(self, command: str, rest: str) -> str:
        try:
            length, data = int(rest[:4], 16), bytes.fromhex(rest[4:])
        except ValueError:
            return "2"
        if length != len(rest) - 4:
            return "2"
        if command == "R":
            self.primary, self.changes = None, []
            return "0"
        if command == "1":
            if self.primary is None:
                return "2"
            self.changes.append(data)
            return "0"
        if any(data[:SYNC_ZEROS]) or data[-1:] != b"\0" or len(data) <= SYNC_ZEROS + 1:
            return "2"
        self.primary = data[SYNC_ZEROS:-1]
        return "0"
