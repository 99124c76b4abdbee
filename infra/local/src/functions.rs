//! The functions that the local stack hosts.

use shared::host::Function;

/// Every function there is. That these are the template's, and the folder's, is tested.
pub const FUNCTIONS: [Function; 8] = [
    bundle_transitions::FUNCTION,
    bundle_redemption::FUNCTION,
    points_award::FUNCTION,
    points_redemption::FUNCTION,
    tier_recalculation::FUNCTION,
    back_office::FUNCTION,
    churn_prediction::FUNCTION,
    weekly_report::FUNCTION,
];
