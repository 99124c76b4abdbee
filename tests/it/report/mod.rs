//! The weekly report.
//!
//! | to find | look in |
//! |---|---|
//! | figures, runs, messages | [`figures`] |

mod figures;
