import pytest

from jackfield.errors import LinkError
from jackfield.link import open_transport


@pytest.mark.parametrize(
    "url", ["", "jf96", "serial://", "socket://host", "socket://host:x", "usb://1", "serial:///x?baud=y"]
)
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(LinkError, match="is no board's URL"):
        open_transport(url)
