//! What a function can be asked to do, and by which kinds of call.

/// One thing that a function does. Its name is the `operation` of a direct invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Unique within its function.
    pub name: &'static str,
    /// The HTTP method it answers to; none for what is asked for otherwise alone.
    pub method: &'static str,
    /// The path it answers to, as `/orgs/{orgId}`: what is in braces becomes a field. Empty without a method.
    pub path: &'static str,
    /// The `detail-type` of the EventBridge event that asks for it.
    pub event: Option<&'static str>,
    /// Whether a schedule asks for it.
    pub scheduled: bool,
    /// Whether it is the deployment's alone to ask for, whatever key somebody holds.
    pub for_deployment: bool,
}

impl Operation {
    /// An operation by its HTTP route.
    #[must_use]
    pub const fn new(name: &'static str, method: &'static str, path: &'static str) -> Self {
        Self { name, method, path, event: None, scheduled: false, for_deployment: false }
    }

    /// An operation by its EventBridge event alone.
    #[must_use]
    pub const fn event_only(name: &'static str, detail_type: &'static str) -> Self {
        Self::new(name, "", "").on_event(detail_type)
    }

    /// Also asked for by an EventBridge event.
    #[must_use]
    pub const fn on_event(self, detail_type: &'static str) -> Self {
        Self { event: Some(detail_type), ..self }
    }

    /// Also asked for by a schedule, and otherwise by the deployment alone.
    #[must_use]
    pub const fn on_schedule(self) -> Self {
        Self { scheduled: true, for_deployment: true, ..self }
    }

    /// Asked for by the deployment alone.
    #[must_use]
    pub const fn for_deployment(self) -> Self {
        Self { for_deployment: true, ..self }
    }

    /// The fields that a path names, if it is this operation's.
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
