-- The ledger, version 2: what is not shown like the rest. Entries without a row here are. Beside the entries and
-- not in them, so that their large rows are not written anew, and few rows are searched.
-- held: 1 while the entry is held back (no document shows it). withdrawn: when its source withdrew it, in
-- nanoseconds; absent: 1 if it was by leaving a complete feed and not by a tombstone.
CREATE TABLE aside (
    entry INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL REFERENCES channel (number),
    held INTEGER NOT NULL DEFAULT 0,
    withdrawn INTEGER,
    absent INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX aside_held ON aside (channel, entry) WHERE held = 1;
CREATE INDEX aside_withdrawn ON aside (channel, withdrawn DESC, entry DESC) WHERE withdrawn IS NOT NULL;
