//! The documents name files, sections and make targets that exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use harness::root;

use super::source::text;

/// The Markdown files of the project.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let own = entries.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        !name.starts_with('.') && name != "target"
    });
    own.flat_map(|path| if path.is_dir() { documents(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The anchors of a document, as GitHub forms them from headings.
fn anchors(document: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(document).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|char| char.is_alphanumeric() || [' ', '-', '_'].contains(char));
        kept.map(|char| if char == ' ' { '-' } else { char }).collect::<String>()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_make_target_that_a_document_names_exists() {
    let makefile = text("Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(names, _)| names.split(' '))
        .collect();
    let mut named = 0;
    for document in documents(&root()) {
        for after in fs::read_to_string(&document).unwrap().split("`make ").skip(1) {
            let words = after.split('`').next().unwrap().split_whitespace();
            for target in words.take_while(|word| word.chars().all(|char| char.is_ascii_lowercase() || char == '-')) {
                assert!(targets.contains(target), "{}: make {target}", document.display());
                named += 1;
            }
        }
    }
    assert!(named > 20, "only {named}");
}

/// Whether text in backticks is meant as a path of the repository.
fn is_path(text: &str) -> bool {
    let is_plain = text.chars().all(|char| char.is_ascii_alphanumeric() || "/._-".contains(char));
    let begins_in_repository =
        ["functions/", "shared/", "infra/", "tests/"].iter().any(|folder| text.starts_with(folder));
    is_plain && begins_in_repository
}

#[test]
fn every_path_that_a_document_names_exists() {
    let (mut named, mut missing) = (0, Vec::new());
    for document in documents(&root()) {
        let text = fs::read_to_string(&document).unwrap();
        for path in text.split('`').skip(1).step_by(2).filter(|text| is_path(text)) {
            named += 1;
            if !root().join(path).exists() {
                missing.push(format!("{} names {path}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(named > 80, "only {named}");
}

/// The paths in backticks of a Markdown text, with a group such as `{a,b}.rs` as one path for each of its names.
fn expanded(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let (group, after) = rest.split_once('}').unwrap();
    group.split(',').map(|name| format!("{before}{name}{after}")).collect()
}

#[test]
fn every_file_that_a_how_to_list_names_exists_in_some_function() {
    let text = text("CONTRIBUTING.md");
    let section = text.split_once("\n## How to add\n").unwrap().1.split_once("\n## ").unwrap().0;
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 8, "{rows:?}");
    let mut missing = Vec::new();
    for row in rows {
        let paths: Vec<_> =
            row.split('`').skip(1).step_by(2).filter(|text| text.contains('/')).flat_map(expanded).collect();
        assert!(!paths.is_empty(), "{row}");
        for path in paths {
            let path = path.replace("<name>", "points-award");
            missing.extend((!root().join(&path).exists()).then_some(path));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_link_of_a_document_leads_to_a_file_and_a_heading() {
    let (mut followed, mut broken) = (0, Vec::new());
    for document in documents(&root()) {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).map(|after| after.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            followed += 1;
            if !target.exists() || anchor.is_some_and(|anchor| !anchors(&target).contains(anchor)) {
                broken.push(format!("{} links to {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(followed > 40, "only {followed}");
}
