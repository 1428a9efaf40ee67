"""The actors' modules and the bundled rule table, read once in the fork server (see catalyst/runtime/preload.py)."""

import gc

import actors.alerter
import actors.charter
import actors.classifier
import actors.fetcher
import actors.market
import actors.sec
import actors.tracker
import actors.web
from catalyst.clients.files import bundled_rules

__all__ = ["actors"]

bundled_rules()
gc.freeze()  # see there
