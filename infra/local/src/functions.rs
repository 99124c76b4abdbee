//! The functions that the local stack hosts.

use shared::host::Function;

/// Every function of the workspace. A test compares this list with the template and with the folders.
pub const FUNCTIONS: [Function; 9] = [
    bundle_transitions::FUNCTION,
    bundle_redemption::FUNCTION,
    points_award::FUNCTION,
    points_redemption::FUNCTION,
    points_expiry::FUNCTION,
    tier_recalculation::FUNCTION,
    back_office::FUNCTION,
    churn_prediction::FUNCTION,
    weekly_report::FUNCTION,
];
