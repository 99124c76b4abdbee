//! Source files as text.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use harness::root;

/// The Rust files in a folder and below it.
pub(super) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// A file without its comments.
pub(super) fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The text of a file, named by its path in the repository.
pub(super) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the functions, by their folders.
pub(super) fn function_folders() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap().path());
    let folders = entries.filter(|path| path.is_dir());
    folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The modules that a file declares.
pub(super) fn declared_modules(file: &str) -> BTreeSet<String> {
    let code = code(&root().join(file));
    let named = code.lines().filter_map(|line| line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod "));
    named.filter_map(|name| name.strip_suffix(';')).map(str::to_owned).collect()
}

/// The rows, cell by cell, of the first table in the documentation of a file, which must have this header.
pub(super) fn table(file: &str, header: &str) -> Vec<Vec<String>> {
    let text = text(file);
    let mut rows = text.lines().filter_map(|line| line.strip_prefix("//! |"));
    assert_eq!(rows.next().map(str::trim_start), Some(header), "{file}");
    assert!(rows.next().is_some_and(|line| line.starts_with("---")), "{file}");
    rows.map(|row| row.trim_end_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The words in backticks.
pub(super) fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
