"""How filing agents write HTML: two house styles, blanks and line breaks where nobody expects them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from random import Random

from catalyst.world.companies import Company
from catalyst.world.edgar_pages import wrap

STYLES = ("paragraphs", "spans")
_P = "font: 10pt Times New Roman, Times, Serif; margin: 0pt 0"
_SPAN = "color:#000000;font-family:'Times New Roman',sans-serif;font-size:10pt;line-height:120%"
_BOXES = ("Written communications pursuant to Rule 425 under the Securities Act (17 CFR 230.425)",
          "Soliciting material pursuant to Rule 14a-12 under the Exchange Act (17 CFR 240.14a-12)",
          "Pre-commencement communications pursuant to Rule 14d-2(b) under the Exchange Act (17 CFR 240.14d-2(b))",
          "Pre-commencement communications pursuant to Rule 13e-4(c) under the Exchange Act (17 CFR 240.13e-4(c))")


class Hand:
    """Writes the paragraphs of one document in the style of one agent."""

    def __init__(self, random: Random):
        self._random = random
        self._style = random.choice(STYLES)

    def line(self, text: str, *, align: str = "justify", bold: bool = False, raw: bool = False) -> str:
        """One paragraph; `raw` text is HTML already."""
        inside = text if raw else self._text(text)
        if self._style == "paragraphs":
            inside = f"<b>{inside}</b>" if bold else inside
            return f'<p style="{_P}; text-align: {align}">{inside}</p>\n'
        weight = 700 if bold else 400
        return (f'<div style="text-align:{align}"><span style="{_SPAN};font-weight:{weight}">{inside}</span></div>'
                '<div><span><br/></span></div>')

    def lines(self, text: str) -> str:
        """A paragraph for each line of `text`."""
        return "".join(self.line(part) for part in text.split("\n"))

    def blank(self) -> str:
        """An empty line."""
        return f'<p style="{_P}">&#160;</p>\n' if self._style == "paragraphs" else "<div><span><br/></span></div>"

    def item(self, number: str, title: str) -> str:
        """The heading of an item: in one line, broken after the word, or in the cells of a table."""
        title = escape(title, quote=False)
        match self._random.randrange(4):
            case 0:
                return self.line(f"Item&#160;{number}. {title}.", align="left", bold=True, raw=True)
            case 1:
                return self.line(f"Item<br/>\n{number}&nbsp;&nbsp;{title}", align="left", bold=True, raw=True)
            case 2:
                return self.line(f"ITEM&nbsp;{number}&#8195;{title.upper().replace('&AMP;', '&amp;')}.", align="left",
                                 bold=True, raw=True)
            case _:
                return ('<table cellpadding="0" cellspacing="0" style="font: 10pt Times New Roman; width: 100%"><tr '
                        f'style="vertical-align: top"><td style="width: 0.9in"><b>Item {number}.</b></td><td><b>'
                        f"{title}.</b></td></tr></table>\n")

    def table(self, rows: Sequence[Sequence[str]]) -> str:
        """A table with the spacer cells and separate currency signs of agents; the first row is the head."""
        body = []
        for index, row in enumerate(rows):
            cells = []
            for position, cell in enumerate(row):
                bold = index == 0 and cell
                text = f"<b>{self._text(cell)}</b>" if bold else self._text(cell)
                if cell.startswith("$") and position:
                    cells.append(f'<td>&#160;</td><td style="text-align: left">$</td><td style="text-align: right">'
                                 f"{text[1:]}</td><td>&#160;</td>")
                elif position:
                    cells.append('<td>&#160;</td><td colspan="2" style="text-align: center">'
                                 f"{text}</td><td>&#160;</td>")
                else:
                    cells.append(f'<td style="width: 56%; text-align: left">{text}</td>')
            shade = "background-color: #CCEEFF" if index % 2 else "background-color: White"
            body.append(f'<tr style="vertical-align: bottom; {shade}">{"".join(cells)}</tr>\n')
        return ('<table cellpadding="0" cellspacing="0" style="font: 10pt Times New Roman, Times, Serif; width: 100%; '
                f'border-collapse: collapse">\n{"".join(body)}</table>\n')

    def _text(self, text: str) -> str:
        """Escaped, some characters as numbers, and now and then a hard blank in a sum or a date."""
        text = escape(text, quote=False).replace("’", "&#8217;").replace("“", "&#8220;").replace("”", "&#8221;")
        if self._style == "spans":
            text = text.replace(" million", "&#160;million").replace("$ ", "$&#160;")
        return text


def document(title: str, body: str) -> bytes:
    """A whole HTML document."""
    return (f"<html>\n<head>\n<title>{escape(title, quote=False)}</title>\n"
            '<meta http-equiv="Content-Type" content="text/html"/>\n</head>\n'
            f'<body style="font: 10pt Times New Roman, Times, Serif">\n{body}</body>\n</html>\n'
            ).encode("ascii", "xmlcharrefreplace")


def inline_xbrl(title: str, body: str) -> bytes:
    """A whole document that carries inline XBRL: XHTML with a hidden header in front of what is read."""
    text = document(title, body).decode().replace("<br>", "<br/>").partition("<html>")[2]
    hidden = ('<div style="display: none"><ix:header><ix:hidden><ix:nonNumeric contextRef="c-1" '
              'name="dei:AmendmentFlag" id="f-1">false</ix:nonNumeric></ix:hidden></ix:header></div>\n')
    head, body_tag, rest = text.partition('<body style="font: 10pt Times New Roman, Times, Serif">')
    return ("<?xml version='1.0' encoding='ASCII'?>\n"
            '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL" '
            'xmlns:dei="http://xbrl.sec.gov/dei/2025">' + head + body_tag + hidden + rest).encode()


def exhibit(kind: str, number: int, file: str, description: str, body: bytes) -> bytes:
    """An HTML document as EDGAR serves it when it has no inline XBRL: in its SGML block."""
    return wrap(kind, number, file, description, body)


def report_cover(hand: Hand, company: Company, date_text: str, file_number: str) -> str:
    """The first page of a Form 8-K."""
    centre = [("UNITED STATES", True), ("SECURITIES AND EXCHANGE COMMISSION", True), ("Washington, D.C. 20549", False),
              ("FORM 8-K", True), ("CURRENT REPORT", True),
              ("Pursuant to Section 13 or 15(d) of the Securities Exchange Act of 1934", False),
              (f"Date of Report (Date of earliest event reported): {date_text}", True), (company.legal.upper(), True),
              ("(Exact name of registrant as specified in its charter)", False)]
    page = "".join(hand.line(text, align="center", bold=bold) for text, bold in centre)
    page += hand.table([("Delaware", file_number, f"{company.cik % 100:02}-{company.cik % 10_000_000:07}"),
                        ("(State or other jurisdiction of incorporation)", "(Commission File Number)",
                         "(IRS Employer Identification No.)")])
    page += hand.line("Check the appropriate box below if the Form 8-K filing is intended to simultaneously satisfy "
                      "the filing obligation of the registrant under any of the following provisions:")
    page += "".join(hand.line(f"&#9744;&#160;&#160;{escape(box)}", raw=True) for box in _BOXES)
    page += hand.line("Securities registered pursuant to Section 12(b) of the Act:", align="left")
    page += hand.table([("Title of each class", "Trading Symbol(s)", "Name of each exchange on which registered"),
                        ("Common Stock, par value $0.001 per share", company.ticker, exchange_name(company))])
    page += hand.line("Indicate by check mark whether the registrant is an emerging growth company as defined in Rule "
                      "405 of the Securities Act of 1933 or Rule 12b-2 of the Securities Exchange Act of 1934. "
                      "Emerging growth company &#9744;".replace("&#9744;", "☐"))
    return page + '<hr style="page-break-after: always"/>\n'


def exchange_name(company: Company) -> str:
    """The exchange as covers name it."""
    if company.exchange.lower() == "nasdaq":
        return "The Nasdaq Stock Market LLC"
    return "NYSE American LLC" if company.exchange == "NYSE American" else "New York Stock Exchange"


def signature(hand: Hand, company: Company, date_text: str, person: str) -> str:
    """The last page: who signed."""
    return (hand.line("SIGNATURES", align="center", bold=True)
            + hand.line("Pursuant to the requirements of the Securities Exchange Act of 1934, the registrant has duly "
                        "caused this report to be signed on its behalf by the undersigned hereunto duly authorized.")
            + hand.line(company.legal, align="left", bold=True) + hand.line(f"Date: {date_text}", align="left")
            + hand.line(f"By: /s/ {person}", align="left") + hand.line(f"{person}, Chief Executive Officer",
                                                                      align="left"))
