"""The actors' modules, the bundled rule table and weights, read once in the fork server (see
catalyst/runtime/preload.py).
"""

import gc

import actors.alerter
import actors.charter
import actors.classifier
import actors.fetcher
import actors.market
import actors.sec
import actors.tracker
import actors.web
from catalyst.clients.files import bundled_rules, load_sentiment

__all__ = ["actors"]

bundled_rules()
load_sentiment()
gc.freeze()  # see there
