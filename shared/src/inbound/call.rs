//! One typed call: an operation, and its fields.

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

/// One typed call, however it came.
#[derive(Debug)]
pub struct Call {
    /// What is asked for.
    pub operation: &'static Operation,
    /// `If-None-Match: *`: create, don't replace.
    pub only_create: bool,
    /// Made by the function's schedule: nobody reads the answer.
    pub is_scheduled: bool,
    fields: Fields,
    faults: Vec<FieldError>,
    /// Orgs that were named beside the one in the fields.
    other_orgs: Vec<String>,
    ignores_unknown_fields: bool,
}

impl Call {
    /// A call by an event of the shop platform, whose other fields are nobody's business here.
    #[must_use]
    pub fn from_event(operation: &'static Operation, detail: Fields) -> Self {
        Self { ignores_unknown_fields: true, ..Self::from_fields(operation, detail) }
    }

    /// A call by the function's schedule.
    #[must_use]
    pub fn from_schedule(operation: &'static Operation) -> Self {
        Self { is_scheduled: true, ..Self::from_fields(operation, Fields::default()) }
    }

    /// A direct invocation with these fields: `operation` names one, or is left out where there is only one.
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

    /// A call of an HTTP request: `faults` were found while its fields were gathered, and `other_orgs` are the orgs that it
    /// names beside its fields.
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

    /// The org it names, readable or not.
    #[must_use]
    pub fn org(&self) -> Option<&str> {
        self.fields.get(ORG_ID)?.as_str()
    }

    /// The org it names, if it is an id: what is not is too long for a log.
    #[must_use]
    pub fn org_id(&self) -> Option<OrgId> {
        OrgId::try_from(self.org()?.to_owned()).ok()
    }

    /// Whether it was made by an event of the shop platform.
    #[must_use]
    pub const fn is_event(&self) -> bool {
        self.ignores_unknown_fields
    }

    /// Every org that it names, readable or not, wherever it does.
    pub fn orgs(&self) -> impl Iterator<Item = &str> + Clone {
        self.other_orgs.iter().map(String::as_str).chain(self.org())
    }

    /// The org that its cursor was given for, if it has a cursor that can be read.
    #[must_use]
    pub fn cursor_org(&self) -> Option<String> {
        if self.ignores_unknown_fields {
            return None;
        }
        cursor::decode_org(self.fields.get(CURSOR)?.as_str()?).filter(|org| !org.is_empty())
    }

    /// Reads the fields into a request: all faults at once, or none.
    pub fn read<T: FromFields>(self) -> Result<T, Rejection> {
        self.read_with(|_| Vec::new())
    }

    /// The same, with rules between fields, or of a field and what else is known: their faults are told with all others. They
    /// are asked what is wrong with fields that may be wrong by themselves.
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
