//! One typed call: an operation with its fields.

use super::{
    cursor,
    fields::{CURSOR, FieldErrors, FromFields, ORG_ID},
    json::{Fields, Json},
    operation::Operation,
};
use crate::domain::{
    ids::OrgId,
    rejection::{FieldError, Rejection},
};

/// One typed call, from any entry point.
#[derive(Debug)]
pub struct Call {
    /// The operation.
    pub operation: &'static Operation,
    /// The request has `If-None-Match: *`: it may create but not replace.
    pub only_create: bool,
    /// The function's schedule made the call, so the answer is discarded.
    pub is_scheduled: bool,
    fields: Fields,
    faults: Vec<FieldError>,
    /// Orgs that the request names in addition to the org in its fields.
    other_orgs: Vec<String>,
    ignores_unknown_fields: bool,
}

impl Call {
    /// A call by an event of the shop platform. Fields that the operation does not know are ignored.
    #[must_use]
    pub fn from_event(operation: &'static Operation, detail: Fields) -> Self {
        Self { ignores_unknown_fields: true, ..Self::from_fields(operation, detail) }
    }

    /// A call by the function's schedule, without fields.
    #[must_use]
    pub fn from_schedule(operation: &'static Operation) -> Self {
        Self { is_scheduled: true, ..Self::from_fields(operation, Fields::default()) }
    }

    /// A call by a direct invocation. The field `operation` names the operation. It is optional if there is only one.
    pub fn from_direct(operations: &[&'static Operation], mut fields: Fields) -> Result<Self, Rejection> {
        let operation = match (fields.remove("operation"), operations) {
            (Some(Json::Text(name)), _) => operations.iter().find(|operation| operation.name == name),
            (None, [only]) => Some(only),
            _ => None,
        };
        let names: Vec<_> = operations.iter().map(|operation| operation.name).collect();
        let operation =
            operation.ok_or_else(|| Rejection::invalid("operation", format!("must be one of {}", names.join(", "))))?;
        Ok(Self::from_fields(operation, fields))
    }

    /// A call by an HTTP request. `faults` were detected while the fields were collected. `other_orgs` are orgs that
    /// the request names in addition to the org in its fields.
    pub(super) fn from_request(
        operation: &'static Operation,
        fields: Fields,
        only_create: bool,
        faults: Vec<FieldError>,
        other_orgs: Vec<String>,
    ) -> Self {
        Self { only_create, faults, other_orgs, ..Self::from_fields(operation, fields) }
    }

    const fn from_fields(operation: &'static Operation, fields: Fields) -> Self {
        let faults = Vec::new();
        let other_orgs = Vec::new();
        Self {
            operation,
            only_create: false,
            is_scheduled: false,
            fields,
            faults,
            other_orgs,
            ignores_unknown_fields: false,
        }
    }

    /// The text in the field `orgId`, valid or not.
    #[must_use]
    pub fn org(&self) -> Option<&str> {
        self.fields.get(ORG_ID)?.as_str()
    }

    /// The org in the field `orgId`, if the id is valid. An invalid id may be too long for a log line.
    #[must_use]
    pub fn org_id(&self) -> Option<OrgId> {
        OrgId::try_from(self.org()?.to_owned()).ok()
    }

    /// Whether an event of the shop platform made the call.
    #[must_use]
    pub const fn is_event(&self) -> bool {
        self.ignores_unknown_fields
    }

    /// Every org that the request names in its path, query or body, valid or not.
    pub fn orgs(&self) -> impl Iterator<Item = &str> + Clone {
        self.other_orgs.iter().map(String::as_str).chain(self.org())
    }

    /// The org that the cursor was issued for, if the call has a valid cursor.
    #[must_use]
    pub fn cursor_org(&self) -> Option<String> {
        if self.ignores_unknown_fields {
            return None;
        }
        cursor::decode_org(self.fields.get(CURSOR)?.as_str()?).filter(|org| !org.is_empty())
    }

    /// Decodes the fields into a request, or reports every fault.
    pub fn read<T: FromFields>(self) -> Result<T, Rejection> {
        self.read_with(|_| Vec::new())
    }

    /// Decodes the fields into a request, and checks additional rules, such as rules that involve several fields. The
    /// faults of these rules are reported together with the faults of single fields.
    ///
    /// `cross_field_errors` also receives fields that are invalid by themselves.
    pub fn read_with<T: FromFields>(
        self,
        cross_field_errors: impl FnOnce(&Fields) -> Vec<FieldError>,
    ) -> Result<T, Rejection> {
        let Self { mut fields, mut faults, ignores_unknown_fields, .. } = self;
        faults.extend(cross_field_errors(&fields));
        let mut result = T::read(&fields);
        if let (true, Err(errors)) = (ignores_unknown_fields, &result) {
            errors.unknown_names().for_each(|name| drop(fields.remove(name)));
            result = T::read(&fields);
        }
        match result {
            Ok(request) if faults.is_empty() => Ok(request),
            Ok(_) => Err(FieldErrors::from(faults).into()),
            Err(errors) => Err(errors.prepend(faults).into()),
        }
    }
}
