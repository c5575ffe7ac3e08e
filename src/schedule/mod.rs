//! When a channel is due: intervals, hints of the source, backoff. Pure; `now` and chance are arguments.
