-- The ledger, version 1. Instants are nanoseconds since 1970 unless a column says otherwise.
-- "Heli" in the header, so that nobody takes another program's database for a ledger.
PRAGMA application_id = 1214606441;

-- One row: when the ledger was created, and the last sequence number that was given out.
CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    created INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

-- Channel names become small numbers. poll is the PollState as JSON; live repeats whether it has live_since.
CREATE TABLE channel (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    live INTEGER NOT NULL DEFAULT 0,
    poll TEXT NOT NULL DEFAULT '{}'
) STRICT;

-- Clustered in the order in which entries are read: the latest 50 of a channel are one short range.
-- published: milliseconds. number: the sequence number at which it was born. standing: 0 live, 1 snapshot.
-- body: the Entry as JSON.
CREATE TABLE entry (
    channel INTEGER NOT NULL REFERENCES channel (number),
    published INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (channel, published DESC, number DESC)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entry_number ON entry (number);
CREATE UNIQUE INDEX entry_id ON entry (channel, id);

-- Evidence of identity. kind: 0 guid, 1 link, 2 title and day. A guid or a link has one holder.
CREATE TABLE key (
    channel INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    value TEXT NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (channel, kind, value, entry)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX key_holder ON key (channel, kind, value) WHERE kind < 2;
CREATE INDEX key_entry ON key (entry);

-- The validators and the state of each address.
CREATE TABLE fetch_state (
    url TEXT PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- When each document's bytes were first published, in seconds.
CREATE TABLE stamp (
    document TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    modified INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
