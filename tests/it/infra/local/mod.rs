//! The local stack.
//!
//! | to find | look in |
//! |---|---|
//! | start, routes, end | [`stack`] |
//! | its data file | [`data_file`] |
//! | requests from web pages | [`guard`] |

mod data_file;
mod guard;
mod stack;
