//! The test kit: an [`Origin`] that sources live on, a [`Site`] that is a Heliu in process, a [`Clock`]
//! that stands still until it is moved, and a [`portal`] in miniature.

pub(crate) mod clock;
pub(crate) mod exposition;
pub(crate) mod full;
pub(crate) mod origin;
pub(crate) mod portal;
pub(crate) mod site;

pub(crate) use clock::Clock;
pub(crate) use origin::{Answer, Origin};
pub(crate) use portal::{Article, Generation, Portal};
pub(crate) use site::Site;
