//! The declaration of an operation: its name, and the calls that reach it.

/// An operation of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The name, unique within the function. It is the `operation` of a direct invocation.
    pub name: &'static str,
    /// The HTTP method of the route. Empty if the operation has no route.
    pub method: &'static str,
    /// The path of the route, such as `/orgs/{orgId}`. A segment in braces becomes a field. Empty without a method.
    pub path: &'static str,
    /// The `detail-type` of the EventBridge event that calls the operation.
    pub event: Option<&'static str>,
    /// Whether a schedule calls the operation.
    pub scheduled: bool,
    /// Whether the operation is rejected for callers with an org key.
    pub for_deployment: bool,
}

impl Operation {
    /// An operation with an HTTP route.
    #[must_use]
    pub const fn new(name: &'static str, method: &'static str, path: &'static str) -> Self {
        Self { name, method, path, event: None, scheduled: false, for_deployment: false }
    }

    /// An operation that only an EventBridge event calls.
    #[must_use]
    pub const fn event_only(name: &'static str, detail_type: &'static str) -> Self {
        Self::new(name, "", "").on_event(detail_type)
    }

    /// Adds an EventBridge event.
    #[must_use]
    pub const fn on_event(self, detail_type: &'static str) -> Self {
        Self { event: Some(detail_type), ..self }
    }

    /// Adds a schedule. Callers with an org key are rejected.
    #[must_use]
    pub const fn on_schedule(self) -> Self {
        Self { scheduled: true, for_deployment: true, ..self }
    }

    /// Rejects callers with an org key.
    #[must_use]
    pub const fn for_deployment(self) -> Self {
        Self { for_deployment: true, ..self }
    }

    /// The fields in a path, or `None` if the path is not the path of this operation.
    pub(super) fn match_path(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        if self.method.is_empty() {
            return None;
        }
        let (mut pattern, mut actual) = (self.path.split('/'), path.split('/'));
        let mut fields = Vec::new();
        loop {
            match (pattern.next(), actual.next()) {
                (None, None) => return Some(fields),
                (Some(pattern), Some(actual)) => {
                    match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                        Some(_) if actual.is_empty() => return None,
                        Some(name) => fields.push((name, percent_decode(actual))),
                        None if pattern == actual => {}
                        None => return None,
                    }
                }
                _ => return None,
            }
        }
    }
}

fn percent_decode(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
