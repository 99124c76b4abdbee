//! The local stack, as a program.
//!
//! | to find | look in |
//! |---|---|
//! | start, routes, errors, end | [`stack`] |
//! | the data file | [`data_file`] |
//! | requests from web pages | [`guard`] |
//! | web pages that may call | [`browsers`] |

mod browsers;
mod data_file;
mod guard;
mod stack;
