//! Bounded lists in requests.

/// A list of elements with its own rule, for requests.
macro_rules! list {
    ($list:ident of $element:ident as $fields:ident, from $min:literal to $max:literal, $rule:expr) => {
        impl<E: deserr::DeserializeError> deserr::Deserr<E> for $list {
            fn deserialize_from_value<V: deserr::IntoValue>(value: deserr::Value<V>, at: deserr::ValuePointerRef<'_>) -> Result<Self, E> {
                let elements: Vec<$fields> = $crate::inbound::fields::bounded_list(value, at, $max, $rule)?;
                let elements: Vec<$element> = elements.into_iter().map($element::from).collect();
                Self::try_from(elements).map_err(|rule| $crate::inbound::fields::invalid_value(rule, at))
            }
        }

        impl serde::Serialize for $list {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.iter().map($fields::from))
            }
        }

        impl schemars::JsonSchema for $list {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($list).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let element = generator.subschema_for::<$fields>();
                let rule = $crate::schema::RULE;
                schemars::json_schema!({
                    "type": "array", "items": element, "minItems": $min, "maxItems": $max, (rule): $rule,
                })
            }
        }
    };
}
pub(super) use list;
