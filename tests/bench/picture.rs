//! Draws `infra/demo.svg` from the output of the demonstration, which it reads from standard input.

use std::io::Read;

use anstyle_svg::Term;
use harness::root;

/// First words of the parts that the picture shows. A part ends before the next heading.
const SHOWN_PARTS: [&str; 6] = ["Loading", "Recalculated", "Churn", "A promotion week", "At checkout", "Refunds"];

/// First words of the lists that the picture leaves out: one is long, and the other holds addresses.
const LEFT_OUT: [&str; 2] = ["  other transitions", "  orgs, bundles"];

/// Bold text begins, and ends.
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// Number of columns that the picture shows of a line.
const COLUMNS: usize = 110;

/// Whether a line is a heading: text that is not indented.
fn is_heading(line: &str) -> bool {
    line.starts_with(char::is_alphabetic)
}

fn main() {
    let mut output = String::new();
    std::io::stdin().read_to_string(&mut output).unwrap();
    let mut shown = vec![format!("{BOLD}$ make run{PLAIN}")];
    let mut is_shown = false;
    for line in output.lines() {
        if is_heading(line) {
            is_shown = SHOWN_PARTS.iter().any(|part| line.starts_with(part));
        }
        is_shown = is_shown && !LEFT_OUT.iter().any(|list| line.starts_with(list));
        if is_shown {
            let line: String = line.chars().take(COLUMNS).collect();
            shown.push(if is_heading(&line) { format!("{BOLD}{line}{PLAIN}") } else { line });
        }
    }
    let missing = SHOWN_PARTS.iter().find(|part| !output.lines().any(|line| line.starts_with(**part)));
    assert_eq!(missing, None, "the output has no such part:\n{output}");
    std::fs::write(root().join("infra/demo.svg"), Term::new().render_svg(&shown.join("\n"))).unwrap();
}
