"""What every actor needs, imported once in the fork server, so that a start costs a fork and no imports.

Imports only: nothing here may start a thread, open a file or make a ZeroMQ context. A test asserts in a started actor
that these modules came from the fork server, because a preload that fails does so in silence.
"""

import encodings.utf_8_sig
import gc
import logging.handlers
import sqlite3

import certifi
import dotenv
import msgpack
import msgspec
import psutil
import setproctitle
import urllib3
import zmq

import catalyst.runtime.run

__all__ = ["catalyst", "certifi", "dotenv", "encodings", "logging", "msgpack", "msgspec", "psutil", "setproctitle",
           "sqlite3", "urllib3", "zmq"]

gc.freeze()  # objects of here are never looked at by the collector, so their pages stay shared between the actors
