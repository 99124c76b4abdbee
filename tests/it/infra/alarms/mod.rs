//! Every alarm of the template.
//!
//! | to find | look in |
//! |---|---|
//! | what sets an alarm off | [`jobs`] |

mod jobs;
