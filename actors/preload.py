"""The actors' modules, imported once in the fork server (see catalyst/runtime/preload.py)."""

import actors.alerter
import actors.classifier
import actors.fetcher
import actors.market
import actors.tracker

__all__ = ["actors"]
