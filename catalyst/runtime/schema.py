"""The runtime's own tables, which every actor's database has: links, outbox, inbox, jobs, dead letters, incidents.

Schema steps as text; step N is never edited once released, a change is a new step.
"""

from __future__ import annotations

RUNTIME_STEPS: tuple[str, ...] = ("""
CREATE TABLE meta(
  key TEXT PRIMARY KEY,              -- epoch: random id of this database; open: 1 while a process has it open
  value) WITHOUT ROWID;

CREATE TABLE links_out(              -- as of some commit: the rows of outbox that came after tell the rest
  number INTEGER PRIMARY KEY,        -- of the link in the keys of outbox
  receiver TEXT NOT NULL UNIQUE,
  link_epoch BLOB NOT NULL,          -- random, new when a mismatch was settled
  next_seq INTEGER NOT NULL,         -- what the next queued message gets
  acked_seq INTEGER NOT NULL,
  hash BLOB NOT NULL,                -- after message next_seq - 1
  acked_hash BLOB NOT NULL);         -- after message acked_seq

CREATE TABLE links_in(               -- as of inbox row n: the rows of inbox that came after tell the rest
  sender TEXT PRIMARY KEY,
  peer_epoch BLOB NOT NULL,          -- of the sender's database
  link_epoch BLOB NOT NULL,
  last_seq INTEGER NOT NULL,         -- committed here
  hash BLOB NOT NULL,                -- after message last_seq
  n INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE outbox(
  n INTEGER PRIMARY KEY,             -- number of the link << 40 | seq: one tree for all that is asked of a link
  seq INTEGER GENERATED ALWAYS AS (n & 0xFFFFFFFFFF) VIRTUAL,
  receiver TEXT NOT NULL,
  id BLOB NOT NULL,                  -- message id
  item_id TEXT NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  body BLOB NOT NULL,
  hash BLOB NOT NULL,                -- of the link after this message
  queued_ms INTEGER NOT NULL,
  sent_ms INTEGER,                   -- of the sending that was acknowledged
  acked_ms INTEGER);

CREATE TABLE inbox(
  n INTEGER PRIMARY KEY,             -- order of arrival: retention goes from the front
  id BLOB NOT NULL UNIQUE,           -- message id: what is here was handled; its beginning is the item's: trace
  item_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  seq INTEGER NOT NULL,              -- on the link from the sender
  hash BLOB NOT NULL,                -- of the link after this message
  type TEXT NOT NULL,
  queued_ms INTEGER NOT NULL,        -- by the sender
  received_ms INTEGER NOT NULL,
  committed_ms INTEGER NOT NULL);

CREATE TABLE deferred(
  n INTEGER PRIMARY KEY,             -- messages of one order key are handled in this order
  id BLOB NOT NULL UNIQUE,
  item_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  body BLOB NOT NULL,
  order_key TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL,            -- failures so far; a wish to wait is none
  queued_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL);
CREATE INDEX deferred_key ON deferred(order_key, n);          -- who waits before me

CREATE TABLE jobs(
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: a job that is yielded again keeps its id
  kind TEXT NOT NULL,
  lane TEXT NOT NULL,
  key TEXT,                          -- at most one queued job of a kind and key
  priority REAL NOT NULL,
  item_id TEXT NOT NULL,
  payload BLOB NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('queued', 'running')),
  not_before_ms INTEGER NOT NULL,
  started_ms INTEGER,
  tries INTEGER NOT NULL,            -- starts so far
  queued_ms INTEGER NOT NULL);
CREATE UNIQUE INDEX jobs_key ON jobs(kind, key) WHERE key IS NOT NULL AND state = 'queued';  -- replacing
CREATE INDEX jobs_pick ON jobs(state, kind, lane, priority DESC, id);                        -- what to start next

CREATE TABLE lanes(
  lane TEXT PRIMARY KEY,
  open_ms INTEGER NOT NULL           -- no job of the lane starts before
) WITHOUT ROWID;

CREATE TABLE dead(
  n INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,           -- message id, or a hash of the job
  item_id TEXT NOT NULL,
  sender TEXT NOT NULL,              -- empty for a job
  type TEXT NOT NULL,                -- message type, or job:KIND
  version INTEGER NOT NULL,
  body BLOB NOT NULL,
  reason TEXT NOT NULL,
  traceback TEXT NOT NULL,
  dead_ms INTEGER NOT NULL);

CREATE TABLE incidents(
  n INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,                -- link_mismatch, ...
  subject TEXT NOT NULL,             -- peer or actor
  detail TEXT NOT NULL,
  at_ms INTEGER NOT NULL);
""", """
ALTER TABLE deferred ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;  -- after an unclean end: counted before the handler
ALTER TABLE jobs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;      -- processes that ended while it ran
""")
