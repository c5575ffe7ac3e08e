//! The `heliu` program.
fn main() {}
