//! One typed call: an operation with its fields.

use super::{
    cursor,
    fields::{CURSOR, FieldErrors, FromFields, ORG_ID},
    json::{Fields, Json},
    operation::Operation,
};
use crate::domain::{
    ids::OrgId,
    org_key::KeyScope,
    rejection::{FieldError, Rejection},
};

/// The properties of a call besides its fields.
#[derive(Debug, Clone, Copy)]
pub struct CallInfo {
    /// The name of the operation.
    pub operation: &'static str,
    /// The request has `If-None-Match: *`: it may create but not replace.
    pub only_create: bool,
    /// The function's schedule made the call, so the answer is discarded.
    pub is_scheduled: bool,
    /// An event of the shop platform made the call. Fields that the operation does not know are ignored.
    pub is_event: bool,
    /// The scope of the org key that the caller presented. `None` for the deployment and IAM.
    pub scope: Option<KeyScope>,
}

/// One typed call, from any entry point.
#[derive(Debug)]
pub struct Call {
    /// The properties besides the fields.
    pub info: CallInfo,
    fields: Fields,
    faults: Vec<FieldError>,
    /// Orgs that the request names in addition to the org in its fields.
    other_orgs: Vec<String>,
}

impl Call {
    /// A call by an event of the shop platform. Fields that the operation does not know are ignored.
    #[must_use]
    pub fn from_event(operation: &Operation, detail: Fields) -> Self {
        let mut call = Self::from_fields(operation, detail);
        call.info.is_event = true;
        call
    }

    /// A call by the function's schedule, without fields.
    #[must_use]
    pub fn from_schedule(operation: &Operation) -> Self {
        let mut call = Self::from_fields(operation, Fields::default());
        call.info.is_scheduled = true;
        call
    }

    /// A call by a direct invocation, and the declaration of its operation. The field `operation` names the operation.
    /// It is optional if there is only one.
    pub fn from_direct<D: AsRef<Operation>>(
        declared: &'static [D],
        mut fields: Fields,
    ) -> Result<(&'static D, Self), Rejection> {
        let found = match (fields.remove("operation"), declared) {
            (Some(Json::Text(name)), _) => declared.iter().find(|declared| declared.as_ref().name == name),
            (None, [only]) => Some(only),
            _ => None,
        };
        let names: Vec<_> = declared.iter().map(|declared| declared.as_ref().name).collect();
        let found =
            found.ok_or_else(|| Rejection::invalid("operation", format!("must be one of {}", names.join(", "))))?;
        Ok((found, Self::from_fields(found.as_ref(), fields)))
    }

    /// A call by an HTTP request. `faults` were detected while the fields were collected. `other_orgs` are orgs that
    /// the request names in addition to the org in its fields.
    pub(super) fn from_request(
        operation: &Operation,
        fields: Fields,
        only_create: bool,
        faults: Vec<FieldError>,
        other_orgs: Vec<String>,
    ) -> Self {
        let mut call = Self { faults, other_orgs, ..Self::from_fields(operation, fields) };
        call.info.only_create = only_create;
        call
    }

    const fn from_fields(operation: &Operation, fields: Fields) -> Self {
        let info = CallInfo {
            operation: operation.name,
            only_create: false,
            is_scheduled: false,
            is_event: false,
            scope: None,
        };
        Self { info, fields, faults: Vec::new(), other_orgs: Vec::new() }
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

    /// Every org that the request names in its path, query or body, valid or not.
    pub fn orgs(&self) -> impl Iterator<Item = &str> + Clone {
        self.other_orgs.iter().map(String::as_str).chain(self.org())
    }

    /// The org that the cursor was issued for, if the call has a valid cursor.
    #[must_use]
    pub fn cursor_org(&self) -> Option<String> {
        if self.info.is_event {
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
        let Self { info, mut fields, mut faults, .. } = self;
        faults.extend(cross_field_errors(&fields));
        let mut result = T::read(&fields);
        if let (true, Err(errors)) = (info.is_event, &result) {
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
