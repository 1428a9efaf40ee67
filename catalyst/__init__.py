"""Catalyst: watches news wires and SEC filings and alerts a trader to catalysts."""

__version__ = "0.1.0"
