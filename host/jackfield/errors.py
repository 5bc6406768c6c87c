"""The exceptions of jackfield.

    JackfieldError
     |- DesignError        a circuit, spec, image or file that cannot be used as asked
     |- LinkError          the serial link: port, frames, upload
     |- BoardError         the board refused, or reports a fault
     |- InstrumentError    an instrument behind VISA: silent, wrong, clipped, not armed
     `- CalibrationError   a calibration that cannot be made, believed or applied

A message says what was asked, what is possible and what to do.
Errors of pyserial and pyvisa are translated once, where they are called, `from` their cause.
"""

__all__ = ["BoardError", "CalibrationError", "DesignError", "InstrumentError", "JackfieldError", "LinkError"]


class JackfieldError(Exception):
    """Anything that the user can mend; the command line prints it without a traceback."""


class DesignError(JackfieldError):
    """A circuit, board spec, image, checkpoint or input file cannot be used as asked."""


class LinkError(JackfieldError):
    """The serial link failed; the board keeps the configuration it had."""


class BoardError(JackfieldError):
    """The board refused a request or reports a fault."""


class InstrumentError(JackfieldError):
    """An instrument is silent, answers wrongly, is clipped or is not armed."""


class CalibrationError(JackfieldError):
    """A calibration cannot be made, believed or applied."""
