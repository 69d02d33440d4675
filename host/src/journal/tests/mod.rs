//! What the journal promises, seen from outside.
