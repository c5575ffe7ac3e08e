//! How a channel is doing: what is usual for it, what state it is in, and which incidents the admin is told of.
//! Pure; `now` is an argument.
//!
//! | file | answers |
//! |---|---|
//! | `tally` | how many entries of a page carry a date, an image, a summary, a source |
//! | `habit` | what its pages usually show, and whether one is far from it |
//! | `usual` | all that is usual for the channel, how often it brings something, and whether this poll is far from it |
//! | `state` | the one word for how the channel is doing |
//! | `incident` | when that becomes an incident, and when it is over |

mod habit;
mod incident;
#[cfg(test)]
mod incident_tests;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod usual;

pub use incident::{Incident, Incidents};
pub use state::{Facts, State, state};
pub use tally::{Field, Tally};
pub use usual::{Sight, Usual, judge};
