//! Operations that exist only in tests.

/// The request of an operation without fields.
#[declare::request]
pub struct NoFields {}

/// Declares an operation that exists only in a test. It may refuse with every code.
#[macro_export]
macro_rules! test_operation {
    ($name:ident, $operation:expr, |$context:ident| $handle:expr) => {
        struct $name;

        impl shared::host::Declared for $name {
            const OPERATION: shared::inbound::operation::Operation = $operation;
            const TAG: shared::host::Tag = shared::host::Tag::Jobs;
            const SUMMARY: &'static str = "Test";
            const DESCRIPTION: &'static str = "";
            const SUCCESS: &'static [shared::host::Success] = &[shared::host::Success::Done];
            const REFUSALS: &'static [shared::domain::rejection::RefusalCode] =
                shared::domain::rejection::RefusalCode::ALL;
            const METRICS: &'static [shared::telemetry::metric::Metric] = &[shared::telemetry::metric::Metric::Runs];

            type Request = $crate::declared::NoFields;
            type Answer = serde_json::Value;
        }

        impl shared::host::Handler for $name {
            async fn handle(
                $context: &shared::host::Context,
                _: $crate::declared::NoFields,
            ) -> Result<shared::host::Reply<serde_json::Value>, shared::failure::Failure> {
                $handle
            }
        }
    };
}
