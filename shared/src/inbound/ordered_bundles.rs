//! The bundles of an order, as events of the shop platform name them: by their ids (`bundleIds`), or each with what it
//! saved (`bundles`).

use deserr::Deserr;

use super::{
    fields::FieldErrors,
    json::{Fields, Json},
};
use crate::domain::{ids::BundleId, money::Money, rejection::FieldError};

/// The field that names bundles by their ids.
const IDS_FIELD: &str = "bundleIds";

/// The field that names bundles with what each saved.
const BUNDLES_FIELD: &str = "bundles";

/// How many bundles an order names, at most.
const BUNDLES_MAX: usize = 100;

/// Why a value does not name bundles.
const BUNDLES_RULE: &str = "must be a list of at most 100 bundles";

/// A bundle of an order, and what the order saved by it if it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedBundle {
    /// Which.
    pub bundle: BundleId,
    /// What was saved; not compared, and not checked against the bundle's own terms.
    pub savings: Option<Money>,
}

/// The bundles that an order names. One that is named wrongly keeps no other from being counted.
#[derive(Debug, Default)]
pub struct OrderedBundles {
    /// Those that are named rightly, in their order; `None` where the order says nothing of bundles.
    pub named: Option<Vec<OrderedBundle>>,
    /// What is wrong with the others.
    pub faults: Vec<FieldError>,
}

/// A bundle with what it saved; what else is said of it is for others.
#[derive(Deserr)]
#[deserr(rename_all = camelCase)]
struct BundleWithSavings {
    bundle_id: BundleId,
    #[deserr(default)]
    savings: Option<Money>,
}

impl OrderedBundles {
    /// Takes them out of the fields of a request.
    pub fn take(fields: &mut Fields) -> Self {
        let by_id = |bundle: BundleId| OrderedBundle { bundle, savings: None };
        let with_savings =
            |BundleWithSavings { bundle_id, savings }: BundleWithSavings| OrderedBundle { bundle: bundle_id, savings };
        let mut ordered = Self::default();
        ordered.add_field(IDS_FIELD, fields.remove(IDS_FIELD), by_id);
        ordered.add_field(BUNDLES_FIELD, fields.remove(BUNDLES_FIELD), with_savings);
        ordered
    }

    /// What is wrong with `bundles`, for those who do nothing with it.
    #[must_use]
    pub fn field_errors(fields: &Fields) -> Vec<FieldError> {
        let mut bundles: Fields = fields.iter().filter(|(name, _)| *name == BUNDLES_FIELD).map(cloned_field).collect();
        Self::take(&mut bundles).faults
    }

    fn add_field<T: Deserr<FieldErrors>>(
        &mut self,
        field: &str,
        value: Option<Json>,
        convert: impl Fn(T) -> OrderedBundle,
    ) {
        let elements = match value {
            None | Some(Json::Null) => return,
            Some(Json::List(elements)) if elements.len() <= BUNDLES_MAX => elements,
            Some(_) => return self.faults.push(FieldError::new(field, BUNDLES_RULE)),
        };
        let named = self.named.get_or_insert_default();
        for (position, element) in elements.into_iter().enumerate() {
            match deserr::deserialize::<T, _, FieldErrors>(element) {
                Ok(bundle) => named.push(convert(bundle)),
                Err(errors) => self.faults.extend(errors.prefixed(&format!("{field}[{position}]"))),
            }
        }
    }
}

fn cloned_field((name, value): (&String, &Json)) -> (String, Json) {
    (name.clone(), value.clone())
}
