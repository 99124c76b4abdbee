//! The modules of a crate, and which module imports which: read from `use` lines and paths.
//!
//! An import through a re-export counts as an import of the module that defines the name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use regex_lite::Regex;

use super::source::{code, rust_files};

/// A module: the names on the way to it from the root of its crate.
pub(super) type Module = Vec<String>;

/// One crate.
pub(super) struct Modules {
    files: BTreeMap<Module, PathBuf>,
    facts: BTreeMap<Module, Facts>,
}

/// What one file says.
#[derive(Default)]
struct Facts {
    children: BTreeSet<String>,
    imports: Vec<Vec<String>>,
    re_exports: BTreeMap<String, Vec<String>>,
}

impl Modules {
    /// The crate whose sources are in this folder. Binaries beside a library are left out.
    pub(super) fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for file in rust_files(folder) {
            let relative = file.strip_prefix(folder).unwrap();
            let mut module: Module =
                relative.with_extension("").iter().map(|name| name.to_str().unwrap().to_owned()).collect();
            if module.first().is_some_and(|name| name == "bin") || module == ["main"] {
                continue;
            }
            if module.last().is_some_and(|name| name == "mod" || name == "lib") {
                module.pop();
            }
            files.insert(module, file);
        }
        let facts = files.iter().map(|(module, file)| (module.clone(), Facts::read(&code(file)))).collect();
        Self { files, facts }
    }

    /// Every module, with the modules of the crate that it imports.
    pub(super) fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let of = |(module, facts): (&Module, &Facts)| {
            let imported = facts.imports.iter().filter_map(|path| self.resolve(&self.absolute(module, path)?, 0));
            (module.clone(), imported.filter(|imported| imported != module).collect())
        };
        self.facts.iter().map(of).collect()
    }

    /// The file of a module.
    pub(super) fn file(&self, module: &Module) -> &Path {
        &self.files[module]
    }

    /// A path from the root of the crate; `None` for a path into another crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let (mut from, mut rest) = (module.clone(), path);
        match path[0].as_str() {
            "crate" => (from, rest) = (Vec::new(), &path[1..]),
            "self" | "super" => {
                while let Some(step) = rest.first().filter(|name| *name == "self" || *name == "super") {
                    if step == "super" {
                        from.pop();
                    }
                    rest = &rest[1..];
                }
            }
            name if self.facts[module].children.contains(name) => {}
            _ => return None,
        }
        from.extend(rest.iter().cloned());
        Some(from)
    }

    /// The module that defines what a path names.
    fn resolve(&self, path: &[String], depth: usize) -> Option<Module> {
        let known = (0..=path.len()).rev().find(|length| self.facts.contains_key(&path[..*length]))?;
        let module = path[..known].to_vec();
        let re_export = path.get(known).and_then(|name| self.facts[&module].re_exports.get(name));
        let Some(target) = re_export.filter(|_| depth < 8).and_then(|target| self.absolute(&module, target)) else {
            return Some(module);
        };
        self.resolve(&[&target[..], &path[known + 1..]].concat(), depth + 1)
    }
}

impl Facts {
    fn read(code: &str) -> Self {
        let child = Regex::new(r"(?m)^\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+);").unwrap();
        let import = Regex::new(r"(?m)^[ \t]*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);").unwrap();
        let children = child.captures_iter(code).map(|found| found[1].to_owned()).collect();
        let mut facts = Self { children, ..Self::default() };
        for found in import.captures_iter(code) {
            let leaves = leaves(&[], &found[2]);
            if found.get(1).is_some() {
                facts.re_exports.extend(leaves.into_iter().map(|(path, name)| (name, path)));
            } else {
                facts.imports.extend(leaves.into_iter().map(|(path, _)| path));
            }
        }
        facts.imports.extend(paths(&import.replace_all(code, ""), &facts.children));
        facts
    }
}

/// Each path of a `use` tree, with the name that it brings.
fn leaves(prefix: &[String], tree: &str) -> Vec<(Vec<String>, String)> {
    let tree = tree.trim();
    if let Some((path, group)) = tree.split_once('{').filter(|_| tree.ends_with('}')) {
        let prefix = [prefix, &names(path)].concat();
        return parts(&group[..group.len() - 1]).into_iter().flat_map(|part| leaves(&prefix, part)).collect();
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let mut path = [prefix, &names(path)].concat();
    if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
        path.pop();
    }
    let name = alias.map_or_else(|| path.last().cloned().unwrap_or_default(), str::to_owned);
    if path.is_empty() { Vec::new() } else { vec![(path, name)] }
}

/// The parts of a group, split at the commas that are not in a group within it.
fn parts(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn names(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The paths in code that begin in this crate.
fn paths(code: &str, children: &BTreeSet<String>) -> Vec<Vec<String>> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
    code.split(|char| !is_part(char))
        .map(|word| names(word.trim_matches(':')))
        .filter(|path| path.len() > 1)
        .filter(|path| ["crate", "super", "self"].contains(&path[0].as_str()) || children.contains(&path[0]))
        .collect()
}

/// The modules that import each other, directly or through others: each circle once.
pub(super) fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<Module>> {
    let reached = |from: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            for next in imports.get(&module).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<Module, BTreeSet<Module>> =
        imports.keys().map(|module| (module.clone(), reached(module))).collect();
    let mut circles: BTreeSet<Vec<Module>> = BTreeSet::new();
    for (module, all) in &reached {
        if all.contains(module) {
            circles.insert(all.iter().filter(|other| reached[*other].contains(module)).cloned().collect());
        }
    }
    circles.into_iter().collect()
}
