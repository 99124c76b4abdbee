//! Operations that a schedule calls to work through every org.

use super::{context::Context, declared::Declared};
use crate::failure::Failure;

/// One call of a job over every org. The answer has a cursor until the job is complete, and the next call continues
/// there. A job is called by its schedule and by the deployment only.
pub trait JobOperation: Declared {
    /// Works until the time of the call is over or the job is complete.
    fn run(context: &Context, request: Self::Request) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}
