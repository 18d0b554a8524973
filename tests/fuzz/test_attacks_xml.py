"""XML made to explode, to fetch and to bury: none of it is followed."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cardiosoft_writer import write_cardiosoft_xml
from reading_server import ReadingServer
from seeds import hl7_aecg, make_ecg, muse_xml

KINDS: dict[str, bytes] = {
    "CardiologyXML": write_cardiosoft_xml(make_ecg("median", 600), None),
    "AnnotatedECG": hl7_aecg(make_ecg(n_samples=300)),
    "RestingECG": muse_xml(make_ecg(n_samples=300)).replace(b'<!DOCTYPE RestingECG SYSTEM "restecg.dtd">', b""),
    "restingecgdata": b'<?xml version="1.0"?><restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo>'
    b"<documenttype>SierraECG</documenttype><documentversion>1.03</documentversion></documentinfo></restingecgdata>",
}
SECRET = "a secret of the machine"
REASONS = "DTD|DOCTYPE|entit|Entit|declar|nest|deep|XML|large|bytes"


def with_prologue(kind: str, prologue: str, inside: str = "") -> bytes:
    """One of the files with a document type, and something in its first element."""
    content = KINDS[kind].decode("latin-1")
    start = content.index(f"<{kind}")
    begin = content.index(">", start) + 1
    head = content[: content.index("?>") + 2] if content.startswith("<?xml") else ""
    return f"{head}{prologue}{content[start:begin]}{inside}{content[begin:]}".encode("latin-1")


def laughs(levels: int = 12) -> str:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, levels))
    return f"<!DOCTYPE x [{entities}]>"


def parameter_laughs() -> str:
    return "<!DOCTYPE x [" + "".join(f"<!ENTITY % p{k} '{f'&#37;p{k - 1};' * 10}'>" for k in range(1, 12)) + "%p11;]>"


def quadratic() -> str:
    return f'<!DOCTYPE x [<!ENTITY a "{"ha" * 100_000}">]>'


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("prologue", "inside"),
    [
        pytest.param(laughs(), "<y>&a11;</y>", id="billion laughs"),
        pytest.param(quadratic(), "<y>" + "&a;" * 5000 + "</y>", id="quadratic blow-up"),
        pytest.param(parameter_laughs(), "", id="parameter entities"),
        pytest.param('<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]>', "<y>&a;</y>", id="endless entity"),
        pytest.param('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "<y>&a;</y>", id="file"),
        pytest.param('<!DOCTYPE x [<!ENTITY a SYSTEM "expect://id">]>', "<y>&a;</y>", id="program"),
        pytest.param("", "<y>&undefined;</y>", id="undefined entity"),
    ],
)
def test_entities_are_refused(
    kind: str, prologue: str, inside: str, refusal: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "1_20205_2_0.xml"
    path.write_bytes(with_prologue(kind, prologue, inside))
    message = refusal(path, REASONS)
    assert "root:" not in message


class _CountingServer(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[tuple[str, list[str]]]:
    """A server, and what was asked of it."""
    asked: list[str] = []
    handler = type("Handler", (_CountingServer,), {"asked": asked})
    with HTTPServer(("127.0.0.1", 0), handler) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}", asked
        one.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_fetched(kind: str, server: ReadingServer, web: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = web
    (tmp_path / "secret.txt").write_text(SECRET)
    xi = 'xmlns:xi="http://www.w3.org/2001/XInclude"'
    attempts = {
        "dtd": (f'<!DOCTYPE x SYSTEM "{url}/dtd">', ""),
        "local dtd": ('<!DOCTYPE x SYSTEM "secret.txt">', ""),
        "entity": (f'<!DOCTYPE x [<!ENTITY a SYSTEM "{url}/entity">]>', "<y>&a;</y>"),
        "parameter": (f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{url}/parameter"> %p;]>', ""),
        "include": ("", f'<xi:include {xi} href="{url}/include" parse="text"/>'),
        "include file": ("", f'<xi:include {xi} href="secret.txt" parse="text"/>'),
        "schema": ("", f'<y xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:schemaLocation="a {url}/schema"/>'),
        "stylesheet": (f'<?xml-stylesheet href="{url}/style"?>', ""),
    }
    for name, (prologue, inside) in attempts.items():
        path = tmp_path / f"{name.replace(' ', '_')}.xml"
        path.write_bytes(with_prologue(kind, prologue, inside))
        verdict = server.ask("any recording", path)
        assert verdict.is_fine, (name, verdict)
        assert SECRET not in verdict.message
    assert asked == []


DEEP = "<y>" * 200_000 + "</y>" * 200_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(DEEP, id="deep"),
        pytest.param("<y>" * 200_000, id="deep and open"),
        pytest.param("<y " + " ".join(f'a{k}="1"' for k in range(200_000)) + "/>", id="attributes"),
        pytest.param("<y/>" * 500_000, id="wide"),
        pytest.param("<y>" + "1," * 5_000_000 + "</y>", id="long text"),
        pytest.param("<!-- " + "-" * 3 + " -->", id="bad comment"),
        pytest.param("\x00", id="null"),
        pytest.param("\x1b]0;owned\x07", id="escape"),
    ],
)
def test_odd_structure_costs_little(kind: str, inside: str, server: ReadingServer, tmp_path: Path) -> None:
    path = tmp_path / "1_20205_2_0.xml"
    path.write_bytes(with_prologue(kind, "", inside))
    verdict = server.ask("any recording", path)
    assert verdict.is_fine, verdict
    assert verdict.seconds < 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "encoding", ["utf-7", "unicode_escape", "zlib", "idna", "x-nothing", "utf-32", "cp037", "base64"]
)
def test_odd_encodings_are_refused_or_read(kind: str, encoding: str, server: ReadingServer, tmp_path: Path) -> None:
    content = KINDS[kind].split(b"?>", 1)[1]
    path = tmp_path / "1_20205_2_0.xml"
    path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + content)
    verdict = server.ask("any recording", path)
    assert verdict.is_fine, verdict
