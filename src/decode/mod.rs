//! Bytes → text: which charset, and which characters XML allows.
