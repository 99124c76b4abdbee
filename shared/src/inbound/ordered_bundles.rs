//! Decodes the bundles of an order. Events of the shop platform list them as ids (`bundleIds`) or as objects with
//! savings (`bundles`).

use std::borrow::Cow;

use deserr::Deserr;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    fields::{FieldErrors, FromFields},
    json::{Fields, Json},
};
use crate::domain::{ids::BundleId, money::Money, rejection::FieldError};

/// The field with a list of bundle ids.
const IDS_FIELD: &str = "bundleIds";

/// The field with a list of bundles and their savings.
const BUNDLES_FIELD: &str = "bundles";

/// The maximum number of bundles of an order.
const BUNDLES_MAX: usize = 100;

/// The rule of both fields.
const BUNDLES_RULE: &str = "must be a list of at most 100 bundles";

/// An order with its bundles.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "{T}WithBundles")]
pub struct OrderWithBundles<T> {
    /// The order.
    #[serde(flatten)]
    pub order: T,
    /// The bundles.
    #[serde(flatten)]
    pub bundles: OrderedBundles,
}

impl<T: Deserr<FieldErrors>> FromFields for OrderWithBundles<T> {
    fn read(fields: &Fields) -> Result<Self, FieldErrors> {
        let mut fields = fields.clone();
        let bundles = OrderedBundles::take(&mut fields);
        match T::read(&fields) {
            Ok(order) => Ok(Self { order, bundles }),
            Err(errors) => Err(errors.append(bundles.faults)),
        }
    }
}

/// A bundle of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedBundle {
    /// The bundle.
    pub bundle: BundleId,
    /// The amount that the order saved, if given. It is neither compared nor checked against the terms of the bundle.
    pub savings: Option<Money>,
}

/// The bundles of an order. An invalid element does not affect the others.
#[derive(Debug, Clone, Default)]
pub struct OrderedBundles {
    /// The valid bundles in their order. `None` if the order has neither field.
    pub named: Option<Vec<OrderedBundle>>,
    /// The faults of the other elements.
    pub faults: Vec<FieldError>,
}

/// A bundle of an order. Unknown members are ignored.
#[derive(Deserr, Serialize, JsonSchema)]
#[deserr(rename_all = camelCase)]
#[serde(rename_all = "camelCase")]
struct BundleWithSavings {
    /// The bundle.
    bundle_id: BundleId,
    /// The amount that the order saved, in the org's currency. Absent: the difference of the bundle's prices.
    #[deserr(default)]
    savings: Option<Money>,
}

/// The bundles under the field `bundles`, with their savings.
impl Serialize for OrderedBundles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        if let Some(named) = &self.named {
            let with_savings = |OrderedBundle { bundle, savings }: &OrderedBundle| BundleWithSavings {
                bundle_id: bundle.clone(),
                savings: *savings,
            };
            fields.serialize_entry(BUNDLES_FIELD, &named.iter().map(with_savings).collect::<Vec<_>>())?;
        }
        fields.end()
    }
}

impl JsonSchema for OrderedBundles {
    fn schema_name() -> Cow<'static, str> {
        "OrderedBundles".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (id, with_savings) =
            (generator.subschema_for::<BundleId>(), generator.subschema_for::<BundleWithSavings>());
        json_schema!({
            "type": "object",
            "properties": {
                (IDS_FIELD): {
                    "description": "The bundles of the order. A repeated bundle counts once.",
                    "type": ["array", "null"], "items": id, "maxItems": BUNDLES_MAX,
                },
                (BUNDLES_FIELD): {
                    "description": "The bundles of the order with their savings, an alternative to `bundleIds`.",
                    "type": ["array", "null"], "items": with_savings, "maxItems": BUNDLES_MAX,
                },
            },
        })
    }
}

impl OrderedBundles {
    /// Removes the bundles from the fields of a request and decodes them.
    pub fn take(fields: &mut Fields) -> Self {
        let by_id = |bundle: BundleId| OrderedBundle { bundle, savings: None };
        let with_savings =
            |BundleWithSavings { bundle_id, savings }: BundleWithSavings| OrderedBundle { bundle: bundle_id, savings };
        let mut ordered = Self::default();
        ordered.add_field(IDS_FIELD, fields.remove(IDS_FIELD), by_id);
        ordered.add_field(BUNDLES_FIELD, fields.remove(BUNDLES_FIELD), with_savings);
        ordered
    }

    /// The faults of the field `bundles`, for an operation that only checks the field.
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
