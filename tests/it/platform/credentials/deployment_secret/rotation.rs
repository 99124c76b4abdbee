//! The secrets that are accepted, and when the next read is due.

use std::time::Duration;

use shared::{
    auth::{PREVIOUS_SECRET_TTL, READ_INTERVAL_MIN, SECRET_MAX_AGE, SecretCheck, SecretRotation},
    clock::{self},
};

use super::support::{NEW, OLD, just_before, presented, secret, secs};

#[test]
fn the_current_secret_is_valid_and_the_previous_one_for_ten_minutes() {
    let start = clock::monotonic();
    let mut rotation = SecretRotation::default();
    let known = |rotation: &SecretRotation, text, after| rotation.check(&presented(text), start + after).is_accepted;
    assert!(!known(&rotation, OLD, secs(0)));
    rotation.complete_read(secret(OLD), None, None, start);
    rotation.complete_read(secret(NEW), Some(secs(0)), Some(secret(OLD)), start + secs(100));
    // A second read of the same secret does not extend the ten minutes.
    rotation.complete_read(secret(NEW), Some(secs(300)), None, start + secs(400));
    for (text, after, is_accepted) in [
        (OLD, secs(100), true),
        (OLD, just_before(secs(100) + PREVIOUS_SECRET_TTL), true),
        (OLD, secs(100) + PREVIOUS_SECRET_TTL, false),
        (NEW, secs(100), true),
        (NEW, Duration::from_hours(24 * 365), true),
        ("another", secs(100), false),
    ] {
        assert_eq!(known(&rotation, text, after), is_accepted, "{text} after {after:?}");
    }
}

#[test]
fn a_new_process_counts_ten_minutes_from_the_creation_of_the_current_secret() {
    let start = clock::monotonic();
    for (age, left) in [
        (Some(secs(0)), Some(secs(600))),
        (Some(secs(599)), Some(secs(1))),
        (Some(secs(600)), None),
        (Some(Duration::MAX), None),
        (None, None),
    ] {
        let mut rotation = SecretRotation::default();
        assert_eq!(rotation.needs_previous(&secret(NEW), age), left.is_some(), "{age:?}");
        rotation.complete_read(secret(NEW), age, Some(secret(OLD)), start);
        let known = |after| rotation.check(&presented(OLD), start + after).is_accepted;
        assert_eq!(known(secs(0)), left.is_some(), "{age:?}");
        assert!(!known(left.unwrap_or_default()), "{age:?}");
        assert!(left.is_none_or(|left| known(just_before(left))), "{age:?}");
    }
}

#[test]
fn two_rotations_invalidate_a_secret() {
    let start = clock::monotonic();
    let known = |rotation: &SecretRotation| {
        [OLD, "between", NEW].map(|text| rotation.check(&presented(text), start).is_accepted)
    };
    let mut missed_one = SecretRotation::default();
    missed_one.complete_read(secret(OLD), None, None, start);
    missed_one.complete_read(secret(NEW), Some(secs(0)), Some(secret("between")), start);
    assert_eq!(known(&missed_one), [false, true, true]);
    let mut saw_both = SecretRotation::default();
    saw_both.complete_read(secret(OLD), None, None, start);
    saw_both.complete_read(secret("between"), None, None, start);
    assert_eq!(known(&saw_both), [true, true, false], "what is not told is what was known");
    saw_both.complete_read(secret(NEW), None, Some(secret("between")), start);
    assert_eq!(known(&saw_both), [false, true, true]);
}

#[test]
fn the_next_read_of_the_secret_depends_on_the_presented_secret() {
    let start = clock::monotonic();
    let is_due = |rotation: &SecretRotation, text, after| rotation.check(&presented(text), start + after).is_read_due;
    let mut rotation = SecretRotation::default();
    assert!(is_due(&rotation, OLD, secs(0)));
    rotation.begin_read(SecretCheck { is_accepted: false, is_read_due: true }, start);
    assert_eq!(
        [secs(0), READ_INTERVAL_MIN].map(|after| is_due(&rotation, OLD, after)),
        [false, true],
        "it was not answered"
    );

    rotation.complete_read(secret(OLD), None, None, start);
    let last = just_before(SECRET_MAX_AGE);
    assert_eq!(
        [secs(0), READ_INTERVAL_MIN, last, SECRET_MAX_AGE].map(|after| is_due(&rotation, OLD, after)),
        [false, false, false, true]
    );
    assert!(is_due(&rotation, NEW, secs(0)), "the first read was for nobody who was unknown");
    rotation.begin_read(SecretCheck { is_accepted: false, is_read_due: true }, start + secs(1));
    let unknown = [secs(1), just_before(secs(1) + READ_INTERVAL_MIN), secs(1) + READ_INTERVAL_MIN];
    assert_eq!(unknown.map(|after| is_due(&rotation, NEW, after)), [false, false, true]);

    rotation.begin_read(SecretCheck { is_accepted: true, is_read_due: true }, start + SECRET_MAX_AGE);
    assert_eq!(
        [SECRET_MAX_AGE, SECRET_MAX_AGE + READ_INTERVAL_MIN].map(|after| is_due(&rotation, OLD, after)),
        [false, true],
        "nor was this"
    );
    assert!(is_due(&rotation, NEW, SECRET_MAX_AGE), "what is known holds nobody up who is not");
}
