//! `make api`: writes the API documents into the repository.

use std::{fs, path::Path};

use anyhow::Context;

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (path, content) in api::files() {
        fs::write(root.join(&path), content).with_context(|| format!("cannot write {path}"))?;
    }
    Ok(())
}
