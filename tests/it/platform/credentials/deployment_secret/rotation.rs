//! The secrets that are accepted, and when the next read is due.

use std::time::Duration;

use shared::{
    auth::{PREVIOUS_SECRET_TTL, READ_INTERVAL_MIN, Rotation, SECRET_MAX_AGE, SecretCheck},
    clock::{self},
};

use super::support::{NEW, OLD, just_before, presented, secret, secs};

#[test]
fn what_is_accepted_is_the_current_secret_and_for_ten_minutes_the_one_before() {
    let start = clock::monotonic();
    let mut rotation = Rotation::default();
    let known = |rotation: &Rotation, text, after| rotation.look(&presented(text), start + after).is_known;
    assert!(!known(&rotation, OLD, secs(0)));
    rotation.learn(secret(OLD), None, None, start);
    rotation.learn(secret(NEW), Some(secs(0)), Some(secret(OLD)), start + secs(100));
    // A second read of the same secret does not extend the ten minutes.
    rotation.learn(secret(NEW), Some(secs(300)), None, start + secs(400));
    for (text, after, is_known) in [
        (OLD, secs(100), true),
        (OLD, just_before(secs(100) + PREVIOUS_SECRET_TTL), true),
        (OLD, secs(100) + PREVIOUS_SECRET_TTL, false),
        (NEW, secs(100), true),
        (NEW, Duration::from_hours(24 * 365), true),
        ("another", secs(100), false),
    ] {
        assert_eq!(known(&rotation, text, after), is_known, "{text} after {after:?}");
    }
}

#[test]
fn a_process_that_knew_none_counts_from_when_the_current_secret_was_made() {
    let start = clock::monotonic();
    for (age, left) in [
        (Some(secs(0)), Some(secs(600))),
        (Some(secs(599)), Some(secs(1))),
        (Some(secs(600)), None),
        (Some(Duration::MAX), None),
        (None, None),
    ] {
        let mut rotation = Rotation::default();
        assert_eq!(rotation.wants_previous(&secret(NEW), age), left.is_some(), "{age:?}");
        rotation.learn(secret(NEW), age, Some(secret(OLD)), start);
        let known = |after| rotation.look(&presented(OLD), start + after).is_known;
        assert_eq!(known(secs(0)), left.is_some(), "{age:?}");
        assert!(!known(left.unwrap_or_default()), "{age:?}");
        assert!(left.is_none_or(|left| known(just_before(left))), "{age:?}");
    }
}

#[test]
fn two_rotations_shut_a_secret_out() {
    let start = clock::monotonic();
    let known = |rotation: &Rotation| [OLD, "between", NEW].map(|text| rotation.look(&presented(text), start).is_known);
    let mut missed_one = Rotation::default();
    missed_one.learn(secret(OLD), None, None, start);
    missed_one.learn(secret(NEW), Some(secs(0)), Some(secret("between")), start);
    assert_eq!(known(&missed_one), [false, true, true]);
    let mut saw_both = Rotation::default();
    saw_both.learn(secret(OLD), None, None, start);
    saw_both.learn(secret("between"), None, None, start);
    assert_eq!(known(&saw_both), [true, true, false], "what is not told is what was known");
    saw_both.learn(secret(NEW), None, Some(secret("between")), start);
    assert_eq!(known(&saw_both), [false, true, true]);
}

#[test]
fn when_it_is_time_to_read_again_depends_on_what_is_shown() {
    let start = clock::monotonic();
    let is_due = |rotation: &Rotation, text, after| rotation.look(&presented(text), start + after).is_due;
    let mut rotation = Rotation::default();
    assert!(is_due(&rotation, OLD, secs(0)));
    rotation.ask(SecretCheck { is_known: false, is_due: true }, start);
    assert_eq!(
        [secs(0), READ_INTERVAL_MIN].map(|after| is_due(&rotation, OLD, after)),
        [false, true],
        "it was not answered"
    );

    rotation.learn(secret(OLD), None, None, start);
    let last = just_before(SECRET_MAX_AGE);
    assert_eq!(
        [secs(0), READ_INTERVAL_MIN, last, SECRET_MAX_AGE].map(|after| is_due(&rotation, OLD, after)),
        [false, false, false, true]
    );
    assert!(is_due(&rotation, NEW, secs(0)), "the first read was for nobody who was unknown");
    rotation.ask(SecretCheck { is_known: false, is_due: true }, start + secs(1));
    let unknown = [secs(1), just_before(secs(1) + READ_INTERVAL_MIN), secs(1) + READ_INTERVAL_MIN];
    assert_eq!(unknown.map(|after| is_due(&rotation, NEW, after)), [false, false, true]);

    rotation.ask(SecretCheck { is_known: true, is_due: true }, start + SECRET_MAX_AGE);
    assert_eq!(
        [SECRET_MAX_AGE, SECRET_MAX_AGE + READ_INTERVAL_MIN].map(|after| is_due(&rotation, OLD, after)),
        [false, true],
        "nor was this"
    );
    assert!(is_due(&rotation, NEW, SECRET_MAX_AGE), "what is known holds nobody up who is not");
}
