//! The declaration of an operation: its name, and the calls that reach it.

use crate::domain::org_key::KeyScope;

/// The callers with org keys that may call an operation over HTTP. The deployment and IAM may call every operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Callers(&'static [KeyScope]);

impl Callers {
    /// No org key. Only the deployment may call the operation.
    pub const DEPLOYMENT: Self = Self(&[]);
    /// Keys with the scope `manage`.
    pub const MANAGE: Self = Self(&[KeyScope::Manage]);
    /// Keys with the scope `manage` or `read`, for an operation that changes nothing.
    pub const READ: Self = Self(&[KeyScope::Manage, KeyScope::Read]);
    /// Keys with the scope `manage` or `till`, for an operation of a checkout.
    pub const TILL: Self = Self(&[KeyScope::Manage, KeyScope::Till]);
    /// Keys of every scope, for an operation of a checkout that changes nothing.
    pub const READ_AND_TILL: Self = Self(&[KeyScope::Manage, KeyScope::Read, KeyScope::Till]);

    /// The scopes whose keys may call the operation.
    #[must_use]
    pub const fn scopes(self) -> &'static [KeyScope] {
        self.0
    }

    /// Whether only the deployment may call the operation.
    #[must_use]
    pub const fn is_deployment_only(self) -> bool {
        self.0.is_empty()
    }
}

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
    /// The org keys that may call the operation.
    pub callers: Callers,
}

impl Operation {
    /// An operation with an HTTP route, for the deployment and for keys with the scope `manage`.
    #[must_use]
    pub const fn new(name: &'static str, method: &'static str, path: &'static str) -> Self {
        Self { name, method, path, event: None, scheduled: false, callers: Callers::MANAGE }
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

    /// Adds a schedule. Only the deployment may call the operation.
    #[must_use]
    pub const fn on_schedule(self) -> Self {
        Self { scheduled: true, callers: Callers::DEPLOYMENT, ..self }
    }

    /// Sets the org keys that may call the operation. Without this, keys with the scope `manage` may.
    #[must_use]
    pub const fn callers(self, callers: Callers) -> Self {
        Self { callers, ..self }
    }

    /// Whether the fields outside the path are in the body of an HTTP request. Otherwise they are in its query.
    #[must_use]
    pub fn takes_body(&self) -> bool {
        matches!(self.method, "POST" | "PUT" | "PATCH")
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

impl AsRef<Self> for Operation {
    fn as_ref(&self) -> &Self {
        self
    }
}

fn percent_decode(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
