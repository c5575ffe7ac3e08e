//! How a channel is doing: what is usual for it, what state it is in, and which incidents the admin is told of.
//! Pure; `now` is an argument.
//!
//! | file | answers |
//! |---|---|
//! | `tally` | how many entries of a page carry a date, an image, a summary, a source |
//! | `usual` | what the channel is usually like, and whether this poll is far from it |
//! | `state` | the one word for how the channel is doing |
//! | `incident` | when that becomes an incident, and when it is over |

mod incident;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod usual;

pub use incident::{Incident, Incidents};
pub use state::{Facts, State, state};
pub use tally::{Field, Tally};
pub use usual::{Sight, Usual, judge};
