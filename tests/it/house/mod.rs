//! The repository: imports, layout and names agree with what the documents say.

mod api;
mod circles;
mod documents;
mod domain;
mod functions;
mod layout;
mod modules;
mod names;
mod packages;
mod rooms;
mod source;
