"""An EDGAR on loopback for tests: index pages and documents of filings, or whatever a test makes it answer."""

from __future__ import annotations

from tests.receiver import Answer, Got, Receiver

AGENT = "Tester test@example.com"
RELEASE = (b"<html><body><p>FOR IMMEDIATE RELEASE</p><p>Acme prices $5.0 million registered direct offering</p>"
           b"<p>NEW YORK, Jan. 2, 2026 - Acme Corp today announced the pricing.</p></body></html>")
REFUSED = b"<html><title>SEC.gov | Request Rate Threshold Exceeded</title></html>"
UNDECLARED = b"<html><title>SEC.gov | Your Request Originates from an Undeclared Automated Tool</title></html>"


def accession_of(number: int) -> str:
    """A dashed accession number."""
    return f"0000000001-26-{number:06}"


def folder_of(number: int) -> str:
    """The folder of a filing's documents."""
    return f"/Archives/edgar/data/1/{accession_of(number).replace('-', '')}/"


def link_of(number: int) -> str:
    """The address of a filing's index page, as EDGAR's lists give it."""
    return f"https://www.sec.gov{folder_of(number)}{accession_of(number)}-index.htm"


def index_page(number: int, form: str = "8-K", party: str = "Acme Corp (Filer)", cik: str = "0000000001",
               exhibits: int = 1) -> bytes:
    """An index page in the SEC's form, with links as the SEC writes them."""
    rows = [("1", form, f"/ix?doc={folder_of(number)}main.htm")]
    rows += [(str(place + 1), f"EX-99.{place}", f"{folder_of(number)}ex99-{place}.htm")
             for place in range(1, exhibits + 1)]
    cells = "".join(f'<tr><td scope="row">{seq}</td><td>{kind}</td><td><a href="{href}">{href.rpartition("/")[2]}</a>'
                    f"</td><td>{kind}</td><td>100</td></tr>" for seq, kind, href in rows)
    return (f'<html><div id="formName"><strong>Form {form}</strong> - Report:</div><div id="secNum">'
            f'{accession_of(number)}</div><div class="infoHead">Accepted</div>'
            f'<div class="info">2026-01-02 09:00:00</div>'
            f'<div class="infoHead">Items</div><div class="info">Item 8.01: Other Events<br /></div>'
            f'<table class="tableFile"><tr><th>Seq</th></tr>{cells}</table>'
            f'<span class="companyName">{party} <acronym>CIK</acronym>: <a>{cik} (all)</a></span></html>').encode()


class EdgarServer(Receiver):
    """Serves every filing; `pages` and `status` override by path, `everywhere` by answering all."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.pages: dict[str, bytes] = {}
        self.status: dict[str, int] = {}
        self.everywhere: Answer | None = None

    def _serve(self, got: Got) -> Answer | None:
        if self.everywhere is not None:
            return self.everywhere
        status = self.status.get(got.path, 200)
        if status != 200:
            return Answer(status, b"<html>no</html>")
        if got.path in self.pages:
            return Answer(200, self.pages[got.path])
        if got.path.endswith("-index.htm"):
            return Answer(200, index_page(int(got.path[-16:-10])))
        return Answer(200, RELEASE if "/ex99" in got.path else b"<html><p>Item 8.01 Other Events</p></html>")

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [got.path for got in self.got]
