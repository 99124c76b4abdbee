//! Items written by another version.
//!
//! | to find | look in |
//! |---|---|
//! | attributes that survive every write | [`writes`] |

mod writes;
