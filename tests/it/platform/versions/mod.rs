//! Items and cursors of another version.
//!
//! | to find | look in |
//! |---|---|
//! | attributes that survive every write | [`writes`] |
//! | records and cursors of an unknown kind | [`unknown_kinds`] |
//! | points with dates beside a version that knows none | [`lots`] |
//! | items that the release before points with dates stored | [`stored_items`] |
//! | helpers of these tests | [`support`] |

mod lots;
mod stored_items;
mod support;
mod unknown_kinds;
mod writes;
