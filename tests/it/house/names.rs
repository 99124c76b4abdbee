//! One name a concept: names that were given up do not come back.

use std::collections::{BTreeMap, BTreeSet};

use harness::root;

use super::source::{code, rust_files};

/// Identifiers of earlier releases. The glossary in `CONTRIBUTING.md` has the terms in use.
const GIVEN_UP: [&str; 60] = [
    "settle",
    "settle_one",
    "Upkeep",
    "upkeep",
    "rezone",
    "RezoneMark",
    "Claim",
    "claim_order",
    "OrderMark",
    "order_mark",
    "AwardStory",
    "RefundStory",
    "SpendingStory",
    "RedemptionStory",
    "award_story",
    "Spent",
    "Spending",
    "spendings",
    "unspend",
    "Happening",
    "Standing",
    "StandsAt",
    "Person",
    "Counting",
    "move_bundle",
    "keep_churn",
    "Past",
    "Judged",
    "judging",
    "GotOn",
    "gets_on",
    "got_on",
    "or_stop",
    "unless_none_was_written",
    "org_now",
    "org_anew",
    "org_still",
    "KeySource",
    "Place",
    "after_place",
    "measuring",
    "reporting",
    "scoring",
    "height_of",
    "settled_rules",
    "settled_by",
    "A_LITTLE",
    "ENOUGH",
    "COURTESY",
    "PATIENCE",
    "MARGIN",
    "filtered",
    "Readable",
    "ToldForm",
    "TOLD",
    "put_told",
    "create_told",
    "Complaint",
    "patiently",
    "AT_REST",
];

#[test]
fn the_code_contains_no_retired_names() {
    let old: BTreeSet<&str> = GIVEN_UP.into_iter().collect();
    assert_eq!(old.len(), GIVEN_UP.len());
    let mut found = BTreeMap::new();
    for folder in ["shared", "functions", "infra", "tests"] {
        for file in rust_files(&root().join(folder)).into_iter().filter(|file| !file.ends_with("house/names.rs")) {
            let code = code(&file);
            let words = code.split(|char: char| !char.is_alphanumeric() && char != '_');
            let words: BTreeSet<String> = words.filter(|word| old.contains(word)).map(str::to_owned).collect();
            if !words.is_empty() {
                found.insert(file, words);
            }
        }
    }
    assert!(found.is_empty(), "names that were given up: {found:#?}");
}
