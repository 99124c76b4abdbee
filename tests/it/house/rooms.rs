//! The rooms of `shared`, and the tables that list rooms.

use std::collections::{BTreeMap, BTreeSet};

use harness::root;

use super::{
    modules::Modules,
    source::{declared_modules, quoted, table},
};

/// The rooms of `shared`, each with the rooms that it may import.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let rows = table("shared/src/lib.rs", "room | what it is | may import |");
    let room = |row: Vec<String>| {
        // The last cell of the rules names libraries: see `domain.rs`.
        let may_import = if row[0] == "[`domain`]" { "" } else { &row[2] };
        let may_import = may_import.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        (quoted(&row[0]).remove(0), may_import)
    };
    rows.into_iter().map(room).collect()
}

#[test]
fn the_table_of_shared_lists_every_room_and_no_other() {
    let rooms = rooms();
    let named: BTreeSet<String> = rooms.keys().cloned().collect();
    assert_eq!(named, declared_modules("shared/src/lib.rs"));
    for (room, may_import) in &rooms {
        assert!(may_import.is_subset(&named), "{room} may import {may_import:?}");
    }
}

#[test]
fn every_room_of_shared_imports_only_the_rooms_that_the_table_allows() {
    let rooms = rooms();
    let modules = Modules::read(&root().join("shared/src"));
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (module, imported) in modules.imports() {
        // The crate root only declares rooms.
        let Some(room) = module.first() else { continue };
        let others: BTreeSet<String> =
            imported.iter().filter_map(|other| other.first()).filter(|other| *other != room).cloned().collect();
        let forbidden: Vec<_> = others.difference(&rooms[room]).collect();
        assert!(forbidden.is_empty(), "{} imports {forbidden:?}", modules.file(&module).display());
        used.entry(rooms.get_key_value(room).unwrap().0).or_default().extend(others);
    }
    for (room, may_import) in &rooms {
        assert_eq!(may_import, &used[room.as_str()], "the table allows {room} more than it imports");
    }
}

#[test]
fn the_tables_of_the_store_the_harness_and_the_tests_list_every_room_once() {
    for (file, header, column) in [
        ("shared/src/store/mod.rs", "to find | look in |", 1),
        ("tests/harness/lib.rs", "room | what it is |", 0),
        ("tests/it/main.rs", "to find | look in |", 1),
    ] {
        let rows = table(file, header);
        let named: Vec<String> = rows.iter().flat_map(|row| quoted(&row[column])).collect();
        let once: BTreeSet<String> = named.iter().cloned().collect();
        assert_eq!((&once, named.len()), (&declared_modules(file), once.len()), "{file}");
        assert!(rows.iter().flatten().all(|cell| !cell.is_empty()), "{file}");
    }
}
