//! Every alarm of the template is tested, and metric math works as documented.

use harness::{cloudwatch::CloudWatch, expression::Expression};

use super::services::CANARIES;

#[test]
fn every_alarm_of_the_template_has_a_test() {
    let tests = [include_str!("jobs.rs"), include_str!("services.rs"), include_str!("churn.rs")].concat();
    let canaries = CANARIES.map(|function| format!("{function}-failing"));
    for alarm in CloudWatch::default().alarm_names() {
        let is_set_off = |how: &str| tests.contains(&format!("monitored.{how}(\"{alarm}\""));
        let is_one_of_many = canaries.contains(&alarm.to_owned()) || alarm.ends_with("-dead-letters");
        assert!(is_one_of_many || (is_set_off("assert_raised") && is_set_off("assert_ok")), "{alarm}");
    }
}

#[test]
fn a_metric_expression_is_missing_if_a_metric_is_missing_unless_filled() {
    let of = |id: &str| match id {
        "three" => Some(3.0),
        "four" => Some(4.0),
        _ => None,
    };
    for (text, expected) in [
        ("three + four * 2 - 1", Some(10.0)),
        ("(three + four) * 2 / 4", Some(3.5)),
        ("three + nothing", None),
        ("FILL(nothing, 0) + three", Some(3.0)),
        ("three / (four - 4)", None),
        ("IF(three > four, three - four, 0)", Some(0.0)),
        ("IF(four > three, four - three, 0)", Some(1.0)),
        ("IF(nothing > 1, 1, 0)", None),
    ] {
        assert_eq!(Expression::parse(text).evaluate(&of), expected, "{text}");
    }
}
