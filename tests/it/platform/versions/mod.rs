//! Items and cursors of another version.
//!
//! | to find | look in |
//! |---|---|
//! | attributes that survive every write | [`writes`] |
//! | records and cursors of an unknown kind | [`unknown_kinds`] |
//! | points with dates beside a version that knows none | [`lots`] |
//! | helpers of these tests | [`support`] |

mod lots;
mod support;
mod unknown_kinds;
mod writes;
