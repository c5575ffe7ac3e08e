-- The ledger, version 3: the attempts to poll a channel move out of its state into rows, so that a poll writes the
-- last of them and not fifty. number: counted from 1; slot: number modulo 50, so that each takes the place of the
-- one that is too old. at: nanoseconds.
CREATE TABLE attempt (
    channel INTEGER NOT NULL REFERENCES channel (number),
    slot INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    url TEXT NOT NULL,
    status INTEGER,
    millis INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (channel, slot)
) STRICT, WITHOUT ROWID;

-- They stood newest first, and there were at most 50: the oldest gets the number 1. The nanoseconds of an instant
-- are the digits behind the point, as many as there are.
INSERT INTO attempt (channel, slot, number, at, url, status, millis, changed, error)
SELECT channel.number,
    (json_array_length(channel.poll, '$.attempts') - one.key) % 50,
    json_array_length(channel.poll, '$.attempts') - one.key,
    unixepoch(one.value ->> '$.at') * 1000000000
        + CASE WHEN instr(one.value ->> '$.at', '.') = 0 THEN 0
          ELSE CAST(substr(rtrim(substr(one.value ->> '$.at', instr(one.value ->> '$.at', '.') + 1), 'Z') || '000000000', 1, 9) AS INTEGER) END,
    coalesce(one.value ->> '$.url', ''),
    one.value ->> '$.status',
    coalesce(one.value ->> '$.millis', 0),
    coalesce(one.value ->> '$.changed', 0),
    one.value ->> '$.error'
FROM channel, json_each(CASE WHEN json_valid(channel.poll) THEN channel.poll ELSE '{}' END, '$.attempts') AS one
WHERE one.key < 50 AND unixepoch(one.value ->> '$.at') IS NOT NULL;

UPDATE channel SET poll = json_remove(
    json_set(
        poll,
        '$.tries', json_array_length(poll, '$.attempts'),
        '$.last_attempt', json(poll -> '$.attempts[0]'),
        '$.failing_since', (
            SELECT one.value ->> '$.at' FROM json_each(poll, '$.attempts') AS one
            WHERE one.key < coalesce(
                (SELECT min(good.key) FROM json_each(poll, '$.attempts') AS good WHERE good.value ->> '$.error' IS NULL),
                50)
            ORDER BY one.key DESC LIMIT 1)),
    '$.attempts')
WHERE CASE WHEN json_valid(poll) THEN json_array_length(poll, '$.attempts') > 0 END;
UPDATE channel SET poll = json_remove(poll, '$.attempts')
WHERE CASE WHEN json_valid(poll) THEN json_type(poll, '$.attempts') IS NOT NULL END;
